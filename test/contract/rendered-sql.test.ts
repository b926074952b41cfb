import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import { describe, expect, test } from 'vitest';
import type { ReportName } from '../../src/domain/settings.ts';
import { readQuery } from '../../src/http/query.ts';
import { reports } from '../../src/reports.ts';
import { type ReportContext, reportStatements } from '../../src/stats/report.ts';

/**
 * The whole statements of every report at a few settings, as SQL that can be read, compared and pasted into psql. A
 * changed fragment shows in the diff of `test/sql/rendered`. To update these files:
 * `npx vitest run test/contract/rendered-sql.test.ts -u`.
 */

const NOW = new Date('2026-06-15T12:00:00.000Z');

const WORKSPACE = {
  id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
  name: 'Acme',
  timezone: 'Europe/Berlin',
  currency: 'EUR',
  identity_storage: 'hashed',
  default_country: null,
  retention_days: null,
  accounts_from_email: false,
  business_hours: { days: { monday: { from: '09:00', to: '17:30' } }, holidays: ['2026-05-25'] },
  default_model: 'linear',
  trust_publishable_values: false,
};

const MONTH = 'from=2026-05-01&to=2026-06-01';
const FUNNEL = {
  from: '2026-05-01',
  to: '2026-06-01',
  steps: [
    { touchpoint: { kind: ['mention'] } },
    { touchpoint: { direction: ['outbound'] } },
    { conversion: { goal: ['purchase'] } },
  ],
  window_seconds: 604_800,
};
const HELD = {
  ...FUNNEL,
  hold: ['conversation'],
  exclude: [{ touchpoint: { kind: ['other'] }, after_step: 1, before_step: 3 }],
  breakdown: { by: ['channel'], at_step: 1 },
};

/** The file, the report, and its input: a query string or a body. */
const CASES: [file: string, report: ReportName, input: string | object][] = [
  ['attribution', 'attribution', `goal=purchase&${MONTH}&models=linear`],
  [
    'attribution-all-models',
    'attribution',
    `goal=purchase,trial&${MONTH}&models=first_touch,last_touch,last_non_direct,linear,time_decay,position_based,custom,w_shaped,full_path&weights=1,2,1&milestones=lead,opportunity&group_by=channel,campaign&interval=week&where[channel]=x,linkedin&where_conversion[properties.plan]=pro`,
  ],
  [
    'attribution-account-reset',
    'attribution',
    `goal=purchase&${MONTH}&models=linear&scope=account&journey=reset&lookback_days=30&currency=USD`,
  ],
  ['explanation', 'explanation', 'models=linear'],
  [
    'explanation-account-reset',
    'explanation',
    'models=w_shaped&milestones=lead,opportunity&scope=account&journey=reset&where[kind]=event',
  ],
  ['journeys', 'journeys', `goal=purchase&${MONTH}`],
  [
    'journeys-account',
    'journeys',
    `goal=purchase&${MONTH}&scope=account&collapse=false&min_touches=2&max_touches=9&group_by=channel,kind`,
  ],
  ['funnel-ordered', 'funnel', FUNNEL],
  ['funnel-ordered-held', 'funnel', HELD],
  ['funnel-ordered-completions', 'funnel', { ...FUNNEL, count: 'completions', entry: 'first' }],
  ['funnel-strict', 'funnel', { ...HELD, order: 'strict' }],
  [
    'funnel-any-held',
    'funnel',
    { ...HELD, order: 'any', count: 'completions', exclude: [{ touchpoint: { kind: ['other'] } }] },
  ],
  [
    'funnel-any-account',
    'funnel',
    { ...FUNNEL, order: 'any', scope: 'account', count: 'completions', compare: 'previous_period' },
  ],
  ['lifecycle', 'lifecycle', MONTH],
  ['conversations', 'conversations', MONTH],
  ['conversations-goal', 'conversations', `${MONTH}&goal=purchase&interval=week&group_by=channel,topic`],
  ['cultivation', 'cultivation', `goal=purchase&${MONTH}`],
  [
    'cultivation-goals',
    'cultivation',
    `goal=purchase&${MONTH}&cultivation_goal=follow,join&group_by=cultivation_goal`,
  ],
  ['cultivation-channel', 'cultivation', `goal=purchase&${MONTH}&group_by=channel`],
  ['advocacy', 'advocacy', `goal=purchase&${MONTH}`],
  ['roi', 'roi', `goal=purchase&${MONTH}&models=linear,time_decay`],
  ['roi-campaign', 'roi', `goal=purchase&${MONTH}&models=linear&group_by=channel,campaign&interval=month`],
  ['overview', 'overview', 'range=30d'],
];

const CONTEXT = { workspace: WORKSPACE, caller: { narrowing: null }, now: NOW } as unknown as ReportContext;

function statementsOf(name: ReportName, input: string | object): SQL[] {
  const report = reports[name];
  const query = readQuery(report.query, new URLSearchParams(typeof input === 'string' ? input : ''));
  const body = typeof input === 'string' ? undefined : report.body?.parse(input);
  return reportStatements(report, { params: { id: 'order-1' }, query, body }, CONTEXT).statements;
}

const dialect = new PgDialect();

/** The statement with its parameters replaced by their values; a nested one follows it. */
function rendered(statement: SQL): string {
  const { sql, params } = dialect.sqlToQuery(statement);
  const nested = params.findIndex(
    (value) => typeof value === 'string' && value.trimStart().startsWith('with '),
  );
  const inNested = nested === -1 ? [] : [nested, nested + 1];
  const text = sql.replaceAll(/\$(\d+)/g, (_, n: string) => {
    const place = Number(n) - 1;
    if (!inNested.includes(place)) return literal(params[place]);
    return quoted(place === nested ? 'the statement below' : 'its parameters');
  });
  const values = params[nested + 1] as unknown[];
  const below =
    nested === -1 ? '' : `\n-- The nested statement.\n${renderedNested(String(params[nested]), values)}`;
  return `${indented(text)};\n${below}`;
}

function renderedNested(text: string, values: readonly unknown[]): string {
  const filled = text.replaceAll(/\(\$1\)\[(\d+)\]/g, (_, n: string) => literal(values[Number(n) - 1]));
  return `${indented(filled)};\n`;
}

const CLAUSE = /^(with|select|from|where|group|having|window|order|limit|offset|union|join|left|cross|\))/;

/**
 * Indents each line by its depth of parentheses, because fragments do not know where they are used; clauses stand out.
 */
function indented(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  let depth = 0;
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const closing = line.match(/^\)+/)?.[0].length ?? 0;
      const indent = depth - closing + (CLAUSE.test(line) ? 0 : 1);
      depth += line.split('(').length - line.split(')').length;
      return '  '.repeat(Math.max(0, indent)) + line;
    })
    .join('\n');
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return quoted(`{${value.map((one) => JSON.stringify(one)).join(',')}}`);
  return typeof value === 'number' ? String(value) : quoted(String(value));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

describe('the statements of reports are as committed', () => {
  test.for(CASES)('%s', async ([file, name, input]) => {
    const statements = statementsOf(name, input);
    await expect(statements.map(rendered).join('\n')).toMatchFileSnapshot(`../sql/rendered/${file}.sql`);
  });

  test('every report has one', () => {
    expect(Object.keys(reports).filter((name) => !CASES.some(([, report]) => report === name))).toEqual([]);
  });
});
