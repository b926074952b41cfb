import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type pg from 'pg';
import type { BackendQuery } from '../../local/sql-backend.ts';
import type { PlanFacts } from './results.ts';

/** The statements of one transaction of the Worker. */
export interface Transaction {
  /** They set the role, the workspace and the planner, and take a slot. */
  before: BackendQuery[];
  /** What is timed. */
  statements: BackendQuery[];
}

const IS_SETTING = /^\s*select (set_config|begin_report|refuse_unsafe_role)\(/;

export function transactionOf(queries: readonly BackendQuery[]): Transaction {
  const found = queries.findIndex(({ query }) => !IS_SETTING.test(query));
  const first = found === -1 ? queries.length : found;
  if (!queries[0]?.query.includes("set_config('role'")) throw new Error('the Worker did not set a role');
  return { before: queries.slice(0, first), statements: queries.slice(first) };
}

/** The same by the owner of the tables, who sees the rows of all workspaces. */
export function withoutRole({ before, statements }: Transaction): Transaction {
  return { before: before.slice(1), statements };
}

/** A statement was cancelled by its time-out. */
export class Cancelled extends Error {
  override name = 'Cancelled';
}

/** The SQLSTATE of a statement that was cancelled. */
const CANCELLED = '57014';

/** Runs the transaction. Returns the milliseconds that its statements took. @throws Cancelled */
export async function replay(client: pg.Client, { before, statements }: Transaction): Promise<number> {
  return inTransaction(client, before, async () => {
    const started = performance.now();
    for (const { query, params } of statements) await client.query(query, params);
    return performance.now() - started;
  });
}

/** Runs the transaction and explains its statements. @throws Cancelled */
export async function explain(
  client: pg.Client,
  { before, statements }: Transaction,
): Promise<{ facts: PlanFacts; plans: unknown[]; ms: number }> {
  return inTransaction(client, before, async () => {
    const started = performance.now();
    const plans: Explained[] = [];
    for (const { query, params } of statements) {
      const { rows } = await client.query<{ 'QUERY PLAN': [Explained] }>(
        `explain (analyze, buffers, timing off, format json) ${query}`,
        params,
      );
      if (rows[0]) plans.push(...rows[0]['QUERY PLAN']);
    }
    return { facts: factsOf(plans), plans, ms: performance.now() - started };
  });
}

async function inTransaction<T>(
  client: pg.Client,
  before: readonly BackendQuery[],
  use: () => Promise<T>,
): Promise<T> {
  await client.query('begin');
  try {
    for (const { query, params } of before) await client.query(query, params);
    const result = await use();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    if ((error as { code?: string }).code === CANCELLED) throw new Cancelled();
    throw error;
  }
}

const dialect = new PgDialect();

/** Runs one statement as it is. Returns its rows and the milliseconds that it took. @throws Cancelled */
export async function send<R extends pg.QueryResultRow>(
  client: pg.Client,
  statement: SQL,
): Promise<{ rows: R[]; ms: number }> {
  const { sql: text, params } = dialect.sqlToQuery(statement);
  const started = performance.now();
  try {
    const { rows } = await client.query<R>(text, params);
    return { rows, ms: performance.now() - started };
  } catch (error) {
    if ((error as { code?: string }).code === CANCELLED) throw new Cancelled();
    throw error;
  }
}

/** What `explain` says of one statement. */
interface Explained {
  Plan: PlanNode;
  'Planning Time': number;
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  'Temp Written Blocks': number;
  Plans?: PlanNode[];
}

/** Fewer rows are not worth an index. */
const FEW_ROWS = 10_000;

/** The counts of a node include those of the nodes below it. */
function factsOf(plans: readonly Explained[]): PlanFacts {
  const sum = (of: (plan: Explained) => number) => plans.reduce((total, plan) => total + of(plan), 0);
  const whole = new Map<string, number>();
  for (const node of plans.flatMap(({ Plan }) => nodesOf(Plan))) {
    const rows = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
    const table = node['Relation Name'];
    if (node['Node Type'] === 'Seq Scan' && table !== undefined && rows >= FEW_ROWS)
      whole.set(table, (whole.get(table) ?? 0) + rows);
  }
  return {
    planning_ms: sum((plan) => plan['Planning Time']),
    hit: sum(({ Plan }) => Plan['Shared Hit Blocks']),
    read: sum(({ Plan }) => Plan['Shared Read Blocks']),
    spilled: sum(({ Plan }) => Plan['Temp Written Blocks']),
    whole: [...whole].map(([table, rows]) => ({ table, rows })),
  };
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
