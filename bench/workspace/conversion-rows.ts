import type pg from 'pg';
import { DAYS, peopleOf } from './size.ts';
import type { Load } from './touchpoint-rows.ts';

/** The share of conversions that follow a burst of their person. The others are of any buyer, at any time. */
const AFTER_A_BURST = 0.8;

/** Every 33rd purchase is adjusted: two of three are retracted, the third gets another value. */
const ADJUSTED_EVERY = 33;

/**
 * Purchases, and follows and joins, in order of time: the same in each size. One in ten is in euro. The delay after a burst is four days on
 * average, and at most what is left of the log.
 */
export async function insertConversions({ client, workspace_id, size, ends_at }: Load): Promise<void> {
  const { buyers } = peopleOf(size);
  // The order in which bursts are read decides which ones are picked.
  await client.query("select setseed(0.3), set_config('synchronize_seqscans', 'off', false)");
  for (const [first, count, isPurchase] of [
    [0, size.purchases, true],
    [size.purchases, size.cultivations, false],
  ] as const) {
    const afterBursts = Math.floor(count * AFTER_A_BURST);
    await client.query(
      `insert into conversions (
         workspace_id, id, goal, person_id, identity_id, account_id, occurred_at, received_at, content_hash, content_version,
         value, currency
       )
       select $1::uuid, 'c-' || n, case when $8 then 'purchase' when random() < 0.5 then 'follow' else 'join' end,
         bench.person_id(person), person + 1, bench.account_id(person), occurred_at, occurred_at + interval '2 seconds',
         decode(md5('c-' || n), 'hex'), 2, case when $8 then floor(random() * 30000) / 100 end,
         case when random() < 0.1 then 'EUR' else 'USD' end
       from (
         select $7::int + row_number() over (order by occurred_at) as n, person, occurred_at
         from (
           (
             select person, starts_at + interval '1 hour'
               + least(-ln(1 - random()) * interval '4 days', random() * ($5::timestamptz - starts_at - interval '1 hour'))
               as occurred_at
             from bench.bursts
             where person < $2::int and starts_at < $5::timestamptz - interval '2 hours'
             order by random()
             limit $3::int
           )
           union all
           select floor(power(random(), 2) * $2::int)::int,
             $5::timestamptz - random() * make_interval(days => $6::int)
           from generate_series(1, $4::int)
         ) made
       ) happened
       order by occurred_at`,
      [workspace_id, buyers, afterBursts, count - afterBursts, ends_at, DAYS, first, isPurchase],
    );
  }
}

export async function insertAdjustments({ client, workspace_id, ends_at }: Load): Promise<void> {
  await client.query(
    `insert into adjustments (
       workspace_id, id, conversion_id, kind, value, occurred_at, received_at, content_hash, content_version
     )
     select workspace_id, 'a-' || id, id, case when n % 3 > 0 then 'retraction' else 'restatement' end,
       case when n % 3 = 0 then value / 2 end, adjusted_at, adjusted_at, decode(md5(id), 'hex'), 2
     from (
       select c.*, substr(id, 3)::int / $2::int as n, least(occurred_at + interval '10 days', $3::timestamptz) as adjusted_at
       from conversions c
       where c.workspace_id = $1::uuid and c.goal = 'purchase' and substr(id, 3)::int % $2::int = 0
     ) adjusted
     order by adjusted_at`,
    [workspace_id, ADJUSTED_EVERY, ends_at],
  );
}

/** A rate for each day, and the spend of each month on each channel and campaign. */
export async function insertMoney({ client, workspace_id, ends_at }: Load): Promise<void> {
  await client.query(
    `insert into fx_rates (workspace_id, date, "from", "to", rate)
     select $1::uuid, day::date, 'EUR', 'USD', round((1.1 + random() / 10)::numeric, 4)
     from generate_series($2::timestamptz - make_interval(days => $3::int + 10), $2::timestamptz + interval '1 day', interval '1 day') day`,
    [workspace_id, ends_at, DAYS],
  );
  await client.query(
    `insert into spend (workspace_id, id, "from", "to", channel, campaign, amount, currency, content_hash, content_version)
     select $1::uuid, 's-' || month::date || channel || campaign, month::date, (month + interval '1 month - 1 day')::date, channel,
       'campaign-' || campaign, round((100 + 900 * random())::numeric, 2), case when random() < 0.1 then 'EUR' else 'USD' end,
       decode(md5('s-' || channel), 'hex'), 2
     from generate_series(date_trunc('month', $2::timestamptz - make_interval(days => $3::int)), $2::timestamptz, interval '1 month') month
     cross join unnest(array['x', 'linkedin', 'reddit', 'email', 'paid_search', 'podcast', 'youtube', 'partner']) channel
     cross join generate_series(1, 20) campaign`,
    [workspace_id, ends_at, DAYS],
  );
}

/** What the database function that keeps threads up to date computes, in as many statements as fit its locks. */
export async function insertThreads({ client, workspace_id, progress }: Load): Promise<void> {
  const { rows } = await client.query<{ threads: number }>(
    `select count(*)::int as threads from bench.bursts where thread`,
  );
  progress(`${rows[0]?.threads} threads`);
  await refreshThreads(client, workspace_id);
}

async function refreshThreads(client: pg.Client, workspaceId: string): Promise<void> {
  await client.query(
    `select refresh_conversations($1, ids)
     from (
       select array_agg('thread-' || n) as ids
       from bench.bursts
       where thread
       group by n / 50000
     ) parts`,
    [workspaceId],
  );
}
