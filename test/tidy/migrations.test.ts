import { describe, expect, test } from 'vitest';
import { WITHOUT_TRANSACTION } from '../../local/migrator.ts';
import { textOf } from './project-files.ts';

/** Migrations after release 0.1.0 expand the schema while requests are served. A contract is announced. */

interface Contract {
  migration: string;
  /** As in the message of the test: lower case, without quotes. */
  statement: string;
  /** The newest release that needs what the statement removes. */
  last_needed_by: string;
  /** The newest migration of the release after that one. */
  oldest_supported: string;
}

const { entries } = JSON.parse(textOf('migrations/meta/_journal.json')) as {
  entries: { idx: number; tag: string; when: number }[];
};
const contracts = JSON.parse(textOf('migrations/contracts.json')) as Contract[];
const releases = JSON.parse(textOf('migrations/releases.json')) as { version: string }[];

/** The newest migration of release 0.1.0. */
const BASELINE = 2;

interface Statement {
  migration: string;
  isMarked: boolean;
  text: string;
}

const statements: Statement[] = entries
  .filter(({ idx }) => idx > BASELINE)
  .flatMap(({ tag }) => statementsIn(tag, textOf(`migrations/${tag}.sql`)));

/** Without comments, quotes and the bodies of functions, in lower case, with one space between words. */
function statementsIn(migration: string, file: string): Statement[] {
  const isMarked = file.split('\n')[0] === WITHOUT_TRANSACTION;
  return file
    .split('--> statement-breakpoint')
    .map((part) => part.replaceAll(/--.*/g, ''))
    .map((part) => (/^\s*do\b/i.test(part) ? part : part.replaceAll(/\$(\w*)\$.*?\$\1\$/gs, '')))
    .flatMap((part) => part.split(';'))
    .map((part) => part.replaceAll('"', '').replaceAll(/\s+/g, ' ').trim().toLowerCase())
    .filter((text) => text !== '')
    .map((text) => ({ migration, isMarked, text }));
}

const LARGE =
  '(?:only )?(?:public\\.)?(?:touchpoints|conversions|adjustments|identities|identity_links|person_updates)\\b';
/** Each locks a large table against writes for as long as it reads it. */
const LOCKS_LARGE_TABLE = [
  new RegExp(`\\bcreate (?:unique )?index (?!concurrently\\b).*?\\bon ${LARGE}`),
  new RegExp(
    `\\balter table (?:if exists )?${LARGE}.* add (?:constraint \\w+ )?(?:unique|primary key)(?! using index)`,
  ),
];

/** Each breaks a release that still uses the thing, or that does not know the new rule. */
const CONTRACTS = [
  /\bdrop (?:table|view|materialized view|type|schema|sequence|function|aggregate|procedure|routine) /,
  /\balter table .*\bdrop (?!constraint |default\b|not null\b|expression\b|identity\b)/,
  /\balter \w+ .*\brename /,
  /\balter table .*\balter (?:column )?\w+ (?:set data )?type /,
  /\balter table .*\balter (?:column )?\w+ set not null/,
  /\balter table .*\badd (?:column )(?!.*\b(?:default|generated)\b).*\bnot null\b/,
];

const isContract = ({ text }: Pick<Statement, 'text'>) => CONTRACTS.some((pattern) => pattern.test(text));
const locksLargeTable = ({ text }: Pick<Statement, 'text'>) =>
  LOCKS_LARGE_TABLE.some((pattern) => pattern.test(text));

const shown = ({ migration, text }: Statement) => `${migration}: ${text.slice(0, 200)}`;

describe('a migration', () => {
  test('makes indexes of large tables concurrently', () => {
    expect(statements.filter(locksLargeTable).map(shown)).toEqual([]);
  });

  test(`has the mark \`${WITHOUT_TRANSACTION}\` if and only if it consists of statements that can be repeated`, () => {
    const repeatable = /^(create (unique )?index concurrently |drop index concurrently if exists )/;
    const wrong = statements.filter(({ isMarked, text }) => isMarked !== repeatable.test(text));
    expect(wrong.map(shown)).toEqual([]);
  });

  test('announces in migrations/contracts.json what it takes away', () => {
    const announced = new Set(contracts.map(({ migration, statement }) => `${migration}: ${statement}`));
    expect(
      statements
        .filter(isContract)
        .map(shown)
        .filter((one) => !announced.has(one)),
    ).toEqual([]);
  });
});

describe('a contract', () => {
  test('takes away what the release before last needed, and no later one', () => {
    const versions = releases.map(({ version }) => version);
    const early = contracts.filter(({ last_needed_by }) => !versions.slice(0, -1).includes(last_needed_by));
    expect(early).toEqual([]);
  });

  test('is in a migration, and raises oldest_supported_migration()', () => {
    const written = new Set(statements.map(shown));
    const absent = contracts.filter(({ migration, statement }) => !written.has(`${migration}: ${statement}`));
    expect(absent).toEqual([]);
    const when = (tag: string) => entries.find((entry) => entry.tag === tag)?.when ?? Number.NaN;
    const oldest = ['0002_locks', ...contracts.map(({ oldest_supported }) => oldest_supported)].map(when);
    const text = textOf('migrations/functions/oldest_supported_migration.sql');
    expect(text).toMatch(new RegExp(`^ {2}select ${Math.max(...oldest)}$`, 'm'));
  });
});

describe('the rules above', () => {
  const parsed = (sql: string) => statementsIn('m', sql);

  test.for([
    'CREATE INDEX "i" ON "touchpoints" USING btree ("workspace_id");',
    'create unique index if not exists i on only public.conversions (workspace_id)',
    'ALTER TABLE "identities" ADD CONSTRAINT "u" UNIQUE("workspace_id","id");',
    "do $$ begin execute 'create index i on adjustments (id)'; end $$",
  ])('a large table is locked by: %s', (sql) => {
    expect(parsed(sql).some(locksLargeTable)).toBe(true);
  });

  test.for([
    'create index concurrently i on touchpoints (workspace_id)',
    'create index i on goals (workspace_id)',
    'alter table conversions add constraint u unique using index i',
  ])('no large table is locked by: %s', (sql) => {
    expect(parsed(sql).some(locksLargeTable)).toBe(false);
  });

  test.for([
    'DROP TABLE "spend";',
    'ALTER TABLE "spend" DROP COLUMN "campaign";',
    'alter table spend drop campaign',
    'alter table spend\n  rename column campaign to name',
    'alter table spend rename to costs',
    'drop function if exists account_at(uuid)',
    'alter table spend alter column amount set data type text',
    'alter table spend alter column campaign set not null',
    'ALTER TABLE "spend" ADD COLUMN "place" text NOT NULL;',
  ])('a contract is: %s', (sql) => {
    expect(parsed(sql).some(isContract)).toBe(true);
  });

  test.for([
    'ALTER TABLE "spend" ADD COLUMN "place" text;',
    'ALTER TABLE "spend" ADD COLUMN "place" text DEFAULT \'\' NOT NULL;',
    'alter table spend alter column campaign drop not null',
    'alter table spend drop constraint spend_check',
    'create table t (a int not null)',
    'create or replace function f() returns void language sql as $$ drop table spend $$',
    '-- alter table spend drop column campaign\nselect 1',
  ])('no contract is: %s', (sql) => {
    expect(parsed(sql).some(isContract)).toBe(false);
  });
});
