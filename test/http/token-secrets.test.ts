import { beforeEach, expect, test, vi } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { appWithQueue } from '../support/queue.ts';
import { ORIGIN } from './tokens.ts';

/** Read tokens are signed by a secret of their own, and stay valid while it rotates. */

needWorld();

beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  return () => vi.restoreAllMocks();
});

const OLD = 'the-old-token-secret-0123456789abcdef-01';
const NEW = 'the-new-token-secret-0123456789abcdef-01';

/** The secrets of read tokens in a deployment; those of identities are the same everywhere. */
type TokenConfig = { token_secret?: string; token_secret_previous?: string };

async function signedBy({ token }: { token: string }, secrets: TokenConfig): Promise<string> {
  const body = { expires_in: 600, allowed_origins: [ORIGIN], reports: ['lifecycle'] };
  const answer = await appWithQueue(undefined, secrets).ask(token, 'POST', '/v1/tokens', body);
  expect(answer.status).toBe(201);
  return answer.body.token;
}

const openedBy = async (token: string, secrets: TokenConfig): Promise<[number, Json]> => {
  const app = appWithQueue(undefined, secrets);
  const { status, body } = await app.ask(token, 'GET', '/v1/reports/lifecycle', undefined, {
    origin: ORIGIN,
  });
  return [status, body.code];
};

test.for<[string, TokenConfig, TokenConfig, boolean]>([
  ['release 0.1.0, opened with TOKEN_SECRET set', {}, { token_secret: NEW }, true],
  ['TOKEN_SECRET, opened where it is announced', { token_secret: NEW }, { token_secret_previous: NEW }, true],
  [
    'the old secret, opened with both',
    { token_secret: OLD },
    { token_secret: NEW, token_secret_previous: OLD },
    true,
  ],
  [
    'the new secret, opened with both',
    { token_secret: NEW },
    { token_secret: OLD, token_secret_previous: NEW },
    true,
  ],
  ['the old secret, opened after the rotation', { token_secret: OLD }, { token_secret: NEW }, false],
  ['TOKEN_SECRET, opened without it', { token_secret: NEW }, {}, false],
])('a token signed by %s', async ([, signing, opening, isOpened]) => {
  const workspace = await TestWorkspace.make();
  const token = await signedBy(workspace, signing);
  expect(await openedBy(token, opening)).toEqual(isOpened ? [200, undefined] : [401, 'unauthenticated']);
});
