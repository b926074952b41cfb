import { beforeAll, describe, expect, test } from 'vitest';
import { REPORTS } from '../../src/domain/settings.ts';
import { formatToken } from '../../src/domain/token.ts';
import { operations as mounted } from '../../src/operations.ts';
import { ask, needWorld, TestWorkspace, world } from '../support/api.ts';
import { type Access, type DocumentedOperation, operations, pathOf } from '../support/document.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem } from './items.ts';
import { readToken } from './tokens.ts';

/** Every route of the document with every state of a key. New routes are included automatically. */

needWorld();

const ORIGIN = 'https://shop.example';
/** As a page of the API's own origin sends a GET. */
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };
/** The operations that a read token may open. */
const reports = new Set(mounted.filter(({ report }) => report).map(({ id }) => id));
/** The operations that accept a publishable key. */
const FOR_PAGES = ['recordTouchpoints', 'recordConversions', 'recordPeople'];

const SCOPES = ['ingest', 'read', 'admin'] as const;
const behindKeys = operations.filter(({ access }) => access !== 'public' && access !== 'root');
const ofRoot = operations.filter(({ access }) => access === 'root');

/** Tokens by the state of their key. */
const tokens: Record<string, string> = {};
let workspace: TestWorkspace;

async function makeKey(body: Record<string, unknown>): Promise<{ id: string; token: string }> {
  const answer = await workspace.post('/v1/keys', { name: 'k', ...body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

beforeAll(async () => {
  if (world.missing !== null) return;
  workspace = await TestWorkspace.make();
  const unknown = formatToken(new Uint8Array(32).fill(7));
  const last = unknown.at(-1) === 'A' ? 'B' : 'A';
  tokens.malformed = 'nonsense';
  tokens['bad checksum'] = unknown.slice(0, -1) + last;
  tokens.unknown = unknown;
  const revoked = await makeKey({ scopes: SCOPES });
  await workspace.ask('DELETE', `/v1/keys/${revoked.id}`);
  tokens.revoked = revoked.token;
  const expired = await makeKey({ scopes: SCOPES, expires_at: '2099-01-01T00:00:00Z' });
  await rowsOf(
    "update keys set expires_at = now() - interval '1 second' where workspace_id = $1 and id = $2",
    [workspace.id, expired.id],
  );
  tokens.expired = expired.token;
  const publishable = await makeKey({ kind: 'publishable', allowed_origins: [ORIGIN] });
  tokens.publishable = publishable.token;
  tokens.root = world.rootKey;
  const own = new URL(world.url).origin;
  tokens['read by pages'] = await readToken(workspace, { reports: REPORTS, allowed_origins: [ORIGIN, own] });
  tokens['read by servers'] = await readToken(workspace, { reports: REPORTS, allowed_origins: [] });
  tokens.all = (await makeKey({ scopes: SCOPES })).token;
  for (const scope of SCOPES) {
    tokens[`only ${scope}`] = (await makeKey({ scopes: [scope] })).token;
    tokens[`all but ${scope}`] = (await makeKey({ scopes: SCOPES.filter((one) => one !== scope) })).token;
  }
});

const send = (
  { method, body, ...rest }: DocumentedOperation,
  token?: string,
  headers: Record<string, string> = {},
) =>
  ask(method, pathOf({ method, body, ...rest }), {
    ...(token !== undefined && { token }),
    headers,
    ...(body !== undefined && { body }),
  });

describe.each(behindKeys.map((operation) => [operation.method, operation.path, operation] as const))(
  '%s %s',
  (_method, _path, operation) => {
    test('is refused without a key: 401', async () => {
      const answer = await send(operation);
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    });

    test.each(['malformed', 'bad checksum', 'unknown', 'revoked', 'expired', 'root'])(
      'is refused with a key that is %s: 401',
      async (state) => {
        expectProblem(await send(operation, tokens[state]), 401, 'unauthenticated');
      },
    );

    test('is refused with a publishable key, unless pages may post it, and everywhere from another page: 403', async () => {
      const own = await send(operation, tokens.publishable, { origin: ORIGIN });
      if (FOR_PAGES.includes(operation.id)) expect([401, 403]).not.toContain(own.status);
      else expectProblem(own, 403, 'forbidden');
      const other = { origin: 'https://other.example' };
      expectProblem(await send(operation, tokens.publishable, other), 403, 'forbidden');
      expectProblem(await send(operation, tokens.publishable), 403, 'forbidden');
    });

    test("is refused with a secret key in a page, of the API's own origin too: 403", async () => {
      expectProblem(await send(operation, tokens.all, { origin: ORIGIN }), 403, 'forbidden');
      expectProblem(await send(operation, tokens.all, SAME_ORIGIN), 403, 'forbidden');
    });

    test('is refused with a read token, unless it is a report, and with one for servers in every page: 403', async () => {
      const isReport = reports.has(operation.id);
      for (const [token, headers] of [
        [tokens['read by pages'], { origin: ORIGIN }],
        [tokens['read by pages'], SAME_ORIGIN],
        [tokens['read by servers'], {}],
      ] as const) {
        const answer = await send(operation, token, headers);
        if (isReport) expect([401, 403]).not.toContain(answer.status);
        else expectProblem(answer, 403, 'forbidden');
      }
      for (const headers of [{ origin: ORIGIN }, SAME_ORIGIN])
        expectProblem(await send(operation, tokens['read by servers'], headers), 403, 'forbidden');
      expectProblem(await send(operation, tokens['read by pages']), 403, 'forbidden');
    });

    test('is refused with every scope but its own, and is not refused with its own alone', async () => {
      const refused = await send(operation, tokens[`all but ${operation.access}`]);
      expectProblem(refused, 403, 'forbidden');
      expect(refused.body.detail).toContain(operation.access);
      // No allowed key calls the operations that would delete the data of this test.
      const allowed = await send(operation, tokens[`only ${operation.access}`]);
      expect([401, 403]).not.toContain(allowed.status);
    });
  },
);

describe.each(ofRoot.map((operation) => [operation.method, operation.path, operation] as const))(
  '%s %s',
  (_method, _path, operation) => {
    test.each(['malformed', 'unknown', 'all'])('is refused with a key that is %s: 401', async (state) => {
      expectProblem(await send(operation, tokens[state]), 401, 'unauthenticated');
    });

    test('is refused without a key: 401', async () => {
      expectProblem(await send(operation), 401, 'unauthenticated');
    });
  },
);

test('the document has routes of every access, and each of them is in this matrix', () => {
  const accesses = new Set<Access>(operations.map(({ access }) => access));
  expect([...accesses].sort()).toEqual(['admin', 'ingest', 'public', 'read', 'root']);
  expect(
    behindKeys.length + ofRoot.length + operations.filter(({ access }) => access === 'public').length,
  ).toBe(operations.length);
});
