import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { BackendQuery } from '../local/sql-backend.ts';
import { loadThreads, THREADS_WORKSPACE_ID } from './conversation-data.ts';
import { WORKSPACE_ID } from './funnel-data.ts';
import { median, type Progress, timesOf } from './measure.ts';
import { loadPeople, PEOPLE_DATA } from './people-data.ts';
import type { BenchWorld } from './world.ts';

const ROUNDS = 5;

const QUARTER = 'from=2026-01-01&to=2026-04-01';
const MONTH = 'from=2026-03-01&to=2026-04-01';
const FUNNEL = {
  from: '2026-03-01',
  to: '2026-04-01',
  steps: ['mention', 'reply', 'click', 'visit'].map((kind) => ({ touchpoint: { kind: [kind] } })),
  window_seconds: 7 * 86_400,
};

interface Asked {
  method: string;
  path: string;
  body?: unknown;
}

const get = (path: string): Asked => ({ method: 'GET', path });

/** Every report, requested as a frontend would, and the other operations that read by ids. */
const ofPeople = (personId: string): Record<string, Asked> => ({
  attribution: get(
    `/v1/reports/attribution?goal=purchase&${MONTH}&models=linear,time_decay&group_by=channel`,
  ),
  'attribution, a quarter': get(
    `/v1/reports/attribution?goal=purchase&${QUARTER}&models=linear,time_decay&group_by=channel`,
  ),
  'attribution of accounts': get(
    `/v1/reports/attribution?goal=purchase&${MONTH}&models=linear&group_by=channel&scope=account`,
  ),
  explanation: get('/v1/conversions/c-100/explanation'),
  journeys: get(`/v1/reports/journeys?goal=purchase&${MONTH}&group_by=channel`),
  funnel: { method: 'POST', path: '/v1/reports/funnel', body: FUNNEL },
  'funnel, strict': { method: 'POST', path: '/v1/reports/funnel', body: { ...FUNNEL, order: 'strict' } },
  'funnel, in any order': { method: 'POST', path: '/v1/reports/funnel', body: { ...FUNNEL, order: 'any' } },
  'funnel by channel': {
    method: 'POST',
    path: '/v1/reports/funnel',
    body: { ...FUNNEL, breakdown: { at_step: 1, by: ['channel'] } },
  },
  'people of a funnel': {
    method: 'POST',
    path: '/v1/reports/funnel/people',
    body: { ...FUNNEL, step: 2, state: 'reached' },
  },
  lifecycle: get(`/v1/reports/lifecycle?${MONTH}`),
  cultivation: get(`/v1/reports/cultivation?goal=purchase&${MONTH}`),
  advocacy: get(`/v1/reports/advocacy?goal=purchase&${MONTH}`),
  roi: get(`/v1/reports/roi?goal=purchase&${MONTH}&models=linear&group_by=channel`),
  overview: get(`/v1/reports/overview?${MONTH}`),
  'list of touchpoints': get('/v1/touchpoints?limit=100'),
  'list of touchpoints of a kind': get('/v1/touchpoints?limit=100&where[kind]=demo'),
  'list of touchpoints of a person': get(`/v1/touchpoints?limit=100&person_id=${personId}`),
  'list of conversions': get('/v1/conversions?limit=100'),
  'a person': get(`/v1/people/${personId}`),
  'timeline of a person': get(`/v1/people/${personId}/timeline?limit=100`),
  'export of a person': get(`/v1/people/${personId}/export`),
  'an account': get('/v1/accounts/a-100'),
  'timeline of an account': get('/v1/accounts/a-100/timeline?limit=100'),
});
const ofThreads = (personId: string): Record<string, Asked> => ({
  conversations: get(`/v1/reports/conversations?${MONTH}&group_by=channel`),
  'conversations, what they bring': get(`/v1/reports/conversations?${MONTH}&group_by=channel&goal=purchase`),
  'list of conversations that wait': get('/v1/conversations?state=waiting&limit=100'),
  'list of conversations of a person': get(`/v1/conversations?person_id=${personId}&limit=100`),
  'a conversation': get('/v1/conversations/thread-100'),
});

/**
 * Every report over a million touchpoints (and another million in threads), through the Worker, and the time of its
 * statements alone: under the application's role, which sees the rows of its workspace, and under a role that bypasses
 * row level security. A condition that does not reach an index under row level security shows as a ratio far above 1,
 * and as a sequential scan. `PLANS=folder` writes the `explain` output of each statement.
 */
export async function benchReports(world: BenchWorld, progress: Progress) {
  const name = 'every report under row level security, against the same without';
  const { databaseUrl } = world;
  if (!databaseUrl) return { name, skipped: 'needs a real Postgres in DATABASE_URL' };
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    progress('reports: loading people');
    await loadPeople(client);
    progress('reports: loading threads');
    await loadThreads(client);
    // Settings made for loading must not apply to the measurement.
    await client.query('discard all');
    const results = [];
    for (const [workspaceId, asked] of [
      [WORKSPACE_ID, ofPeople],
      [THREADS_WORKSPACE_ID, ofThreads],
    ] as const) {
      const token = await world.makeKey(workspaceId);
      const page = await world.ask('GET', '/v1/touchpoints?limit=1', token);
      const [{ person_id }] = (page as { data: [{ person_id: string }] }).data;
      for (const [report, one] of Object.entries(asked(person_id))) {
        progress(`reports: ${report}`);
        results.push({ report, ...(await measure(world, client, token, report, one)) });
      }
    }
    return { name, wanted: 'ratio near 1', data: PEOPLE_DATA, results };
  } finally {
    await client.end();
  }
}

async function measure(
  world: BenchWorld,
  client: pg.Client,
  token: string,
  report: string,
  { method, path, body }: Asked,
) {
  const times = await timesOf(ROUNDS, 1, () => world.ask(method, path, token, body));
  const { queries } = world.lastCall();
  // The first statement sets the role and the workspace; without it the owner of the server sees all rows.
  const [reach, ...rest] = queries;
  if (!reach?.query.includes("set_config('role'")) throw new Error(`${report} does not set a role`);
  const locked: number[] = [];
  const unlocked: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    locked.push(...(await timesOf(1, 0, () => transact(client, queries))));
    unlocked.push(...(await timesOf(1, 0, () => transact(client, rest))));
  }
  const plan = await explain(client, queries);
  if (process.env.PLANS) await keepPlan(process.env.PLANS, report, plan);
  return {
    through_worker_ms: median(times),
    locked_ms: median(locked),
    unlocked_ms: median(unlocked),
    ratio: median(locked.map((time, i) => time / (unlocked[i] ?? Number.NaN))),
    read_whole: [...new Set([...plan.matchAll(/Seq Scan on (\w+)/g)].map(([, table]) => table))],
  };
}

async function transact(client: pg.Client, queries: readonly BackendQuery[]): Promise<void> {
  await client.query('begin');
  for (const { query, params } of queries) await client.query(query, params);
  await client.query('commit');
}

/** The plan of the last statement, after the earlier statements of its transaction. */
async function explain(client: pg.Client, queries: readonly BackendQuery[]): Promise<string> {
  const last = queries.at(-1);
  if (!last) return '';
  await client.query('begin');
  for (const { query, params } of queries.slice(0, -1)) await client.query(query, params);
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers) ${last.query}`,
    last.params,
  );
  await client.query('rollback');
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

async function keepPlan(folder: string, report: string, plan: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${report.replaceAll(/\W+/g, '-')}.txt`), `${plan}\n`);
}
