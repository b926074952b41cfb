with
  goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(null::float8, g.lookback_days) * 86400::float8) as lookback
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])),
  reached as materialized (
  select c.*, (c.occurred_at at time zone 'Europe/Berlin')::date as day
  from conversions c
  where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and c.goal = any('{"purchase"}'::text[])
    and c.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz - make_interval(secs => 0::float8)
    and c.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - 7::int as oldest
      from (select currency, day from reached where occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz) amounts
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
  bounded as (
  select c.id, c.person_id, c.account_id, c.occurred_at, c.touchpoint_id, c.currency, c.properties,
    case
    when c.currency = 'EUR' then 1
    else ((select rates from "fx") ->> (c.currency || ' ' || c.day))::numeric
    end as rate,
    coalesce(n.retracted, false) as retracted,
    c.value, coalesce(n.restated_value, c.value) as restated_value,
    c.occurred_at - g.lookback as opens_at,
    coalesce(null::timestamptz, '-infinity') as used_up_to,
    (g.counting = 'every' or not exists (select
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
  ))) as counts
  from reached c
  join goal_settings g on g.key = c.goal
  left join lateral (
    select bool_or(a.kind = 'retraction') as retracted,
      (array_agg(a.value order by a.occurred_at desc, a.id desc) filter (where a.kind = 'restatement'))[1] as restated_value
    from adjustments a
    where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id
    group by a.conversion_id
  ) n on true
), converted as materialized (
  select id, person_id, account_id, occurred_at, touchpoint_id, retracted, opens_at, used_up_to,
    restated_value is not null and rate is null as lacks_rate, value * rate as gross, restated_value * rate as net
  from bounded
  where occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and counts
),
  acted as (
  select t.person_id, t.account_id, t.occurred_at, t.id as touchpoint_id, array[t.channel] collate "C" as dimensions
  from touchpoints t
  where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and t.occurred_at >= '2026-05-31T22:00:00.000Z'::timestamptz - (select max(lookback) from goal_settings)
    and t.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz
    and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
  union all
  select c.person_id, c.account_id, null, null, null
  from conversions c
  where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and c.goal = any('{"purchase"}'::text[])
    and c.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz - (select max(lookback) from goal_settings)
    and c.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz
    and not exists (
    select
    from adjustments a
    where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
    offset 0
  )
), unconverted as materialized (
  select journey, touchpoint_id, occurred_at, dimensions
  from (
    select *, min(touchpoint_id) over entity as journey, max(occurred_at) over entity as newest_at,
      bool_or(touchpoint_id is null) over entity as has_converted
    from acted
    window entity as (partition by acted.person_id)
  ) acted
  where not has_converted and newest_at >= '2026-04-30T22:00:00.000Z'::timestamptz
),
  listed as (
  select true as converted, conversion_id as journey, touchpoint_id, occurred_at, dimensions,
    null::timestamptz as converted_at, null::numeric as net, false as lacks_rate
  from (
    select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, array[t.channel] collate "C" as dimensions
    from converted c
    join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
      and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
      and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
      and (t.person_id, t.occurred_at) > (c.person_id, c.used_up_to)
    where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])) touched
  union all
  select true, id, null, null, null, occurred_at, net, lacks_rate
  from converted
  where not retracted
  union all
  select false, journey, touchpoint_id, occurred_at, dimensions, null, null, false
  from unconverted
  union all
  select distinct false, journey, null, null::timestamptz, null::text[], null::timestamptz, null::numeric, false
  from unconverted
), steps as materialized (
  select *
  from (
    select *, lag(dimensions) over journey as previous, count(touchpoint_id) over whole as touches,
      min(occurred_at) over whole as first_at
    from listed
    window whole as (partition by converted, journey),
      journey as (partition by converted, journey order by occurred_at nulls last, touchpoint_id)
  ) listed
  where true and (touchpoint_id is null or dimensions is distinct from previous)
),
  journeys as materialized (
  select converted, max(touches) as touches, max(net) as net, bool_or(lacks_rate) as lacks_rate,
    extract(epoch from max(converted_at) - max(first_at))::float8 as lag_seconds,
    coalesce(array_agg(dimensions order by occurred_at, touchpoint_id) filter (where touchpoint_id is not null), '{}') as path
  from steps
  group by converted, journey
), paths as materialized (
  select *, row_number() over (order by converted desc, value desc, not_converted desc, path) as place
  from (
    select path, count(*) filter (where converted)::int as converted,
      count(*) filter (where not converted)::int as not_converted, coalesce(sum(net), 0) as value
    from journeys
    group by path
  ) counted
), transitions as materialized (
  select *, row_number() over (order by count desc, previous nulls first, dimensions nulls last, outcome) as place
  from (
    select previous, dimensions, case when touchpoint_id is null then converted end as outcome, count(*)::int as count
    from steps
    group by 1, 2, 3
  ) counted
)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])) as goals, (
  select json_build_object(
      'conversions', count(*) filter (where converted),
      'value', coalesce(sum(net), 0)::text,
      'attributed_conversions', count(*) filter (where converted and touches > 0),
      'attributed_value', coalesce(sum(net) filter (where touches > 0), 0)::text,
      'not_converted', count(*) filter (where not converted),
      'lacks_rate', count(*) filter (where lacks_rate)
  )
  from journeys) as totals,
  (
  select coalesce(json_agg(json_build_object(
          'path', path, 'converted', converted, 'not_converted', not_converted, 'value', value::text
      ) order by place), '[]')
  from (
    select path, converted, not_converted, value, place
    from paths
    where place <= 1000
    union all
    select null, sum(converted)::int, sum(not_converted)::int, sum(value), 1000 + 1
    from paths
    where place > 1000
    having count(*) > 0
  ) shown) as paths,
  (
  select json_build_object(
      'median', percentile_cont(0.5) within group (order by touches),
      'p90', percentile_cont(0.9) within group (order by touches),
      'buckets', json_build_array(json_build_object(
          'journeys', count(*) filter (where touches >= 1 and touches < 2), 'value', coalesce(sum(net) filter (where touches >= 1 and touches < 2), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where touches >= 2 and touches < 3), 'value', coalesce(sum(net) filter (where touches >= 2 and touches < 3), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where touches >= 3 and touches < 4), 'value', coalesce(sum(net) filter (where touches >= 3 and touches < 4), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where touches >= 4 and touches < 5), 'value', coalesce(sum(net) filter (where touches >= 4 and touches < 5), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where touches >= 5 and touches < 6), 'value', coalesce(sum(net) filter (where touches >= 5 and touches < 6), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where touches >= 6 and touches < 11), 'value', coalesce(sum(net) filter (where touches >= 6 and touches < 11), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where touches >= 11 and touches < 21), 'value', coalesce(sum(net) filter (where touches >= 11 and touches < 21), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where touches >= 21), 'value', coalesce(sum(net) filter (where touches >= 21), 0)::text
    ))
  )
  from journeys
  where converted and touches > 0) as path_length,
  (
  select json_build_object(
      'median', percentile_cont(0.5) within group (order by lag_seconds),
      'p90', percentile_cont(0.9) within group (order by lag_seconds),
      'buckets', json_build_array(json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 0 and lag_seconds < 3600), 'value', coalesce(sum(net) filter (where lag_seconds >= 0 and lag_seconds < 3600), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 3600 and lag_seconds < 86400), 'value', coalesce(sum(net) filter (where lag_seconds >= 3600 and lag_seconds < 86400), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 86400 and lag_seconds < 259200), 'value', coalesce(sum(net) filter (where lag_seconds >= 86400 and lag_seconds < 259200), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 259200 and lag_seconds < 604800), 'value', coalesce(sum(net) filter (where lag_seconds >= 259200 and lag_seconds < 604800), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 604800 and lag_seconds < 1209600), 'value', coalesce(sum(net) filter (where lag_seconds >= 604800 and lag_seconds < 1209600), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 1209600 and lag_seconds < 2592000), 'value', coalesce(sum(net) filter (where lag_seconds >= 1209600 and lag_seconds < 2592000), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 2592000 and lag_seconds < 5184000), 'value', coalesce(sum(net) filter (where lag_seconds >= 2592000 and lag_seconds < 5184000), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 5184000 and lag_seconds < 7776000), 'value', coalesce(sum(net) filter (where lag_seconds >= 5184000 and lag_seconds < 7776000), 0)::text
      ), json_build_object(
          'journeys', count(*) filter (where lag_seconds >= 7776000), 'value', coalesce(sum(net) filter (where lag_seconds >= 7776000), 0)::text
    ))
  )
  from journeys
  where converted and touches > 0) as time_lag,
  (
  select coalesce(json_agg(json_build_object('from', previous, 'to', dimensions, 'converted', outcome, 'count', count) order by place), '[]')
  from transitions
  where place <= 10000
) as transitions,
  (select count(*)::int from transitions) as transition_count;
