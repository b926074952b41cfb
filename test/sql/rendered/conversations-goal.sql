with opened as materialized (
  select t.person_id, v.opened_at, v.opening_id, v.first_response_at, v.inbound, v.outbound,
    date_part('epoch', v.first_response_at - v.opened_at) as seconds,
    to_char(date_trunc('week', v.opened_at at time zone 'Europe/Berlin'), 'YYYY-MM-DD') as interval, array[t.channel, t.topic] collate "C" as dimensions
  from (
    select *
    from conversations v
    where v.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and v.opened_at >= '2026-04-30T22:00:00.000Z'::timestamptz
      and v.opened_at < '2026-05-31T22:00:00.000Z'::timestamptz
    order by v.opened_at, v.opening_id
  ) v
  cross join lateral (
    select t.* from touchpoints t where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.id = v.opening_id offset 0
  ) t
  where true
),
  calendar as materialized (
  select min(day)::date as first_day, array_agg(opens order by day) as opens, array_agg(length order by day) as lengths,
    array_agg(before order by day) as before
  from (
    select *, (sum(length) over (order by day) - length)::bigint as before
    from (
      select day, coalesce((date_part('epoch', opens_at) * 1000)::bigint, 0) as opens,
        case when opens_at < closes_at then (date_part('epoch', closes_at) * 1000)::bigint - (date_part('epoch', opens_at) * 1000)::bigint else 0 end
        as length
      from (
        select day, (day + make_interval(secs => ('{32400,null,null,null,null,null,null}'::float8[])[extract(isodow from day)::int])) at time zone 'Europe/Berlin' as opens_at,
          case when day::date <> all('{"2026-05-25"}'::date[]) then (day + make_interval(secs => ('{63000,null,null,null,null,null,null}'::float8[])[extract(isodow from day)::int])) at time zone 'Europe/Berlin' end as closes_at
        from (
          select generate_series(
              min(opened_at at time zone 'Europe/Berlin')::date::timestamp,
              max(first_response_at at time zone 'Europe/Berlin')::date::timestamp,
              interval '1 day'
          ) as day
          from opened opened
        ) listed
      ) hours
    ) measured
  ) summed
),
  goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(1::float8, g.lookback_days) * 86400::float8) as lookback
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])),
  reached as materialized (
  select c.id, c.person_id, c.account_id, c.goal, c.occurred_at, c.touchpoint_id, c.value, c.currency,
    (c.occurred_at at time zone 'Europe/Berlin')::date as day
  from (
    select *
    from conversions c
    where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and c.goal = any('{"purchase"}'::text[])
      and c.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz - make_interval(secs => 0::float8)
      and c.occurred_at < '2026-06-30T22:00:00.001Z'::timestamptz
  ) c
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
  adjusted as materialized (
  select a.conversion_id
  from adjustments a
  where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
  order by a.conversion_id
  limit (select 4 * count(*) from reached)
),
  bounded as (
  select c.*, c.occurred_at - g.lookback as opens_at, '-infinity'::timestamptz as used_up_to,
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
        and (not ((select count(*) >= (select 4 * count(*) from reached) from adjusted) or earlier.id in (select conversion_id from adjusted)) or not exists (
          select
          from adjustments a
          where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = earlier.id and a.kind = 'retraction'
          offset 0
  )))) as counts
  from (
    select c.*, coalesce(case when c.is_adjusted then (
        select a.value
        from adjustments a
        where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'restatement'
        order by a.occurred_at desc, a.id desc
        limit 1
      ) end, c.value) as restated_value,
      not (not c.is_adjusted or not exists (
        select
        from adjustments a
        where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
        offset 0
    )) as retracted
    from (
      select c.*, case
        when c.currency = 'EUR' then 1
        else ((select rates from "fx") ->> (c.currency || ' ' || c.day))::numeric
        end as rate, ((select count(*) >= (select 4 * count(*) from reached) from adjusted) or c.id in (select conversion_id from adjusted)) as is_adjusted
      from reached c
      offset 0
    ) c
    offset 0
  ) c
  join goal_settings g on g.key = c.goal
),
  converted as materialized (
  select row_number() over (order by c.person_id, c.occurred_at, c.id) as number, row_number() over (order by c.person_id, c.occurred_at, c.id) - row_number() over entity as entity, c.id, c.person_id, c.account_id, c.goal,
    c.occurred_at, c.touchpoint_id, c.currency, null::text as interval, c.retracted, c.opens_at, c.used_up_to,
    c.restated_value is not null and c.rate is null as lacks_rate, c.value * c.rate as gross,
    c.restated_value * c.rate as net, count(*) filter (where not c.retracted) over entity > 32 as is_crowded,
    lag(c.occurred_at) over entity as previous_at,
    lead(c.occurred_at) over entity - (select max(lookback) from goal_settings) as next_opens_at
  from bounded c
  where occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and counts
  window entity as (
      partition by c.person_id order by c.occurred_at, c.id rows between unbounded preceding and unbounded following
  )
),
  firsts as (
  select distinct on (person_id) person_id, opened_at, seconds
  from opened
  order by person_id, opened_at, opening_id
), listed as (
  select *, max(opened_at) over (partition by person_id) as began
  from (
    select person_id, opened_at, seconds, null::timestamptz as occurred_at, null::numeric as net, false as lacks_rate
    from firsts
    union all
    select person_id, null, null, occurred_at, net, lacks_rate
    from converted
    where not retracted
  ) events
), followed as (
  select began, max(seconds) as seconds,
    coalesce(bool_or(occurred_at >= began and occurred_at < began + make_interval(secs => 86400::float8)), false) as is_early,
    count(*) filter (where occurred_at >= began + make_interval(secs => 86400::float8) and occurred_at <= began + make_interval(secs => 2592000::float8)) as conversions, sum(net) filter (where occurred_at >= began + make_interval(secs => 86400::float8) and occurred_at <= began + make_interval(secs => 2592000::float8)) as net,
    count(*) filter (where occurred_at >= began + make_interval(secs => 86400::float8) and occurred_at <= began + make_interval(secs => 2592000::float8) and lacks_rate) as lacks_rate
  from listed
  where began is not null
  group by person_id, began
), outcomes as (
  select *, case
    when is_early then 'converted_within_24h'
    when began + make_interval(secs => 2592000::float8) > '2026-06-15T12:00:00.000Z'::timestamptz then 'short_follow_up'
    end as left_out,
    coalesce(width_bucket(seconds, '{300,900,3600,14400,86400}'::float8[]), 6::int) as bucket
  from followed
), counted as (
  select case when left_out is null then bucket end as bucket, left_out, count(*)::int as people,
    count(*) filter (where conversions > 0)::int as converted, coalesce(sum(net), 0)::text as value,
    coalesce(sum(lacks_rate), 0)::int as lacks_rate
  from outcomes
  group by 1, 2
),
  folded as (
  select dimensions
  from (
    select dimensions, row_number() over (order by count(*) desc, dimensions) as place
    from opened
    group by dimensions
  ) counted
  where place > 1000
), figures as (
  select interval, case when not other then dimensions end as dimensions, other, count(*)::int as conversations,
    count(seconds)::int as responded, percentile_cont(array[0.5, 0.9]) within group (order by seconds) as seconds,
    percentile_cont(array[0.5, 0.9]) within group (order by business_seconds) as business_seconds,
    coalesce(sum(inbound), 0)::int as inbound, coalesce(sum(outbound), 0)::int as outbound
  from (
    select opened.*, case when first_response_at is not null then (((select before from calendar)[((first_response_at at time zone 'Europe/Berlin')::date - (select first_day from calendar) + 1)] + least(
            greatest((date_part('epoch', first_response_at) * 1000)::bigint - (select opens from calendar)[((first_response_at at time zone 'Europe/Berlin')::date - (select first_day from calendar) + 1)], 0), (select lengths from calendar)[((first_response_at at time zone 'Europe/Berlin')::date - (select first_day from calendar) + 1)]
      )) - ((select before from calendar)[((opened_at at time zone 'Europe/Berlin')::date - (select first_day from calendar) + 1)] + least(
            greatest((date_part('epoch', opened_at) * 1000)::bigint - (select opens from calendar)[((opened_at at time zone 'Europe/Berlin')::date - (select first_day from calendar) + 1)], 0), (select lengths from calendar)[((opened_at at time zone 'Europe/Berlin')::date - (select first_day from calendar) + 1)]
    ))) / 1000.0::float8 end as business_seconds, dimensions in (select dimensions from folded) as other
    from opened
    offset 0
  ) opened
  group by grouping sets ((interval, case when not other then dimensions end, other), ())
)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])) as goals,
  (select json_agg(figures order by interval, other, conversations desc, dimensions) from figures) as figures,
  (select coalesce(json_agg(counted order by bucket), '[]') from counted) as outcomes;
