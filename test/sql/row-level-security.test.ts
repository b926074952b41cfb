import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { needWorld, TestWorkspace, world } from '../support/api.ts';
import { keepSums } from '../support/credit-sums.ts';
import { codeOf, rowsOf, under } from '../support/tables.ts';

/**
 * The second lock alone: even if a statement names no workspace, the role that requests run under sees and writes only
 * rows of the workspace that its transaction named.
 */

needWorld();

/** Requests may insert into this table and read it, and nothing else. */
const APPEND_ONLY = 'audit_log';

interface Table {
  name: string;
  /** The column of the workspace. */
  column: string;
}

let tables: Table[] = [];
let ours: TestWorkspace;
let theirs: TestWorkspace;

beforeAll(async () => {
  if (world.missing !== null) return;
  const rows = await rowsOf(
    `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
    [],
  );
  tables = rows.map(({ name }) => ({
    name: String(name),
    column: name === 'workspaces' ? 'id' : 'workspace_id',
  }));
  [ours, theirs] = [await filled(), await filled()];
});

/** Only a replay of more than 1,000 links leaves a cursor, and the hourly run of another test file removes it. */
const keepCursor = ({ id }: TestWorkspace) =>
  rowsOf(
    `insert into link_cursors (workspace_id, identity_id, precedence, occurred_at, item_id, resource, link_id)
     values ($1, 0, 0, now(), 'p', 'people', '') on conflict do nothing`,
    [id],
  );

/** Requests read these tables and add to them, and that is all. */
const ONLY_ADDED_TO = ['identity_keys', 'audit_log'];

/** A workspace with a row in every table. */
async function filled(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  await workspace.goal('purchase');
  const person = { email: 'ann@acme.example', user_id: 'ann' };
  await workspace.touchpoints(
    {
      id: 't',
      kind: 'message',
      direction: 'inbound',
      channel: 'x',
      person,
      conversation: { id: 'c' },
      account: { id: 'acme', domain: 'acme.example' },
    },
    { id: 'wrong' },
  );
  await workspace.conversions({ id: 's', goal: 'purchase', person, value: 1 });
  await workspace.post('/v1/conversions/s/adjustments', { id: 'a', kind: 'restatement', value: 2 });
  await workspace.load('people', [{ id: 'p', person, traits: { name: 'Ann' } }]);
  await workspace.load('spend', [{ id: 'x', from: '2025-06-01', to: '2025-06-02', amount: 1 }]);
  await workspace.post('/v1/spend', {
    spend: [{ id: 'x', from: '2025-06-01', to: '2025-06-02', amount: 2 }],
  });
  const rates = [{ date: '2025-06-01', from: 'EUR', to: 'USD', rate: 1.1 }];
  await workspace.ask('PUT', '/v1/fx-rates', { body: { rates } });
  const steps = [{ touchpoint: { kind: ['message'] } }, { conversion: { goal: ['purchase'] } }];
  await workspace.ask('PUT', '/v1/funnels/f', { body: { name: 'F', steps, window_seconds: 60 } });
  const other = { id: 'gone', kind: 'visit', channel: 'x', person: { user_id: 'gone' } };
  await workspace.touchpoints(other);
  const { person_id } = (await workspace.get('/v1/touchpoints/gone')).body;
  await workspace.ask('DELETE', `/v1/people/${person_id}`);
  // Only items of pages are replaced, and only their keys are counted.
  await rowsOf(
    `insert into replaced_items (workspace_id, resource, id, occurred_at, was)
     values ($1, 'touchpoints', 'r', now(), '{}')`,
    [workspace.id],
  );
  await rowsOf(`insert into key_usage (workspace_id, key_id, day, slot) values ($1, 'k', current_date, 1)`, [
    workspace.id,
  ]);
  await keepSums(workspace);
  await keepCursor(workspace);
  // Only a report of more than ten seconds is remembered as slow.
  await rowsOf(
    `insert into slow_reports (workspace_id, question, until_at) values ($1, '\\x00', now() + interval '1 minute')`,
    [workspace.id],
  );
  return workspace;
}

describe('the catalog', () => {
  test('has no table that is not locked: enabled, forced, with the one policy of requests, two for the log', async () => {
    const rows = await rowsOf(
      `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as is_locked, (
         select array_agg(concat_ws(' ', p.policyname, p.cmd, p.qual, p.with_check) order by p.policyname) from pg_policies p
         where p.tablename = c.relname and 'throughline_app' = any (p.roles)
       ) as policies
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`,
      [],
    );
    expect(rows.length).toBeGreaterThan(20);
    for (const { name, is_locked, policies } of rows) {
      const column = name === 'workspaces' ? 'id' : 'workspace_id';
      const holds = `(${column} = ( SELECT workspace_in_force() AS workspace_in_force))`;
      expect({ name, is_locked, policies }).toEqual({
        name,
        is_locked: true,
        policies:
          name === APPEND_ONLY
            ? [`workspace_append INSERT ${holds}`, `workspace_read SELECT ${holds}`]
            : [`workspace_only ALL ${holds} ${holds}`],
      });
    }
  });

  test('has roles that can not log in, own nothing and bypass nothing', async () => {
    const rows = await rowsOf(
      `select r.rolname as name, r.rolsuper or r.rolbypassrls or r.rolcanlogin or r.rolcreaterole or r.rolcreatedb
         or exists (select from pg_class c where c.relowner = r.oid) as is_strong
       from pg_roles r where r.rolname like 'throughline\\_%' and r.rolname in ('throughline_app', 'throughline_lookup', 'throughline_rotation', 'throughline_upkeep')
       order by 1`,
      [],
    );
    expect(rows).toEqual([
      { name: 'throughline_app', is_strong: false },
      { name: 'throughline_lookup', is_strong: false },
      { name: 'throughline_rotation', is_strong: false },
      { name: 'throughline_upkeep', is_strong: false },
    ]);
  });
});

describe('a request of one workspace', { retry: 2 }, () => {
  beforeEach(async () => {
    if (world.missing === null) await Promise.all([keepCursor(ours), keepCursor(theirs)]);
  });

  test('sees its own rows of every table, and none of the other, without a word about workspaces', async () => {
    for (const { name, column } of tables) {
      const rows = await under({ workspace_id: ours.id }, [
        `select ${column}::text as workspace_id, count(*)::int as rows from ${name} group by 1`,
      ]);
      expect({ name, rows }).toEqual({ name, rows: [{ workspace_id: ours.id, rows: expect.any(Number) }] });
    }
  });

  test('changes and deletes no row of the other', async () => {
    const counts = async () =>
      Promise.all(
        tables.map(async ({ name, column }) =>
          rowsOf(
            `select count(*)::int as rows, md5(string_agg(t::text, '' order by t::text)) as content from ${name} t where ${column} = $1`,
            [theirs.id],
          ),
        ),
      );
    const before = await counts();
    for (const { name, column } of tables.filter((table) => !ONLY_ADDED_TO.includes(table.name))) {
      const changed = await under({ workspace_id: ours.id }, [
        `with changed as (update ${name} set ${column} = ${column} where ${column} = $1 returning 1) select count(*)::int as rows from changed`,
        [theirs.id],
      ]);
      const deleted = await under({ workspace_id: ours.id }, [
        `with deleted as (delete from ${name} where ${column} = $1 returning 1) select count(*)::int as rows from deleted`,
        [theirs.id],
      ]);
      expect([name, changed, deleted]).toEqual([name, [{ rows: 0 }], [{ rows: 0 }]]);
    }
    expect(await counts()).toEqual(before);
  });

  test('changes and deletes no row of the tables that are only added to, not even its own', async () => {
    for (const name of ONLY_ADDED_TO) {
      const reach = { workspace_id: ours.id };
      expect(await codeOf(under(reach, [`update ${name} set workspace_id = workspace_id`]))).toBe('42501');
      expect(await codeOf(under(reach, [`delete from ${name}`]))).toBe('42501');
    }
  });

  test('can not write a row into the other: refused with 42501', async () => {
    for (const { name, column } of tables) {
      const moved = under({ workspace_id: ours.id }, [`update ${name} set ${column} = $1`, [theirs.id]]);
      expect([name, await codeOf(moved)]).toEqual([name, '42501']);
    }
    const inserted = under({ workspace_id: ours.id }, [
      `insert into people (workspace_id, id) values ($1, gen_random_uuid())`,
      [theirs.id],
    ]);
    expect(await codeOf(inserted)).toBe('42501');
  });

  test('can not take the lock off, or go back to the role that logged in', async () => {
    const reach = { workspace_id: ours.id };
    expect(await codeOf(under(reach, ['alter table touchpoints disable row level security']))).toBe('42501');
    expect(await codeOf(under(reach, ['drop policy workspace_only on touchpoints']))).toBe('42501');
    expect(await codeOf(under(reach, ['create table mine (id int)']))).toBe('42501');
  });
});

test('without a workspace there are no rows at all', async () => {
  for (const { name } of tables) {
    const rows = await under({ workspace_id: '' }, [`select count(*)::int as rows from ${name}`]);
    expect([name, rows]).toEqual([name, [{ rows: 0 }]]);
  }
});

test('the role that looks keys up reads keys, workspaces and their wrapped keys, and writes nothing', async () => {
  const reach = { role: 'throughline_lookup', workspace_id: '' };
  for (const { name } of tables) {
    const isKnown = ['keys', 'workspaces', 'identity_keys'].includes(name);
    expect([name, await codeOf(under(reach, [`select from ${name} limit 1`]))]).toEqual([
      name,
      isKnown ? 'allowed' : '42501',
    ]);
    expect([name, await codeOf(under(reach, [`delete from ${name}`]))]).toEqual([name, '42501']);
  }
});

test('the role of the hourly run deletes what may be past its days, and changes nothing else', async () => {
  const reach = { role: 'throughline_upkeep', workspace_id: '' };
  const deletes = [
    'touchpoints',
    'conversions',
    'adjustments',
    'rejections',
    'conversations',
    'key_usage',
    'replaced_items',
  ];
  for (const { name } of tables) {
    const tried = under(reach, [`delete from ${name} where false`]);
    expect([name, await codeOf(tried)]).toEqual([name, deletes.includes(name) ? 'allowed' : '42501']);
  }
  expect(await codeOf(under(reach, ['update touchpoints set kind = kind']))).toBe('42501');
  expect(await codeOf(under(reach, ['update adjustments set kind = kind']))).toBe('42501');
  expect(await codeOf(under(reach, ['update adjustments set waiting_since = null where false']))).toBe(
    'allowed',
  );
});

test('the role of the hourly run removes values of identities where storage is hashed, and does no more to them', async () => {
  const reach = { role: 'throughline_upkeep', workspace_id: '' };
  const valuesOf = (id: string) =>
    under(reach, ['select value from identities where workspace_id = $1', [id]]);
  expect(await valuesOf(ours.id)).toEqual([]);
  await rowsOf(`update workspaces set identity_storage = 'hashed' where id = $1`, [theirs.id]);
  expect(await valuesOf(theirs.id)).not.toEqual([]);
  for (const change of [`value = 'x'`, 'person_id = person_id', 'value_hash = value_hash'])
    expect([change, await codeOf(under(reach, [`update identities set ${change}`]))]).toEqual([
      change,
      '42501',
    ]);
  for (const column of ['value_hash', 'person_id', 'namespace'])
    expect([column, await codeOf(under(reach, [`select ${column} from identities`]))]).toEqual([
      column,
      '42501',
    ]);
  await under(reach, ['update identities set value = null where workspace_id = $1', [theirs.id]]);
  const left = 'select count(*)::int as rows from identities where workspace_id = $1 and value is not null';
  expect(await rowsOf(left, [theirs.id])).toEqual([{ rows: 0 }]);
  expect(await rowsOf(left, [ours.id])).not.toEqual([{ rows: 0 }]);
});

test('the role that rotates secrets reads workspaces, adds and removes wrapped keys, and knows nothing else', async () => {
  const reach = { role: 'throughline_rotation', workspace_id: '' };
  for (const { name, column } of tables) {
    const isKnown = name === 'identity_keys';
    const read = await codeOf(under(reach, [`select from ${name} limit 1`]));
    const removed = await codeOf(under(reach, [`delete from ${name} where false`]));
    const changed = await codeOf(under(reach, [`update ${name} set ${column} = ${column} where false`]));
    expect([name, read, removed, changed]).toEqual([
      name,
      isKnown || name === 'workspaces' ? 'allowed' : '42501',
      isKnown ? 'allowed' : '42501',
      '42501',
    ]);
  }
});
