import { describe, expect, test } from 'vitest';
import { type Answer, type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const statusesOf = ({ body }: Answer) => body.results.map((result: Json) => [result.status, result.reason]);
const CANARY = 'canary-7f3a';

/** Everything that may contain personal data, with the canary in it. */
const full = (id: string, person: Json, minute: number) => ({
  id,
  person,
  kind: 'visit',
  channel: 'x',
  source: 'x.com',
  occurred_at: at(minute),
  url: `https://a.example/${CANARY}`,
  referrer: `https://b.example/${CANARY}`,
  content: CANARY,
  term: CANARY,
  conversation: { id: 'thread', topic: CANARY },
  properties: { note: CANARY },
});

async function personWithEverything() {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  await workspace.goal('purchase');
  const person = { user_id: `u-${CANARY}`, email: `${CANARY}@example.com` };
  await workspace.touchpoints(full('t1', person, 1), full('t2', { user_id: `u-${CANARY}` }, 2), {
    ...full('o', { user_id: 'other' }, 2),
    referred_by: { email: person.email },
  });
  await workspace.conversions({
    id: 's',
    goal: 'purchase',
    person: { email: person.email },
    occurred_at: at(5),
    value: 10,
    properties: { note: CANARY },
  });
  await workspace.load('people', [
    { id: 'd', person, account: { id: 'acme' }, traits: { name: CANARY }, occurred_at: at(3) },
  ]);
  await workspace.touchpoints({ ...full('bad', person, 4), kind: 'nope' });
  await workspace.conversions({ id: 'lost', goal: 'nowhere', person: { user_id: person.user_id } });
  const id: string = (await workspace.get('/v1/touchpoints/t1')).body.person_id;
  return { workspace, id, person };
}

/** The places of the canary: every text of every row of the workspace, except values of hashes. */
async function canaries(workspace: TestWorkspace): Promise<string[]> {
  const tables = await rowsOf(
    `select table_name::text from information_schema.columns where table_schema = 'public' and column_name = 'workspace_id'`,
    [],
  );
  const found: string[] = [];
  for (const { table_name } of tables) {
    const rows = await rowsOf(
      `select to_jsonb(t)::text as row from ${table_name} t where workspace_id = $1`,
      [workspace.id],
    );
    for (const { row } of rows) if (String(row).includes(CANARY)) found.push(String(table_name));
  }
  return found;
}

const REPORT =
  '/v1/reports/attribution?goal=purchase&from=2026-01-01&to=2026-02-01&models=linear,first_touch';

describe('erasure', () => {
  test('leaves no trace in any table but the ids, gives a receipt, and asking again gives the same', async () => {
    const { workspace, id } = await personWithEverything();
    const others = (await canaries(workspace)).length;
    expect(others).toBeGreaterThan(6);
    await workspace.ask('DELETE', '/v1/touchpoints/o');
    const first = await workspace.ask('DELETE', `/v1/people/${id}`);
    expect(first.body).toMatchObject({
      person_id: id,
      identities: 2,
      touchpoints: 2,
      conversions: 1,
      rejections: 2,
    });
    // The remaining data belong to the other person.
    expect(await canaries(workspace)).toEqual(['touchpoints']);
    expect((await workspace.get(`/v1/people/${id}`)).status).toBe(404);
    expect((await workspace.get('/v1/rejections')).body.data).toEqual([]);
    const again = await workspace.ask('DELETE', `/v1/people/${id}`);
    expect([again.status, again.body]).toEqual([200, first.body]);
  });

  test('keeps totals and credits; groups by a blanked field become null', async () => {
    const { workspace, id } = await personWithEverything();
    const before = (await workspace.get(REPORT)).body;
    await workspace.ask('DELETE', `/v1/people/${id}`);
    const after = (await workspace.get(REPORT)).body;
    expect([after.totals, after.data]).toEqual([before.totals, before.data]);
    const byTopic = (await workspace.get(`${REPORT}&group_by=topic,content`)).body;
    expect(byTopic.data.map((row: Json) => row.group)).toEqual([{ topic: null, content: null }]);
  });

  test('drops what is sent again from before, under the old id and under a new one; newer items make a new person', async () => {
    const { workspace, id, person } = await personWithEverything();
    await workspace.ask('DELETE', `/v1/people/${id}`);
    const erased = ['dropped', 'erased'];
    expect(
      statusesOf(await workspace.touchpoints(full('t1', person, 1), full('t9', { email: person.email }, 9))),
    ).toEqual([erased, erased]);
    expect(
      statusesOf(await workspace.conversions({ id: 's9', goal: 'purchase', person, occurred_at: at(9) })),
    ).toEqual([erased]);
    expect(
      statusesOf(await workspace.post('/v1/people', { people: [{ id: 'd9', person, occurred_at: at(9) }] })),
    ).toEqual([erased]);
    expect(
      await rowsOf('select namespace, value from identities where workspace_id = $1 and namespace <> $2', [
        workspace.id,
        'user_id',
      ]),
      // The identity of the nameless advocate.
    ).toEqual([{ namespace: '~erased', value: null }]);
    const later = new Date(Date.now() + 60_000).toISOString();
    const fresh = await workspace.touchpoints({
      id: 'new',
      kind: 'visit',
      channel: 'x',
      person,
      occurred_at: later,
    });
    expect(statusesOf(fresh)).toEqual([['accepted', undefined]]);
    const { person_id } = (await workspace.get('/v1/touchpoints/new')).body;
    expect([id, (await workspace.get('/v1/touchpoints/t1')).body.person_id]).not.toContain(person_id);
  });

  test('takes a merged id, and is 404 for nobody and for another workspace', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(full('a', { x: 'ann' }, 1), full('b', { email: 'a@b.c' }, 2));
    const ids = (await workspace.get('/v1/touchpoints')).body.data.map((row: Json) => row.person_id).sort();
    await workspace.load('people', [{ id: 'l', person: { x: 'ann', email: 'a@b.c' } }]);
    const elsewhere = await TestWorkspace.make();
    expect((await elsewhere.ask('DELETE', `/v1/people/${ids[0]}`)).status).toBe(404);
    expect((await workspace.ask('DELETE', '/v1/people/01a20214-66cd-7256-9405-8feca53f6ec9')).status).toBe(
      404,
    );
    const receipt = (await workspace.ask('DELETE', `/v1/people/${ids[1]}`)).body;
    expect(receipt).toMatchObject({ person_id: ids[0], touchpoints: 2 });
    expect((await workspace.ask('DELETE', `/v1/people/${ids[0]}`)).body).toEqual(receipt);
  });

  test('leaves the other half of a skipped link alone', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.load('people', [
      { id: '1', person: { user_id: 'u1', x: 'a' }, occurred_at: at(1) },
      { id: '2', person: { user_id: 'u2', x: 'a' }, occurred_at: at(2) },
    ]);
    await workspace.touchpoints(full('u1', { user_id: 'u1' }, 3), full('u2', { user_id: 'u2' }, 3));
    const one: string = (await workspace.get('/v1/touchpoints/u1')).body.person_id;
    await workspace.ask('DELETE', `/v1/people/${one}`);
    expect(await rowsOf('select namespace from identities where workspace_id = $1', [workspace.id])).toEqual([
      { namespace: 'user_id' },
    ]);
    expect(
      await rowsOf('select item_id from identity_links where workspace_id = $1', [workspace.id]),
    ).toEqual([]);
  });

  test('of a person with 10,000 touchpoints takes them all', { timeout: 60_000 }, async () => {
    const workspace = await TestWorkspace.make();
    await workspace.load(
      'touchpoints',
      Array.from({ length: 10_000 }, (_, i) => full(`t${i}`, { user_id: 'busy' }, i % 1000)),
    );
    const id: string = (await workspace.get('/v1/touchpoints/t1')).body.person_id;
    const started = performance.now();
    const { body } = await workspace.ask('DELETE', `/v1/people/${id}`);
    console.log(`erasing 10,000 touchpoints: ${Math.round(performance.now() - started)} ms`);
    expect(body.touchpoints).toBe(10_000);
    expect(await canaries(workspace)).toEqual([]);
  });
});

