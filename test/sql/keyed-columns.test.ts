import { beforeAll, expect, test } from 'vitest';
import { KEYED_COLUMNS } from '../../src/db/keyed-columns.ts';
import { touch } from '../http/items.ts';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

/** The list of everything that is keyed or sealed names every such column of a migrated database. */

needWorld();

const listed = KEYED_COLUMNS.map(({ table, column }) => `${table}.${column}`);

let columns: { name: string; table: string; column: string; type: string }[] = [];
let workspace: TestWorkspace;

beforeAll(async () => {
  if (world.missing !== null) return;
  const rows = await rowsOf(
    `select c.table_name as table, c.column_name as column, c.udt_name as type
     from information_schema.columns c where c.table_schema = 'public'`,
    [],
  );
  columns = rows.map(({ table, column, type }) => ({
    name: `${table}.${column}`,
    table: String(table),
    column: String(column),
    type: String(type),
  }));
  workspace = await filled();
});

/** A workspace whose rows have every kind of hash, with ids from an `Idempotency-Key` wherever one is made. */
async function filled(): Promise<TestWorkspace> {
  const made = await TestWorkspace.make({ identity_storage: 'plain' });
  await made.goal('purchase', { match: { touchpoints: [{ kind: ['follow'] }] } });
  const keyed = (path: string, body: Json) =>
    made.ask('POST', path, { body, headers: { 'idempotency-key': 'k' } });
  const person = { email: 'ann@acme.example', user_id: 'ann' };
  const account = { id: 'acme', domain: 'acme.example' };
  const { id: _, ...nameless } = touch('', { kind: 'follow', person, account });
  await keyed('/v1/touchpoints', { touchpoints: [nameless, { kind: 'wrong', person }] });
  const sale = { goal: 'purchase', person, value: 2 };
  const { body } = await keyed('/v1/conversions', { conversions: [sale] });
  const id = body.results[0].id;
  await keyed(`/v1/conversions/${id}/adjustments`, { kind: 'restatement', value: 1 });
  // Only workspaces that keep sums have marks.
  await rowsOf(
    `insert into credit_marks (workspace_id, goal, from_at, until_at, conversion_id, is_added, made_by)
     values ($1, 'purchase', now(), now(), $2, true, pg_current_xact_id())`,
    [made.id, id],
  );
  await keyed('/v1/people', { people: [{ person, traits: { name: 'Ann' } }] });
  const day = { from: '2025-06-01', to: '2025-06-01' };
  const spent = await keyed('/v1/spend', { spend: [{ ...day, amount: 1 }] });
  await made.post('/v1/spend', { spend: [{ id: spent.body.results[0].id, ...day, amount: 2 }] });
  const page = { name: 'P', kind: 'publishable', allowed_origins: ['https://shop.example'] };
  const { token } = (await made.post('/v1/keys', page)).body;
  const visit = { touchpoints: [{ kind: 'visit', person }] };
  const headers = { 'idempotency-key': 'page' };
  await ask('POST', '/v1/touchpoints', {
    body: visit,
    token,
    headers: { ...headers, origin: 'https://shop.example' },
  });
  await made.ask('POST', '/v1/touchpoints', { body: visit, headers });
  await made.touchpoints(touch('gone', { person: { user_id: 'gone' } }));
  const { person_id } = (await made.get('/v1/touchpoints/gone')).body;
  await made.ask('DELETE', `/v1/people/${person_id}`);
  return made;
}

test('each column of the list exists, and is listed once', () => {
  expect(listed.filter((name) => !columns.some((column) => column.name === name))).toEqual([]);
  expect(listed).toHaveLength(new Set(listed).size);
});

test('each column of bytes, or named for a hash, is in the list', () => {
  const bytes = columns.filter(({ type, column }) => /^_?bytea$/.test(type) || /hash(es)?$/.test(column));
  expect(bytes.length).toBeGreaterThan(10);
  expect(bytes.map(({ name }) => name).filter((name) => !listed.includes(name))).toEqual([]);
});

/** 16 digits or more. */
const HEX = /(?<![0-9a-f])[0-9a-f]{16,}(?![0-9a-f])/g;
const UUID_V7 = /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/;
const HOUR_MS = 3_600_000;

/** A UUID without dashes that was made just now: an id, and no hash. */
function isNewUuid(hex: string): boolean {
  return UUID_V7.test(hex) && Math.abs(Number.parseInt(hex.slice(0, 12), 16) - Date.now()) < HOUR_MS;
}

test('each column in whose text there is a hash is in the list', async () => {
  const texts = columns.filter(({ type }) => ['text', '_text', 'varchar', 'jsonb', 'json'].includes(type));
  const found: string[] = [];
  for (const [table, ofTable] of Map.groupBy(texts, (column) => column.table)) {
    const key = table === 'workspaces' ? 'id' : 'workspace_id';
    const rows = await rowsOf(`select to_jsonb(t) as content from ${table} t where ${key} = $1`, [
      workspace.id,
    ]);
    for (const { name, column } of ofTable) {
      const content = JSON.stringify(rows.map((row) => (row.content as Json)[column]));
      const hashes = (content.match(HEX) ?? []).filter((hex) => !isNewUuid(hex));
      if (hashes.length > 0) found.push(name);
    }
  }
  expect(found.filter((name) => !listed.includes(name))).toEqual([]);
  // The test has seen every hash in text that the list names, but one that only a long replay leaves.
  const types = new Map(columns.map(({ name, type }) => [name, type]));
  const inText = listed.filter(
    (name) => !/^_?int8$|^bytea$/.test(types.get(name) ?? '') && name !== 'link_cursors.item_id',
  );
  expect(found.sort()).toEqual(inText.sort());
});
