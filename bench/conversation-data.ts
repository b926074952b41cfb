import type pg from 'pg';
import { withoutSecondaryIndexes } from './funnel-data.ts';

/** The workspace of the threads. */
export const THREADS_WORKSPACE_ID = '00000000-0000-7000-8000-000000000002';

const TOUCHPOINTS = 1_000_000;
const THREADS = 250_000;
const PEOPLE = 100_000;
const DAYS = 90;

/**
 * Threads of four messages on average, each with one person, within two days of their beginning. Three of five
 * messages are inbound. Every tenth person converts. Rows are inserted directly into the tables, in order of time, as
 * for funnels.
 */
export async function loadThreads(client: pg.Client) {
  await client.query('insert into workspaces (id, name) values ($1, $2)', [THREADS_WORKSPACE_ID, 'threads']);
  await client.query(
    "insert into goals (workspace_id, key, name, kind) values ($1, 'purchase', 'P', 'conversion')",
    [THREADS_WORKSPACE_ID],
  );
  await withoutSecondaryIndexes(client, async () => {
    await client.query('select setseed(0.5)');
    await client.query(
      `insert into touchpoints (workspace_id, id, person_id, identity_id, occurred_at, content_hash, kind, direction, channel,
         campaign, conversation)
       select $1::uuid, 's-' || lpad((row_number() over (order by occurred_at))::text, 8, '0'),
         (lpad(to_hex(1767225600000 + person), 12, '0') || '7' || left(md5(person::text), 3) || '8' || right(md5(person::text), 15))::uuid,
         n, occurred_at, '\\x00', 'message', case when random() < 0.6 then 'inbound' else 'outbound' end,
         (array['x', 'linkedin', 'reddit', 'email'])[1 + thread % 4], 'spring', 'thread-' || thread
       from (
         select n, thread, thread % $4::int as person,
           timestamptz '2026-01-01T00:00:00Z' + (thread * 7919 % $3::int) * make_interval(days => $5::int) / $3::int
             + random() * random() * interval '2 days' as occurred_at
         from (select n, floor(random() * $3::int)::bigint as thread from generate_series(1, $2::int) n) made
         order by occurred_at
       ) happened`,
      [THREADS_WORKSPACE_ID, TOUCHPOINTS, THREADS, PEOPLE, DAYS],
    );
  });
  await client.query(
    `insert into conversions (workspace_id, id, goal, person_id, occurred_at, content_hash, value, currency)
     select workspace_id, 'c-' || person_id, 'purchase', person_id, min(occurred_at) + random() * interval '40 days', '\\x00', 10, 'USD'
     from touchpoints
     where workspace_id = $1
     group by workspace_id, person_id
     having random() < 0.1`,
    [THREADS_WORKSPACE_ID],
  );
  // Threads are computed by the database function that keeps them up to date.
  const started = performance.now();
  await client.query(
    `select refresh_conversations($1, array_agg(distinct conversation)) from touchpoints where workspace_id = $1`,
    [THREADS_WORKSPACE_ID],
  );
  const backfill_ms = performance.now() - started;
  await client.query('vacuum analyze');
  const { rows } = await client.query<{ threads: number; waiting: number }>(
    `select count(*)::int as threads, count(*) filter (where last_direction = 'inbound')::int as waiting
     from conversations
     where workspace_id = $1`,
    [THREADS_WORKSPACE_ID],
  );
  return { touchpoints: TOUCHPOINTS, ...rows[0], backfill_ms };
}
