import { expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { sale, touch } from './items.ts';

/** The export of a person whose rows make many pages: each row once, whatever its size and however many share a time. */

needWorld();

const person = { user_id: 'u1' };
const at = (second: number) => new Date(Date.UTC(2025, 0, 1, 0, 0, second)).toISOString();
/** Two rows share each second, so that pages end between rows of one time. */
const shared = (i: number) => at(Math.floor(i / 2));

async function load(
  workspace: TestWorkspace,
  resource: 'touchpoints' | 'conversions' | 'people',
  count: number,
  itemOf: (i: number) => object,
) {
  for (let start = 0; start < count; start += 200)
    await workspace.load(
      resource,
      Array.from({ length: Math.min(200, count - start) }, (_, i) => itemOf(start + i)),
    );
}

/** More rows in each list than one call reads, and more bytes of touchpoints than three calls do. */
async function personOfManyPages() {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  await workspace.goal('purchase');
  await workspace.goal('signup');
  await load(workspace, 'touchpoints', 1300, (i) =>
    touch(`t${i}`, {
      occurred_at: shared(i),
      // Small rows, then large ones: a page of many small rows is followed by one that has to be cut.
      properties: { n: i, note: `"${(i < 400 ? 'x' : '€').repeat(i < 400 ? 10 : 5000)}"` },
    }),
  );
  await load(workspace, 'touchpoints', 250, (i) =>
    touch(`o${i}`, { person: { user_id: `other${i}` }, referred_by: person, occurred_at: shared(i) }),
  );
  await load(workspace, 'conversions', 250, (i) =>
    sale(`c${i}`, { occurred_at: shared(i), goal: i % 3 === 0 ? 'signup' : 'purchase' }),
  );
  for (let i = 0; i < 11; i++)
    for (let k = 0; k < 20; k++)
      await workspace.post(`/v1/conversions/c${i}/adjustments`, {
        id: `a${i}-${k}`,
        kind: 'restatement',
        value: k,
      });
  await load(workspace, 'people', 250, (i) => ({
    id: `d${i}`,
    person: i < 90 ? { ...person, anonymous_id: `device${i}` } : person,
    account: { id: `acme${i % 7}` },
    traits: { note: `note ${i}` },
    occurred_at: shared(i),
  }));
  for (let start = 0; start < 300; start += 150)
    await workspace.touchpoints(
      ...Array.from({ length: 150 }, (_, i) => touch(`r${start + i}`, { kind: `nope ${start + i}` })),
    );
  const { person_id } = (await workspace.get('/v1/touchpoints/t1')).body;
  return { workspace, personId: person_id as string };
}

const sorted = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).sort();

test('every row of every list is in it once, as it is stored', { timeout: 180_000 }, async () => {
  const { workspace, personId } = await personOfManyPages();
  const { body, headers } = await workspace.get(`/v1/people/${personId}/export`);
  // The first call: existence, the entry of the audit log, and the first rows of each list.
  expect(headers.get('server-timing')).toContain('calls=1');
  const own = (await rowsOf('select id from identities where workspace_id = $1 and person_id = $2', [
    workspace.id,
    personId,
  ])) as { id: string }[];
  const identities = own.map(({ id }) => Number(id));
  const stored = async (table: string, condition: string, params: unknown[]) =>
    (
      await rowsOf(
        `select to_jsonb(held) - 'workspace_id' as row from ${table} held where held.workspace_id = $1 and ${condition}`,
        [workspace.id, ...params],
      )
    ).map(({ row }) => row);
  for (const table of ['identities', 'person_updates', 'account_facts', 'touchpoints', 'conversions'])
    expect([table, sorted(body[table])]).toEqual([
      table,
      sorted(await stored(table, 'held.person_id = $2', [personId])),
    ]);
  expect(sorted(body.identity_links)).toEqual(
    sorted(await stored('identity_links', 'held.identity_id = any($2::bigint[])', [identities])),
  );
  expect(sorted(body.adjustments)).toEqual(sorted(await stored('adjustments', 'true', [])));
  const lengths = Object.entries(body).map(([list, rows]) => [list, (rows as Json[]).length]);
  expect(
    Object.fromEntries(lengths.filter(([list]) => list !== 'person_id' && list !== 'exported_at')),
  ).toEqual({
    people: 1,
    identities: 91,
    identity_links: 180,
    link_cursors: 0,
    person_updates: 250,
    account_facts: 250,
    touchpoints: 1300,
    conversions: 250,
    adjustments: 220,
    rejections: 300,
    referred_touchpoints: 250,
    replaced_items: 0,
  });
  expect(new Set(body.rejections.map((row: Json) => row.item.kind)).size).toBe(300);
  expect(new Set(body.referred_touchpoints.map((row: Json) => row.id)).size).toBe(250);
  const entries = (await workspace.get('/v1/audit?action=person.export')).body.data;
  expect(entries.map((entry: Json) => entry.target_id)).toEqual([personId]);
});

test('nobody and an unknown key get a problem, because nothing is sent before the first page is read', async () => {
  const workspace = await TestWorkspace.make();
  const path = '/v1/people/01a20214-66cd-7256-9405-8feca53f6ec9/export';
  expect((await workspace.get(path)).body).toMatchObject({ status: 404, code: 'not_found' });
  expect((await ask('GET', path, { token: 'x' })).status).toBe(401);
  expect((await workspace.get('/v1/audit?action=person.export')).body.data).toEqual([]);
});
