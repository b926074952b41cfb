import type pg from 'pg';
import { DAYS, peopleOf, type WorkspaceSize } from './size.ts';

/** The touchpoints of a burst, on average, and the most. */
const BURST = { mean: 3, most: 5 };

/** Bursts whose touchpoints one statement inserts. */
const CHUNK = 50_000;

/** The share of bursts that are threads of messages. The others are visits, clicks, mentions and so on. */
const THREADS = 0.25;

/** Kinds of touchpoints outside of threads, by their share. Half of them get no credit. */
const KIND_SHARES = {
  view: 15,
  visit: 4,
  click: 3,
  email_open: 2,
  mention: 1,
  reply: 1,
  demo: 1,
  event: 1,
  like: 1,
  comment: 1,
  meeting: 1,
  referral: 1,
};

/** What the rows of one load have in common. */
export interface Load {
  client: pg.Client;
  workspace_id: string;
  size: WorkspaceSize;
  /** The log ends here; it began `DAYS` days before. */
  ends_at: Date;
  progress: (text: string) => void;
}

/**
 * `bench.bursts`: visits and threads of one person each, numbered in order of time, of which touchpoints and
 * conversions are made. Those of buyers are the same in each size.
 */
export async function makeBursts({ client, size, ends_at }: Load): Promise<void> {
  const { people, buyers } = peopleOf(size);
  await client.query(
    'create unlogged table bench.picked (person int, starts_at timestamptz, touches int, place float8, thread bool)',
  );
  for (const [seed, first, count, touchpoints] of [
    [0.1, 0, buyers, size.touchpoints_of_buyers],
    [0.2, buyers, people - buyers, size.touchpoints - size.touchpoints_of_buyers],
  ] as const) {
    await client.query('select setseed($1)', [seed]);
    await client.query(BURSTS, [
      ends_at,
      DAYS,
      first,
      count,
      Math.ceil(touchpoints / BURST.mean),
      BURST.most,
      THREADS,
    ]);
  }
  await client.query(
    `create unlogged table bench.bursts as
     select row_number() over (order by starts_at, person)::int as n, *
     from bench.picked
     order by starts_at, person`,
  );
  await client.query('drop table bench.picked');
  await client.query('create index on bench.bursts (n)');
  await client.query('analyze bench.bursts');
}

/**
 * People are picked with a skew: most have a few bursts or none, some have a hundred. A number from 0 to 1, of uniform
 * density `u`, becomes the place `((a + (1 - a) u)³ - a³) / (1 - a³)` among people. With a = 0.06 the first person is
 * picked 93 times as often as the average.
 */
const BURSTS = `
  insert into bench.picked
  select $3::int + floor($4::int * (power(0.06 + 0.94 * random(), 3) - 0.000216) / 0.999784)::int,
    $1::timestamptz - random() * make_interval(days => $2::int), 1 + floor(random() * $6::int)::int, random(),
    random() < $7::float8
  from generate_series(1, $5::int)`;

/** In order of time, as rows arrive in production. */
export async function insertTouchpoints(load: Load): Promise<void> {
  const { rows } = await load.client.query<{ bursts: number }>('select max(n) as bursts from bench.bursts');
  const bursts = rows[0]?.bursts ?? 0;
  for (let from = 1; from <= bursts; from += CHUNK) {
    load.progress(`touchpoints, ${Math.floor((100 * from) / bursts)} %`);
    await load.client.query(TOUCHPOINTS, [
      load.workspace_id,
      from,
      Math.min(from + CHUNK - 1, bursts),
      peopleOf(load.size).people,
      load.ends_at,
      Object.entries(KIND_SHARES).flatMap(([kind, share]) => Array(share).fill(kind)),
    ]);
  }
}

/**
 * A burst lasts an hour, a thread two days, most of it in the first hours. Three of five touchpoints of a burst are on
 * its channel. One touchpoint in a hundred arrives up to three days late, one in 250 is voided.
 * `$5` is the end of the log: nothing happens after it.
 */
const TOUCHPOINTS = `
  insert into touchpoints (
    workspace_id, id, person_id, identity_id, account_id, referred_by_identity_id, occurred_at, received_at, voided_at,
    content_hash, content_version, kind, direction, stage, channel, source, medium, campaign, conversation, topic, url
  )
  select $1::uuid, id, bench.person_id(person), person + 1, bench.account_id(person),
    case when kind = 'referral' then 1 + floor(power(random(), 3) * $4::int)::bigint end,
    occurred_at, occurred_at + random() * case when random() < 0.01 then interval '3 days' else interval '5 seconds' end,
    case when random() < 0.004 then occurred_at + interval '1 day' end, decode(md5(id), 'hex'), 2, kind,
    case
      when thread then case when random() < 0.6 then 'inbound' else 'outbound' end
      when kind = 'email_open' or random() < 0.7 then 'inbound'
      when random() < 0.5 then 'outbound'
    end,
    case when staged < 0.7 then null when staged < 0.9 then 'conversation' when staged < 0.98 then 'consideration' else 'trial' end,
    (array['x', 'linkedin', 'reddit', 'email', 'organic_search', 'direct', 'paid_search', 'podcast', 'referral', 'youtube',
      'community', 'partner'])[channel],
    (array[null, null, null, 'newsletter', 'google', null, 'google', null, 'blog', 'youtube', null, null])[channel],
    (array['social', 'social', 'social', 'email', 'organic', null, 'cpc', 'audio', 'referral', 'video', 'social', null])[channel],
    case when named < 0.7 then 'campaign-' || 1 + floor(20 * power(named / 0.7, 1.5))::int end,
    case when thread then 'thread-' || n end,
    case when thread then (array['pricing', 'setup', 'bug', 'feature', 'billing'])[1 + n % 5] end,
    case when kind in ('visit', 'view') then 'https://www.example.com/articles/' || n % 300 end
  from (
    select *, random() as staged, random() as named,
      1 + floor(12 * power(case when random() < 0.6 then place else random() end, 1.5))::int as channel,
      case when thread then 'message' else ($6::text[])[1 + floor(array_length($6::text[], 1) * random())::int] end as kind
    from (
      select b.n, b.person, b.place, b.thread, 't-' || b.n || '-' || k as id,
        least(b.starts_at + case when b.thread then random() * random() * interval '2 days' else random() * interval '1 hour' end,
          $5::timestamptz - random() * interval '1 second') as occurred_at
      from bench.bursts b
      cross join generate_series(1, b.touches) k
      where b.n between $2::int and $3::int
    ) happened
  ) touched
  order by occurred_at`;
