import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { HASH_JOINS, underReach } from '../src/db/client.ts';
import { REPORT_SETTINGS } from '../src/db/report-call.ts';
import type { FunnelAnswer, FunnelQuestion } from '../src/funnels/funnel-question.ts';
import { funnelStatement, funnelSteps } from '../src/funnels/funnel-sql.ts';
import { type DataSet, DENSE, LARGE, loadTouchpoints, SKEWED, UNIFORM, WORKSPACE_ID } from './funnel-data.ts';
import { median } from './measure.ts';
import type { Note } from './progress.ts';
import { type KindsQuestion, usualFunnel } from './usual-funnel-sql.ts';
import type { BenchWorld } from './world.ts';

const KINDS = ['mention', 'reply', 'click', 'visit'];
const ABOUT = {
  wanted: 'ratio at most 1 on uniform, at most 1/3 on skewed and large',
  note:
    'ratio is relative to usual, the median of rounds in which each runs in turn. The usual SQL is one self-join per step with ' +
    'the window restarted at each step, so its counts are too high from step 3 on. counts is the time of the report for ' +
    'the same counts; report is the time of all of it: also the one chain of each person, its value and its seconds. ' +
    'usual_by_rows is the usual SQL with only the index (workspace_id, kind, occurred_at), as it would be without this ' +
    'project: usual reads kinds from an index that has every column of a step. ratio_by_rows is relative to that.',
};

/** The funnel report compared with the usual SQL for a funnel, over a million touchpoints. */
export function benchFunnel(world: BenchWorld, progress: Note) {
  return benchOver([UNIFORM, SKEWED], world, progress);
}

/** The same over ten million touchpoints: of ten times the people, and of the same people. */
export function benchLargeFunnel(world: BenchWorld, progress: Note) {
  return benchOver([LARGE, DENSE], world, progress);
}

async function benchOver(sets: DataSet[], world: BenchWorld, progress: Note) {
  const name = `funnel of ${KINDS.length} steps, ${sets.map((data) => data.name).join(' and ')}`;
  const results = [];
  // One database per data set, so that the rows of two sets are not interleaved.
  for (const data of sets)
    results.push(...(await world.inFreshDatabase((url) => benchData(data, url, progress))));
  return { name, ...ABOUT, results };
}

async function benchData(data: DataSet, databaseUrl: string, progress: Note) {
  const client = new pg.Client({ connectionString: databaseUrl });
  // Dropping a database ends its connections; the running statement fails anyway.
  client.on('error', () => {});
  await client.connect();
  try {
    progress(`funnel: loading ${data.touchpoints} touchpoints, ${data.name}`);
    await loadTouchpoints(client, data);
    await client.query('create index usual_kind on touchpoints (workspace_id, kind, occurred_at)');
  } finally {
    // Settings made for loading must not apply to the measurement.
    await client.end();
  }
  const results = [];
  for (const range of data.ranges)
    for (const days of data.windows_days) {
      const question = { workspace_id: WORKSPACE_ID, ...range, kinds: KINDS, window_seconds: days * 86_400 };
      const label = `funnel, ${data.name}, ${range.from.slice(0, 10)} to ${range.to.slice(0, 10)}, ${days} days`;
      const measured = await compareInTurn(databaseUrl, question, data.rounds, (round) =>
        progress(`${label}: ${round}`),
      );
      results.push({
        data: data.name,
        touchpoints: data.touchpoints,
        people: data.people,
        ...range,
        window_days: days,
        ...measured,
      });
    }
  return results;
}

/** The report, its counts alone (the result of the usual SQL), and the usual SQL, in turn. */
async function compareInTurn(databaseUrl: string, question: KindsQuestion, rounds: number, progress: Note) {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    const contenders = {
      report: () => askReport(client, question),
      counts: () => askCounts(client, question),
      usual: () => askUsual(client, question),
      usual_by_rows: () => askUsualByRows(client, question),
    };
    const names = Object.keys(contenders) as (keyof typeof contenders)[];
    const taken = names.map((name) => ({ name, ms: [] as number[], counts: [] as number[] }));
    for (let round = 0; round <= rounds; round++) {
      progress(`round ${round} of ${rounds}`);
      for (const one of round % 2 === 0 ? taken : taken.toReversed()) {
        const { ms, counts } = await timed(contenders[one.name]);
        one.counts = counts;
        // The first round warms caches and is not counted.
        if (round > 0) one.ms.push(ms);
      }
    }
    const ratioOf = (ms: number[], beside: keyof typeof contenders) => {
      const usual = taken.find(({ name }) => name === beside)?.ms ?? [];
      return median(ms.map((time, i) => time / (usual[i] ?? Number.NaN)));
    };
    return Object.fromEntries(
      taken.map(({ name, ms, counts }) => [
        name,
        {
          median_ms: median(ms),
          ratio: ratioOf(ms, 'usual'),
          ratio_by_rows: ratioOf(ms, 'usual_by_rows'),
          counts,
        },
      ]),
    );
  } finally {
    await client.end();
  }
}

async function timed(ask: () => Promise<number[]>): Promise<{ ms: number; counts: number[] }> {
  const started = performance.now();
  const counts = await ask();
  return { ms: performance.now() - started, counts };
}

/**
 * As the API sends it, under the application's role, but with a time-out of 10 minutes. The usual SQL has no such
 * lock.
 */
const APPLICATION = underReach({ role: 'throughline_app', workspace_id: WORKSPACE_ID }, 10 * 60_000);

/** One transaction, after its settings. */
async function askReport(client: pg.Client, question: KindsQuestion): Promise<number[]> {
  await client.query('begin');
  for (const settings of [APPLICATION, REPORT_SETTINGS, HASH_JOINS]) await send(client, settings);
  const [answer] = await send<FunnelAnswer>(client, funnelStatement(funnelOf(question)));
  await client.query('commit');
  return answer?.cells.map((cell) => cell.count) ?? [];
}

async function askCounts(client: pg.Client, question: KindsQuestion): Promise<number[]> {
  await client.query('begin');
  for (const settings of [APPLICATION, REPORT_SETTINGS, HASH_JOINS]) await send(client, settings);
  const rows = await send<{ count: number }>(
    client,
    sql`with ${funnelSteps(funnelOf(question))} select count from came order by step`,
  );
  await client.query('commit');
  return rows.map(({ count }) => count);
}

async function askUsual(client: pg.Client, question: KindsQuestion): Promise<number[]> {
  const [answer] = await send<{ counts: number[] }>(client, usualFunnel(question));
  return answer?.counts ?? [];
}

/** Without the index that has every column of a step; the rollback restores it. */
async function askUsualByRows(client: pg.Client, question: KindsQuestion): Promise<number[]> {
  await client.query('begin');
  await client.query('drop index touchpoints_kind');
  const counts = await askUsual(client, question);
  await client.query('rollback');
  return counts;
}

const dialect = new PgDialect();

async function send<R extends pg.QueryResultRow>(client: pg.Client, statement: SQL): Promise<R[]> {
  const { sql: text, params } = dialect.sqlToQuery(statement);
  return (await client.query<R>(text, params)).rows;
}

function funnelOf({ kinds, ...asked }: KindsQuestion): FunnelQuestion {
  return {
    ...asked,
    steps: kinds.map((kind) => ({ touchpoint: { kind: [kind] } })),
    order: 'ordered',
    entry: 'any',
    count: 'people',
    scope: 'person',
    hold: [],
    exclude: [],
    breakdown: null,
    currency: 'USD',
    workspace_currency: 'USD',
    workspace_timezone: 'UTC',
  };
}
