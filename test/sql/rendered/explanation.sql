with goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(null::float8, g.lookback_days) * 86400::float8) as lookback
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = (select goal from conversions where workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and id = 'order-1')
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - 7::int as oldest
      from (select c.currency, (c.occurred_at at time zone 'Europe/Berlin')::date as day from conversions c where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.id = 'order-1') amounts
      where amounts.currency <> 'EUR'::text
    ) pair
    join lateral (
        values ('direct', pair.currency, 'EUR'::text), ('there', pair.currency, 'EUR'::text), ('onward', 'EUR'::text, 'EUR'::text)
    ) leg (name, base, quote) on leg.name = 'direct' or 'EUR'::text not in (pair.currency, 'EUR'::text)
    cross join lateral (
      select case way.is_inverse when 0 then latest.rate else 1 / latest.rate end as rate
      from (values (leg.base, leg.quote, 0), (leg.quote, leg.base, 1)) way (base, quote, is_inverse)
      cross join lateral (
        select r.date, r.rate
        from fx_rates r
        where r.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and r."from" = way.base and r."to" = way.quote
          and r.date between pair.oldest and pair.day
        order by r.date desc
        limit 1
      ) latest
      order by latest.date desc, way.is_inverse
      limit 1
    ) quoted
    group by pair.currency, pair.day
  ) known
),
  target as materialized (
  select c.*, g.lookback, case
    when c.currency = 'EUR' then 1
    else ((select rates from "fx") ->> (c.currency || ' ' || (c.occurred_at at time zone 'Europe/Berlin')::date))::numeric
    end as rate, coalesce(n.retracted, false) as retracted,
    coalesce(n.restated_value, c.value) as net_value,
    coalesce(n.retracted, false) is false and (g.counting = 'every' or not exists (select
      from (
        select held.id, held.occurred_at
        from conversions held
        where held.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
          and true
          and held.person_id = c.person_id
          and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, c.goal, '-infinity'::timestamptz)
          and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, c.goal, c.occurred_at)) earlier
      where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
        and not exists (
        select
        from adjustments a
        where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = earlier.id and a.kind = 'retraction'
        offset 0
  ))) as counted,
    c.occurred_at - g.lookback as opens_at, '-infinity'::timestamptz as used_up_to
  from conversions c
  join goal_settings g on g.key = c.goal
  left join lateral (
    select bool_or(a.kind = 'retraction') as retracted,
      (array_agg(a.value order by a.occurred_at desc, a.id desc) filter (where a.kind = 'restatement'))[1] as restated_value
    from adjustments a
    where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id
    group by a.conversion_id
  ) n on true
  where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.id = 'order-1'
), judged as materialized (
  select t.*, c.occurred_at as converted_at, case
    when t.voided_at is not null then 'voided'
    when t.occurred_at > c.occurred_at or t.id = c.touchpoint_id then 'after_conversion'
    when t.occurred_at < c.opens_at then 'outside_lookback'
    when t.occurred_at <= c.used_up_to then 'used_by_previous'
    when t.kind = any('{"event","view","other"}'::text[]) then 'kind_without_credit'
    when (true) is not true then 'filtered'
    end as reason
  from target c
  join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
  where true union all
  select t.*, c.occurred_at as converted_at, 'other_person_of_account' as reason
  from target c
  join touchpoints t
    on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and t.person_id <> c.person_id and t.account_id = c.account_id
    and (t.account_id, t.occurred_at) >= (c.account_id, c.opens_at)
    and (t.account_id, t.occurred_at) <= (c.account_id, c.occurred_at)
  where case
    when t.voided_at is not null then 'voided'
    when t.occurred_at > c.occurred_at or t.id = c.touchpoint_id then 'after_conversion'
    when t.occurred_at < c.opens_at then 'outside_lookback'
    when t.occurred_at <= c.used_up_to then 'used_by_previous'
    when t.kind = any('{"event","view","other"}'::text[]) then 'kind_without_credit'
    when (true) is not true then 'filtered'
    end is null and true
), journey as materialized (
  select t.*, row_number() over (order by t.occurred_at, t.id) - 1 as place, count(*) over () as touches
  from judged t
  where t.reason is null
)
select c.id, c.goal, c.person_id, c.account_id, c.occurred_at, c.value, c.currency, c.rate,
  c.net_value is not null and c.rate is null as lacks_rate, c.retracted, c.counted,
  case when c.retracted then 0 else c.net_value end as net_value,
  extract(epoch from c.lookback)::float8 as lookback_seconds,
  null as lead_at, null as opportunity_at,
  (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{}'::text[])) as milestone_goals,
  (
  select coalesce(json_agg(json_build_object(
          'place', t.place, 'id', t.id, 'occurred_at', t.occurred_at, 'kind', t.kind, 'channel', t.channel,
          'age_seconds', extract(epoch from t.converted_at - t.occurred_at)::float8,
          'dimensions', json_build_object('channel'::text, t.channel, 'source'::text, t.source, 'medium'::text, t.medium, 'campaign'::text, t.campaign, 'content'::text, t.content, 'term'::text, t.term, 'kind'::text, t.kind, 'direction'::text, t.direction, 'stage'::text, t.stage, 'conversation'::text, t.conversation, 'topic'::text, t.topic)
      ) order by t.place), '[]')
  from journey t
  where t.place < 500 or t.place >= t.touches - 500) as considered, (
  select json_build_object(
      'occurred_at', coalesce(json_agg((extract(epoch from t.occurred_at) * 1000)::int8 order by t.place), '[]'),
      'direct', coalesce(json_agg(t.place order by t.place) filter (where t.channel = 'direct'), '[]')
  )
  from journey t) as journey,
  (
  select coalesce(json_agg(json_build_object('id', id, 'reason', reason) order by occurred_at desc, id desc), '[]')
  from (select * from judged where reason is not null order by occurred_at desc, id desc limit 1000) shown
) as left_out,
  (
  select coalesce(json_object_agg(reason, count), '{}')
  from (select reason, count(*) from judged where reason is not null group by reason) counted
) as left_out_counts
from target c;
