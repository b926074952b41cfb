import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Answer, ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { operations } from '../support/document.ts';

/** The log lines of requests of all tests of this run so far: fields of an allow-list, and no content of requests. */

needWorld();

const FIELDS = [
  'counts',
  'database_calls',
  'database_ms',
  'duration_ms',
  'key_id',
  'level',
  'method',
  'request_id',
  'route',
  'status',
  'workspace_id',
];
const ERROR_FIELDS = ['error', 'level', 'request_id', 'sqlstate', 'stack'];
const ROUTES = new Set<unknown>([null, ...operations.map(({ path }) => path)]);

const CANARY = 'canary-91be';

/** Log lines of the Worker itself. Lines of workerd, for example about a closed connection, are not JSON. */
function linesSoFar(): { text: string; lines: Json[] } {
  const text = readFileSync(world.log, 'utf8');
  const lines = text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  return { text, lines };
}

/** Output arrives through a pipe, a moment after the response. */
async function lineOf(requestId: string): Promise<Json> {
  for (let tries = 0; tries < 50; tries++) {
    const line = linesSoFar().lines.find((one) => one.request_id === requestId && one.level === 'info');
    if (line) return line;
    await sleep(100);
  }
  throw new Error(`no line of ${requestId}`);
}

test('a request is one line: method, route, status, whose, counts, times and the calls to the database', async () => {
  const workspace = await TestWorkspace.make();
  const touchpoint = { id: 't', kind: 'visit', channel: 'x', person: { user_id: 'u' } };
  const answer = await workspace.touchpoints(touchpoint, { id: 'wrong' }, touchpoint);
  const [key] = (await workspace.get('/v1/keys')).body.data;
  const line = await lineOf(answer.headers.get('x-request-id') ?? '');
  expect(line).toEqual({
    level: 'info',
    request_id: answer.headers.get('x-request-id'),
    method: 'POST',
    route: '/v1/touchpoints',
    status: 207,
    workspace_id: workspace.id,
    key_id: key.id,
    counts: { accepted: 1, duplicates: 1, dropped: 0, rejected: 1 },
    duration_ms: expect.any(Number),
    database_ms: expect.any(Number),
    database_calls: 2,
  });
});

test('a batch of which nothing went in has its counts, a path without a route none of its own', async () => {
  const workspace = await TestWorkspace.make();
  const refused = await workspace.touchpoints({ id: 'wrong' });
  expect(await lineOf(refused.headers.get('x-request-id') ?? '')).toMatchObject({
    status: 422,
    counts: { accepted: 0, duplicates: 0, dropped: 0, rejected: 1 },
  });
  const lost = await workspace.get(`/v1/${CANARY}`);
  expect(await lineOf(lost.headers.get('x-request-id') ?? '')).toMatchObject({
    status: 404,
    route: null,
    counts: null,
  });
});

test('a key in the path is refused before anything is logged: the line has neither path nor route', async () => {
  const workspace = await TestWorkspace.make();
  const answer = await workspace.get(`/v1/people/tl_sk_${CANARY}`);
  expect(await lineOf(answer.headers.get('x-request-id') ?? '')).toMatchObject({
    status: 401,
    route: null,
    workspace_id: null,
    database_calls: 0,
  });
});

test('a request id that holds a key is not taken over', async () => {
  const answer = await ask('GET', '/health', { headers: { 'x-request-id': `tl_sk_${CANARY}` } });
  expect(answer.headers.get('x-request-id')).not.toContain(CANARY);
  expect((await lineOf(answer.headers.get('x-request-id') ?? '')).route).toBe('/health');
});

/** Requests of every kind with the canary in every field that a sender controls. */
async function sendCanaries(workspace: TestWorkspace): Promise<Answer[]> {
  const person = { email: `${CANARY}@acme.example`, user_id: CANARY, phone: '+4930901820' };
  const texts = {
    url: `https://x.example/?${CANARY}`,
    campaign: CANARY,
    term: CANARY,
    properties: { [CANARY]: CANARY },
  };
  return [
    await workspace.goal('purchase', { name: CANARY }),
    await workspace.touchpoints({
      id: CANARY,
      kind: 'visit',
      channel: CANARY,
      person,
      conversation: { id: CANARY, topic: CANARY },
      ...texts,
    }),
    await workspace.touchpoints({ id: `${CANARY}-2`, kind: CANARY, person }),
    await workspace.conversions(
      { id: CANARY, goal: 'purchase', person, value: 1 },
      { id: `${CANARY}-3`, goal: CANARY, person },
    ),
    await workspace.post('/v1/people', { people: [{ id: CANARY, person, traits: { name: CANARY } }] }),
    await workspace.get(`/v1/touchpoints/${CANARY}`),
    await workspace.get(`/v1/people/lookup?email=${CANARY}@acme.example`),
    await workspace.get(`/v1/touchpoints?${CANARY}=1`),
    await workspace.ask('GET', '/v1/goals', {
      headers: { 'x-request-id': `${CANARY} with spaces`, [CANARY]: CANARY },
    }),
    await ask('GET', '/v1/goals', { token: `tl_sk_${CANARY}` }),
    await ask('GET', '/v1/goals', { headers: { authorization: `Basic ${CANARY}` } }),
    await ask('POST', '/v1/touchpoints', {
      token: workspace.token,
      raw: `{"${CANARY}": `,
      headers: { 'content-type': 'application/json' },
    }),
    await workspace.ask('DELETE', `/v1/people/${CANARY}`),
    await workspace.get('/v1/rejections'),
  ];
}

test('no log line, no header and no error of anything holds what was sent: keys, identities, ids, texts', async () => {
  const workspace = await TestWorkspace.make({ name: CANARY, identity_storage: 'plain' });
  const answers = await sendCanaries(workspace);
  for (const { headers, status, body } of answers) {
    expect(JSON.stringify([...headers])).not.toContain(CANARY);
    // Errors are named by pointer; an unknown path or parameter is shown to the sender only.
    if (status >= 400 && body?.results === undefined)
      expect(body.detail).not.toContain(`${CANARY}@acme.example`);
  }
  await lineOf(answers.at(-1)?.headers.get('x-request-id') ?? '');
  const { text, lines } = linesSoFar();
  for (const secret of [
    CANARY,
    '@acme.example',
    '30901820',
    'tl_sk_',
    'tl_pk_',
    'Bearer',
    world.rootKey,
    'postgres://',
  ])
    expect([secret, text.includes(secret)]).toEqual([secret, false]);
  expect(lines.length).toBeGreaterThan(answers.length);
});

test('every line of this run so far has the fields of the list alone, and no route but those of the document', async () => {
  const { lines } = linesSoFar();
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    const allowed = line.level === 'error' ? ERROR_FIELDS : FIELDS;
    expect(Object.keys(line).filter((field) => !allowed.includes(field))).toEqual([]);
    if (line.level === 'info') expect(ROUTES.has(line.route), line.route).toBe(true);
  }
});
