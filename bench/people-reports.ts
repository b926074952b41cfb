import { type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { advocacyStatement } from '../src/advocacy/advocacy-sql.ts';
import { cultivationStatement } from '../src/cultivation/cultivation-sql.ts';
import { HASH_JOINS, underReach } from '../src/db/client.ts';
import { REPORT_SETTINGS, REPORT_TIMEOUT_MS } from '../src/db/report-call.ts';
import { WORKSPACE_ID } from './funnel-data.ts';
import { median, type Progress, quantile, timesOf } from './measure.ts';
import { loadPeople, PEOPLE_DATA } from './people-data.ts';
import type { BenchWorld } from './world.ts';

const ROUNDS = 7;
const RANGES = [
  { from: '2026-01-01T00:00:00Z', to: '2026-04-01T00:00:00Z' },
  { from: '2026-02-01T00:00:00Z', to: '2026-03-01T00:00:00Z' },
];

/** The cultivation and advocacy reports over a million touchpoints, as the API sends them: one round trip each. */
export async function benchPeopleReports(world: BenchWorld, progress: Progress) {
  const name = 'reports on people';
  if (world.database === 'pglite') return { name, skipped: 'needs a real Postgres in DATABASE_URL' };
  const results = await world.inFreshDatabase(async (url) => {
    const loading = new pg.Client({ connectionString: url });
    loading.on('error', () => {});
    await loading.connect();
    try {
      progress(`people reports: loading ${PEOPLE_DATA.touchpoints} touchpoints`);
      await loadPeople(loading);
    } finally {
      // Settings made for loading must not apply to the measurement.
      await loading.end();
    }
    return measure(url, progress);
  });
  return { name, data: PEOPLE_DATA, results };
}

async function measure(url: string, progress: Progress) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    const results = [];
    for (const range of RANGES)
      for (const [report, statements] of Object.entries(reportsOf(range))) {
        progress(`people reports: ${report}, ${range.from.slice(0, 10)} to ${range.to.slice(0, 10)}`);
        const times = await timesOf(ROUNDS, 1, () => askAtOnce(client, statements));
        results.push({ report, ...range, median_ms: median(times), p95_ms: quantile(times, 0.95) });
      }
    return results;
  } finally {
    await client.end();
  }
}

function reportsOf(range: { from: string; to: string }): Record<string, SQL[]> {
  const question = {
    workspace_id: WORKSPACE_ID,
    currency: 'USD',
    workspace_currency: 'USD',
    workspace_timezone: 'UTC',
    goals: ['purchase'],
    now: '2026-10-01T00:00:00Z',
    ...range,
  };
  const landmark = { ...question, cultivation_goals: null, landmark_days: 14, horizon_days: 90 };
  return {
    cultivation: [cultivationStatement({ ...landmark, group_by: null })],
    'cultivation by channel': [cultivationStatement({ ...landmark, group_by: 'channel' })],
    'cultivation by goal': [cultivationStatement({ ...landmark, group_by: 'cultivation_goal' })],
    advocacy: [HASH_JOINS, advocacyStatement({ ...question, limit: 100 })],
  };
}

const dialect = new PgDialect();

const APPLICATION = underReach({ role: 'throughline_app', workspace_id: WORKSPACE_ID }, REPORT_TIMEOUT_MS);

/** In one transaction under the application's role, after its settings. */
async function askAtOnce(client: pg.Client, statements: readonly SQL[]): Promise<void> {
  for (const statement of [sql`begin`, APPLICATION, REPORT_SETTINGS, ...statements, sql`commit`]) {
    const { sql: text, params } = dialect.sqlToQuery(statement);
    await client.query(text, params);
  }
}
