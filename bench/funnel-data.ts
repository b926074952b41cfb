import type pg from 'pg';
import { withoutIndexes } from './workspace/without-indexes.ts';

/** The workspace of a funnel's data. */
export const WORKSPACE_ID = '00000000-0000-7000-8000-000000000001';

/** Touchpoints of generated people from 1 January on, of six kinds in equal shares. */
export interface DataSet {
  name: string;
  touchpoints: number;
  people: number;
  days: number;
  /** The share of touchpoints that a few people have. */
  busy: { share: number; people: number };
  /** The queries, and the number of rounds. */
  ranges: readonly { from: string; to: string }[];
  windows_days: readonly number[];
  rounds: number;
}

const between = (from: string, to: string) => ({ from: `${from}T00:00:00Z`, to: `${to}T00:00:00Z` });

export const UNIFORM: DataSet = {
  name: 'uniform',
  touchpoints: 1_000_000,
  people: 100_000,
  days: 90,
  busy: { share: 0, people: 1 },
  ranges: [between('2026-01-01', '2026-04-01'), between('2026-02-01', '2026-03-01')],
  windows_days: [7, 30],
  rounds: 7,
};
export const SKEWED: DataSet = { ...UNIFORM, name: 'skewed', busy: { share: 0.3, people: 100 } };
/** Ten times the people and the touchpoints, over a year; queried for its last months, as is usual. */
export const LARGE: DataSet = {
  ...UNIFORM,
  name: 'large',
  touchpoints: 10_000_000,
  people: 1_000_000,
  days: 365,
  ranges: [between('2026-09-01', '2026-12-01'), between('2026-11-01', '2026-12-01')],
  windows_days: [7],
  rounds: 2,
};
/** The people of the first data set, each with ten times as many touchpoints. */
export const DENSE: DataSet = {
  ...UNIFORM,
  name: 'dense',
  touchpoints: 10_000_000,
  windows_days: [7],
  rounds: 2,
};

/**
 * Inserts directly into the table, because loading through the API would take hours. It creates only what a funnel
 * reads: no identities, content hashes or conversations. Ids of people are version 7, as in production, because the
 * length of their common prefix decides how fast they sort. Rows are stored in order of time, as they arrive in
 * production.
 */
export async function loadTouchpoints(client: pg.Client, data: DataSet): Promise<void> {
  await client.query('insert into workspaces (id, name) values ($1, $2)', [WORKSPACE_ID, data.name]);
  await withoutIndexes(
    client,
    ['touchpoints'],
    () => {},
    () => insertTouchpoints(client, data),
  );
  await client.query('vacuum analyze');
}

async function insertTouchpoints(client: pg.Client, data: DataSet): Promise<void> {
  await client.query('select setseed(0.5)');
  await client.query(
    `insert into touchpoints (workspace_id, id, person_id, identity_id, occurred_at, content_hash, kind, direction, channel,
       campaign)
     select $1::uuid, 's-' || n,
       (lpad(to_hex(1767225600000 + person), 12, '0') || '7' || left(md5(person::text), 3) || '8' || right(md5(person::text), 15))::uuid,
       n, occurred_at, '\\x00',
       (array['mention', 'reply', 'click', 'visit', 'demo', 'email_open'])[1 + floor(random() * 6)::int], 'inbound',
       (array['x', 'linkedin', 'reddit', 'email'])[1 + floor(random() * 4)::int], 'spring'
     from (
       select n, floor(random() * case when random() < $3::float8 then $4::int else $5::int end)::bigint as person,
         timestamptz '2026-01-01T00:00:00Z' + random() * make_interval(days => $6::int) as occurred_at
       from generate_series(1, $2::int) n
       order by occurred_at
     ) happened`,
    [WORKSPACE_ID, data.touchpoints, data.busy.share, data.busy.people, data.people, data.days],
  );
}
