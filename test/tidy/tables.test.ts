import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { describe, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../local/workerd.ts';
import * as accountTables from '../../src/db/account-tables.ts';
import * as conversationTables from '../../src/db/conversation-tables.ts';
import * as creditTables from '../../src/db/credit-tables.ts';
import * as eventTables from '../../src/db/event-tables.ts';
import * as moneyTables from '../../src/db/money-tables.ts';
import * as pageTables from '../../src/db/page-tables.ts';
import * as peopleTables from '../../src/db/people-tables.ts';
import * as reportTables from '../../src/db/report-tables.ts';
import * as workspaceTables from '../../src/db/workspace-tables.ts';

const schema = {
  ...workspaceTables,
  ...eventTables,
  ...peopleTables,
  ...pageTables,
  ...accountTables,
  ...conversationTables,
  ...moneyTables,
  ...reportTables,
  ...creditTables,
};

const MIGRATIONS = join(PROJECT_ROOT, 'migrations');

interface Journal {
  entries: { idx: number; tag: string; when: number }[];
}

const { entries } = readJson<Journal>('_journal.json');

const tables = Object.values(schema)
  .filter((value) => is(value, PgTable))
  .map((table) => getTableConfig(table));

/** The one index without a workspace: the workspace comes from the key. */
const WITHOUT_WORKSPACE = ['keys_token_hash'];

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(MIGRATIONS, 'meta', name), 'utf8')) as T;
}

type Snapshot = Parameters<typeof generateMigration>[0];

describe('migrations', () => {
  test('lead to the tables of the code; run `npm run generate` if not', async () => {
    const newest = `${String(entries.at(-1)?.idx).padStart(4, '0')}_snapshot.json`;
    const stored = readJson<Snapshot>(newest);
    const statements = await generateMigration(stored, generateDrizzleJson({ ...schema }));
    expect(statements).toEqual([]);
  });

  test('are listed in the order in which they were written: an older one would be passed over', () => {
    expect(entries.map(({ idx }) => idx)).toEqual(entries.map((_, i) => i));
    expect(entries.map(({ when }) => when)).toEqual(
      entries.map(({ when }) => when).toSorted((a, b) => a - b),
    );
    const files = readdirSync(MIGRATIONS).filter((file) => file.endsWith('.sql'));
    expect(files.toSorted()).toEqual(entries.map(({ tag }) => `${tag}.sql`));
  });
});

describe('tables', () => {
  test('belong to a workspace, but for the workspaces themselves', () => {
    const free = tables.filter(({ columns }) => !columns.some(({ name }) => name === 'workspace_id'));
    expect(free.map(({ name }) => name)).toEqual(['workspaces']);
  });

  test.for(tables.filter(({ name }) => name !== 'workspaces').map((table) => [table.name, table] as const))(
    '%s: the workspace leads every key, index and reference',
    ([name, { primaryKeys, indexes, uniqueConstraints, foreignKeys }]) => {
      expect(primaryKeys, `${name} has a composite primary key`).toHaveLength(1);
      const leaders = [
        ...primaryKeys.map(({ columns }) => ['primary key', columns[0]?.name]),
        ...uniqueConstraints.map((unique) => [unique.getName(), unique.columns[0]?.name]),
        ...indexes.map(({ config }) => [config.name, nameOf(config.columns[0])]),
        ...foreignKeys.map((key) => [key.getName(), key.reference().columns[0]?.name]),
      ];
      const others = leaders.filter(
        ([what, leader]) => leader !== 'workspace_id' && !WITHOUT_WORKSPACE.includes(String(what)),
      );
      expect(others).toEqual([]);
    },
  );
});

/** An index may lead with an expression, which has no name. */
function nameOf(column: object | undefined): string | undefined {
  return column && 'name' in column ? String(column.name) : undefined;
}
