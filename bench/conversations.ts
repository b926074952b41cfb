import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import pg from 'pg';
import {
  type ConversationReportQuestion,
  conversationStatement,
} from '../src/conversations/conversation-report-sql.ts';
import { type ConversationFilter, selectConversations } from '../src/conversations/conversation-sql.ts';
import { underReach } from '../src/db/client.ts';
import { REPORT_SETTINGS, REPORT_TIMEOUT_MS } from '../src/db/report-call.ts';
import { loadThreads, THREADS_WORKSPACE_ID as WORKSPACE_ID } from './conversation-data.ts';
import { median, type Progress, timesOf } from './measure.ts';
import type { BenchWorld } from './world.ts';

const RUNS = 7;
const WARMUP = 2;

const PAGE: ConversationFilter = {
  state: 'waiting',
  last_before: null,
  from: null,
  to: null,
  channels: null,
  person_id: null,
  account_id: null,
  order: 'newest',
};

const REPORT: ConversationReportQuestion = {
  workspace_id: WORKSPACE_ID,
  currency: 'USD',
  workspace_currency: 'USD',
  workspace_timezone: 'UTC',
  goals: [],
  from: '2026-01-01T00:00:00Z',
  to: '2026-04-01T00:00:00Z',
  timezone: 'UTC',
  interval: null,
  group_by: ['channel'],
  where: {},
  horizon_days: 30,
  limit: 1000,
  business_hours: null,
  now: '2026-08-01T00:00:00Z',
};

const OFFICE = { from: '09:00', to: '17:30' };
const BUSINESS_HOURS = {
  timezone: 'Europe/Berlin',
  days: { monday: OFFICE, tuesday: OFFICE, wednesday: OFFICE, thursday: OFFICE, friday: OFFICE },
  holidays: ['2026-01-01'],
};

/** One statement each, as the API sends it. */
const STATEMENTS: Record<string, SQL> = {
  'report by channel': conversationStatement(REPORT),
  'report by channel and week': conversationStatement({ ...REPORT, interval: 'week' }),
  'report by channel, one month': conversationStatement({ ...REPORT, from: '2026-03-01T00:00:00Z' }),
  'report by channel, in business hours': conversationStatement({
    ...REPORT,
    business_hours: BUSINESS_HOURS,
  }),
  'report by channel, with buckets': conversationStatement({ ...REPORT, goals: ['purchase'] }),
  'report with all of it': conversationStatement({
    ...REPORT,
    interval: 'week',
    goals: ['purchase'],
    business_hours: BUSINESS_HOURS,
  }),
  'who waits, newest first': selectConversations(WORKSPACE_ID, PAGE, null, 100),
  'who waits, longest first, longer than a month': selectConversations(
    WORKSPACE_ID,
    { ...PAGE, order: 'oldest', last_before: new Date('2026-03-01T00:00:00Z') },
    null,
    100,
  ),
  'who waits, on one channel': selectConversations(WORKSPACE_ID, { ...PAGE, channels: ['email'] }, null, 100),
  'who waits, on a channel that is nobody’s': selectConversations(
    WORKSPACE_ID,
    { ...PAGE, channels: ['fax'] },
    null,
    100,
  ),
};

/** The conversation report and the list of waiting conversations, over a million touchpoints in threads. */
export async function benchConversations(world: BenchWorld, progress: Progress) {
  const name = 'conversations of 1,000,000 touchpoints';
  if (world.database === 'pglite') return { name, skipped: 'needs a real Postgres in DATABASE_URL' };
  return world.inFreshDatabase(async (url) => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    try {
      progress('conversations: loading');
      const counts = await loadThreads(client);
      const results = [];
      for (const [label, statement] of Object.entries(STATEMENTS)) {
        progress(`conversations: ${label}`);
        const settings = label.startsWith('report') ? [REPORT_SETTINGS] : [];
        const times = await timesOf(RUNS, WARMUP, () => ask(client, [...settings, statement]));
        results.push({ label, median_ms: median(times), max_ms: Math.max(...times) });
      }
      return { name, ...counts, results };
    } finally {
      await client.end();
    }
  });
}

const dialect = new PgDialect();

const APPLICATION = underReach({ role: 'throughline_app', workspace_id: WORKSPACE_ID }, REPORT_TIMEOUT_MS);

async function ask(client: pg.Client, statements: readonly SQL[]): Promise<void> {
  await client.query('begin');
  for (const statement of [APPLICATION, ...statements]) {
    const { sql: text, params } = dialect.sqlToQuery(statement);
    await client.query(text, params);
  }
  await client.query('commit');
}