describe('export', () => {
  test('holds every row of every table that has a person in it', async () => {
    const { workspace, id } = await personWithEverything();
    const { body } = await workspace.get(`/v1/people/${id}/export`);
    const tables = await rowsOf(
      `select distinct table_name::text from information_schema.columns
       where table_schema = 'public' and column_name in ('person_id', 'identity_id') and table_name <> 'erasures'`,
      [],
    );
    for (const { table_name } of tables) expect(body, String(table_name)).toHaveProperty(String(table_name));
    const counts = Object.fromEntries(
      Object.entries(body)
        .filter(([, rows]) => Array.isArray(rows))
        .map(([table, rows]) => [table, (rows as Json[]).length]),
    );
    expect(counts).toEqual({
      people: 1,
      identities: 2,
      identity_links: 2,
      link_cursors: 0,
      person_updates: 1,
      account_facts: 1,
      touchpoints: 2,
      conversions: 1,
      adjustments: 0,
      rejections: 2,
      referred_touchpoints: 1,
      replaced_items: 0,
    });
    // Touchpoints of others show only that they name the person.
    expect(body.referred_touchpoints).toEqual([{ id: 'o', occurred_at: expect.stringContaining(':02:00') }]);
    expect(JSON.stringify(body.rejections)).toContain(CANARY);
    expect(JSON.stringify(body)).not.toContain(workspace.id);
  });

  test('is 404 for nobody and for another workspace', async () => {
    const { id } = await personWithEverything();
    const elsewhere = await TestWorkspace.make();
    expect((await elsewhere.get(`/v1/people/${id}/export`)).status).toBe(404);
  });
});
