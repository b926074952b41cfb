import type pg from 'pg';
import { loadTouchpoints, UNIFORM, WORKSPACE_ID } from './funnel-data.ts';

/** The data of the people reports besides a million touchpoints. All counts are numbers of rows. */
export const PEOPLE_DATA = {
  touchpoints: UNIFORM.touchpoints,
  people: UNIFORM.people,
  /** Each has a few of the people. */
  accounts: 20_000,
  /** Touchpoints that name an advocate, who can be any person. */
  referrals: 50_000,
  purchases: 60_000,
  /** In equal shares of two goals. */
  cultivations: 120_000,
  adjustments: 3_000,
};

/** Inserts directly into the tables, in order of time: conversions over 270 days, a tenth of them in euro. */
export async function loadPeople(client: pg.Client): Promise<void> {
  await loadTouchpoints(client, UNIFORM);
  const { referrals, touchpoints, purchases, cultivations, adjustments } = PEOPLE_DATA;
  await client.query(
    `insert into identities (workspace_id, namespace, value_hash, hash_version, person_id)
     select $1, 'user_id', decode(md5(person_id::text), 'hex'), 1, person_id
     from (select distinct person_id from touchpoints) known`,
    [WORKSPACE_ID],
  );
  await client.query('insert into people (workspace_id, id) select workspace_id, person_id from identities');
  await client.query(
    `insert into accounts (workspace_id, id, name, is_domain) select $1, 'a-' || n, 'A', false from generate_series(1, $2::int) n`,
    [WORKSPACE_ID, PEOPLE_DATA.accounts],
  );
  await client.query(
    `insert into account_facts (workspace_id, source, source_id, identity_id, person_id, account_id, occurred_at)
     select workspace_id, 'people', 'f-' || id, id, person_id, 'a-' || 1 + id % $1::int, timestamptz '2026-01-01T00:00:00Z'
     from identities`,
    [PEOPLE_DATA.accounts],
  );
  await client.query(
    `update touchpoints
     set referred_by_identity_id = (select min(id) from identities) + floor(random() * $2::int)::bigint
     where workspace_id = $1 and random() < $3::float8`,
    [WORKSPACE_ID, PEOPLE_DATA.people, referrals / touchpoints],
  );
  await client.query(
    `insert into goals (workspace_id, key, name, kind)
     values ($1, 'purchase', 'Purchase', 'conversion'), ($1, 'follow', 'Follow', 'cultivation'),
       ($1, 'join', 'Join', 'cultivation')`,
    [WORKSPACE_ID],
  );
  await client.query(
    `insert into conversions (workspace_id, id, goal, person_id, identity_id, occurred_at, content_hash, value, currency)
     select $1, 'c-' || n, case when n <= $2 then 'purchase' when n % 2 = 0 then 'follow' else 'join' end, i.person_id, i.id,
       timestamptz '2026-01-01T00:00:00Z' + place * make_interval(days => 270), '\\x00',
       case when n <= $2 then floor(random() * 30000) / 100 end,
       case when n <= $2 and random() < 0.1 then 'EUR' else 'USD' end
     from (
       select n, random() as place, (select min(id) from identities) + floor(random() * $4::int)::bigint as identity
       from generate_series(1, $2::int + $3::int) n
       order by place
     ) happened
     join identities i on i.workspace_id = $1 and i.id = identity`,
    [WORKSPACE_ID, purchases, cultivations, PEOPLE_DATA.people],
  );
  await client.query(
    `insert into adjustments (workspace_id, id, conversion_id, kind, value, occurred_at, content_hash)
     select $1, 'a-' || n, 'c-' || n * 20, case when n % 2 = 0 then 'retraction' else 'restatement' end,
       case when n % 2 = 1 then 1 end, timestamptz '2026-10-01T00:00:00Z', '\\x00'
     from generate_series(1, $2::int) n`,
    [WORKSPACE_ID, adjustments],
  );
  await client.query(
    `insert into fx_rates (workspace_id, date, "from", "to", rate)
     select $1, day::date, 'EUR', 'USD', 1.1
     from generate_series(timestamptz '2026-01-01', '2026-10-01', interval '1 day') day`,
    [WORKSPACE_ID],
  );
  await client.query('vacuum analyze');
}
