import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import type { Fault } from '../../local/faults.ts';
import { type NeonServer, startNeonServer } from '../../local/neon-server.ts';
import { openPglite, type SqlBackend } from '../../local/sql-backend.ts';
import { buildWorker, type RunningWorkerd, startWorkerd } from '../../local/workerd.ts';

/** A large export while something happens to its client, its database or its person. */

const ROOT_KEY = 'root-key-of-the-tests-0123456789abcdef';
const TOUCHPOINTS = 4000;

let backend: SqlBackend;
let neon: NeonServer;
let worker: RunningWorkerd;
/** The fault of each further call to the database. */
let fault: Fault = 'none';

const run = async (query: string, params: unknown[] = []) =>
  (await backend.run([{ query, params }], { atomic: false }))[0]?.rows ?? [];

beforeAll(async () => {
  backend = await openPglite();
  await applyMigrations(backend);
  neon = await startNeonServer({ backend, faults: () => fault });
  const env = {
    DATABASE_URL: neon.connectionString,
    ROOT_KEY,
    IDENTITY_SECRET: 'identity-secret-of-the-tests-0123456789',
  };
  worker = await startWorkerd({ bundle: await buildWorker(), env });
}, 120_000);

afterAll(async () => {
  await worker?.stop();
  await neon?.close();
  await backend?.close();
});

const ask = (token: string, method: string, path: string, body?: unknown) =>
  fetch(worker.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });

/** A person with 64 MB of touchpoints: more than the buffers of a connection hold. */
async function largePerson() {
  const made = await ask(ROOT_KEY, 'POST', '/v1/workspaces', { name: 'Large' });
  const { workspace, key } = (await made.json()) as { workspace: { id: string }; key: { token: string } };
  const touchpoint = { kind: 'visit', channel: 'x' };
  // The person of the address is the older one, and so the survivor if the two are linked.
  for (const [id, person] of [
    ['other', { email: 'ann@example.com' }],
    ['first', { anonymous_id: 'ann' }],
  ])
    await ask(key.token, 'POST', '/v1/touchpoints', { touchpoints: [{ ...touchpoint, id, person }] });
  await run(
    `insert into touchpoints (workspace_id, id, person_id, identity_id, occurred_at, kind, channel, properties)
     select t.workspace_id, 't' || n, t.person_id, t.identity_id, t.occurred_at - n * interval '1 second', 'visit', 'x',
       jsonb_build_object('note', repeat('x', 16000))
     from touchpoints t, generate_series(1, $2::int) n where t.workspace_id = $1 and t.id = 'first'`,
    [workspace.id, TOUCHPOINTS - 1],
  );
  const [row] = await run(`select person_id from touchpoints where workspace_id = $1 and id = 'first'`, [
    workspace.id,
  ]);
  return { token: key.token, workspaceId: workspace.id, personId: row?.[0] ?? '' };
}

/** Starts an export, and reads its beginning. */
async function begunExport() {
  const held = await largePerson();
  const response = await ask(held.token, 'GET', `/v1/people/${held.personId}/export`);
  expect(response.status).toBe(200);
  const reader = response.body?.getReader();
  if (!reader) throw new Error('no body');
  const decoder = new TextDecoder();
  const rest = async () => {
    let text = '';
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += decoder.decode(part.value, { stream: true });
    return text;
  };
  const first = await reader.read();
  return { ...held, reader, begun: decoder.decode(first.value, { stream: true }), rest, response };
}

/** The number of calls to the database, when it has stayed the same for a second. */
async function settledCalls(): Promise<number> {
  for (let before = -1; ; ) {
    const calls = neon.calls();
    if (calls === before) return calls;
    before = calls;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

interface Line {
  request_id: string;
  level: string;
  database_calls: number;
}
const linesOf = (response: Response) =>
  worker
    .output()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []))
    .filter(({ request_id }) => request_id === response.headers.get('x-request-id'));

test('an export is read page by page as the client reads, and its log line counts all calls', async () => {
  const before = neon.calls();
  const { begun, rest, response } = await begunExport();
  const paused = (await settledCalls()) - before;
  const document = JSON.parse(begun + (await rest())) as { touchpoints: { id: string }[] };
  expect(document.touchpoints.length).toBe(TOUCHPOINTS);
  expect(new Set(document.touchpoints.map(({ id }) => id)).size).toBe(TOUCHPOINTS);
  const all = neon.calls() - before;
  // Nothing was read ahead of the client, but what fits into the buffers of the connection.
  expect(paused).toBeLessThan(all - 5);
  await expect.poll(() => linesOf(response).map(({ level }) => level)).toEqual(['info']);
  expect(linesOf(response)[0]?.database_calls).toBeGreaterThan(15);
}, 120_000);

test('a client that hangs up ends the reads', async () => {
  const { reader, response } = await begunExport();
  await reader.cancel();
  const calls = await settledCalls();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(neon.calls()).toBe(calls);
  await expect.poll(() => linesOf(response).map(({ level }) => level)).toEqual(['info']);
  expect(linesOf(response)[0]?.database_calls).toBeLessThan(10);
}, 120_000);

test('a page that fails breaks the connection, so that half a document is not a document', async () => {
  const { rest, response } = await begunExport();
  onTestFinished(() => {
    fault = 'none';
  });
  fault = 'status_500';
  await expect(rest()).rejects.toThrow();
  await expect
    .poll(() =>
      linesOf(response)
        .map(({ level }) => level)
        .sort(),
    )
    .toEqual(['error', 'info']);
}, 120_000);

test('a person who is merged into another one in the middle is exported to the end', async () => {
  const { begun, rest, token, personId } = await begunExport();
  await ask(token, 'POST', '/v1/people', {
    people: [{ id: 'link', person: { anonymous_id: 'ann', email: 'ann@example.com' } }],
  });
  const [row] = await run('select merged_into from people where id = $1', [personId]);
  expect(row?.[0]).toEqual(expect.any(String));
  const document = JSON.parse(begun + (await rest())) as { touchpoints: { id: string }[] };
  const ids = new Set(document.touchpoints.map(({ id }) => id).filter((id) => id !== 'other'));
  expect(ids.size).toBe(TOUCHPOINTS);
}, 120_000);

test('a person who is erased in the middle: the document ends, with what was read before', async () => {
  const { begun, rest, token, personId } = await begunExport();
  expect((await ask(token, 'DELETE', `/v1/people/${personId}`)).status).toBe(200);
  const document = JSON.parse(begun + (await rest())) as { touchpoints: { id: string }[] };
  expect(document.touchpoints.length).toBeGreaterThan(0);
  expect(document.touchpoints.length).toBeLessThan(TOUCHPOINTS);
}, 120_000);
