select set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true);

with selling as materialized (
  select c.person_id as entity, c.occurred_at as at, c.id, c.goal,
    coalesce(n.restated_value, c.value) as value, c.currency, (c.occurred_at at time zone 'Europe/Berlin')::date as day
  from conversions c
  join goals g on g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = c.goal
  left join lateral (
    select bool_or(a.kind = 'retraction') as retracted,
      (array_agg(a.value order by a.occurred_at desc, a.id desc) filter (where a.kind = 'restatement'))[1] as restated_value
    from adjustments a
    where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id
    group by a.conversion_id
  ) n on true
  where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and c.goal = any('{"purchase"}'::text[])
    and c.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and c.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
    and n.retracted is not true
    and (g.counting = 'every' or not exists (select
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
  )))
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - 7::int as oldest
      from (select currency, day from selling) amounts
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
  sold as materialized (
  select entity, at, id, goal, value * rate as net, value is not null and rate is null as lacks_rate
  from (select *, case
      when currency = 'EUR' then 1
      else ((select rates from "fx") ->> (currency || ' ' || day))::numeric
      end as rate from selling) priced
), "step_1" as materialized (
  select entity, at, is_conversion, id, at + make_interval(secs => 604800::float8) as until_at
  from (
    select entity, at, is_conversion, id
    from (
      select t.person_id as entity, t.occurred_at as at, false as is_conversion, t.id
      from touchpoints t
      where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
        and t.voided_at is null
        and t.kind = any('{"mention"}'::text[])
        and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
        and true) fits) fits
  where at >= '2026-04-30T22:00:00.000Z'::timestamptz and at < '2026-05-31T22:00:00.000Z'::timestamptz), "who_1" as materialized (
  select entity, count(*) as events from "step_1" group by entity
), "size_1" as materialized (
  select count(*)::int as entities, coalesce(sum(events), 0)::int8 as events,
    coalesce(sum(events) filter (where events >= 16::int), 0)::int8 as busy_events
  from "who_1"
), "busy_1" as materialized (
  select entity
  from "who_1"
  where events >= 16::int or (select busy_events > events * 0.25::float8 from "size_1")
), "step_2" as materialized (
  select entity, at, is_conversion, id, max(lead_until_at) as until_at
  from (
    select fits.*, led.until_at as lead_until_at
    from (
      select entity, at, is_conversion, id
      from (
        select t.person_id as entity, t.occurred_at as at, false as is_conversion, t.id
        from touchpoints t
        where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
          and t.voided_at is null
          and t.direction = any('{"outbound"}'::text[])
          and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
          and (select events from "size_1") <= 2000::int and t.person_id = any (array(select entity from "who_1"))) fits union all
      select entity, at, is_conversion, id
      from (
        select t.person_id as entity, t.occurred_at as at, false as is_conversion, t.id
        from touchpoints t
        where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
          and t.voided_at is null
          and t.direction = any('{"outbound"}'::text[])
          and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
          and not (select events from "size_1") <= 2000::int and true) fits) fits
    join (select * from "step_1" where not entity in (select entity from "busy_1")) led on led.entity = fits.entity
    where (led.at, led.is_conversion, led.id) < (fits.at, fits.is_conversion, fits.id)
      and fits.at <= led.until_at
  ) pairs
  group by entity, at, is_conversion, id
  union all
  select entity, at, is_conversion, id, latest_until_at
  from (
    select *, max(until_at) over (
        partition by entity order by at, is_conversion, id, until_at nulls first rows unbounded preceding
    ) as latest_until_at
    from (
      select entity, at, is_conversion, id, until_at from "step_1" where entity in (select entity from "busy_1")
      union all
      select *, null from (
        select entity, at, is_conversion, id
        from (
          select t.person_id as entity, t.occurred_at as at, false as is_conversion, t.id
          from touchpoints t
          where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
            and t.voided_at is null
            and t.direction = any('{"outbound"}'::text[])
            and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
            and (select case when busy_events > events * 0.25::float8 then events else busy_events end from "size_1") <= 2000::int and t.person_id = any (array(select entity from "busy_1"))) fits union all
        select entity, at, is_conversion, id
        from (
          select t.person_id as entity, t.occurred_at as at, false as is_conversion, t.id
          from touchpoints t
          where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
            and t.voided_at is null
            and t.direction = any('{"outbound"}'::text[])
            and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
            and not (select case when busy_events > events * 0.25::float8 then events else busy_events end from "size_1") <= 2000::int and t.person_id in (select entity from "busy_1")) fits) fits
    ) merged
  ) placed
  where until_at is null and at <= latest_until_at
), "who_2" as materialized (
  select entity, count(*) as events from "step_2" group by entity
), "size_2" as materialized (
  select count(*)::int as entities, coalesce(sum(events), 0)::int8 as events,
    coalesce(sum(events) filter (where events >= 16::int), 0)::int8 as busy_events
  from "who_2"
), "busy_2" as materialized (
  select entity
  from "who_2"
  where events >= 16::int or (select busy_events > events * 0.25::float8 from "size_2")
), "step_3" as materialized (
  select entity, at, is_conversion, id, max(lead_until_at) as until_at
  from (
    select fits.*, led.until_at as lead_until_at
    from (
      select entity, at, is_conversion, id
      from (
        select c.entity, c.at, true as is_conversion, c.id
        from sold c
        where c.goal = any('{"purchase"}'::text[]) and (select events from "size_2") <= 2000::int and c.entity = any (array(select entity from "who_2"))) fits union all
      select entity, at, is_conversion, id
      from (
        select c.entity, c.at, true as is_conversion, c.id
        from sold c
        where c.goal = any('{"purchase"}'::text[]) and not (select events from "size_2") <= 2000::int and c.entity in (select entity from "who_2")) fits) fits
    join (select * from "step_2" where not entity in (select entity from "busy_2")) led on led.entity = fits.entity
    where (led.at, led.is_conversion, led.id) < (fits.at, fits.is_conversion, fits.id)
      and fits.at <= led.until_at
  ) pairs
  group by entity, at, is_conversion, id
  union all
  select entity, at, is_conversion, id, latest_until_at
  from (
    select *, max(until_at) over (
        partition by entity order by at, is_conversion, id, until_at nulls first rows unbounded preceding
    ) as latest_until_at
    from (
      select entity, at, is_conversion, id, until_at from "step_2" where entity in (select entity from "busy_2")
      union all
      select *, null from (
        select entity, at, is_conversion, id
        from (
          select c.entity, c.at, true as is_conversion, c.id
          from sold c
          where c.goal = any('{"purchase"}'::text[]) and (select case when busy_events > events * 0.25::float8 then events else busy_events end from "size_2") <= 2000::int and c.entity = any (array(select entity from "busy_2"))) fits union all
        select entity, at, is_conversion, id
        from (
          select c.entity, c.at, true as is_conversion, c.id
          from sold c
          where c.goal = any('{"purchase"}'::text[]) and not (select case when busy_events > events * 0.25::float8 then events else busy_events end from "size_2") <= 2000::int and c.entity in (select entity from "busy_2")) fits) fits
    ) merged
  ) placed
  where until_at is null and at <= latest_until_at
), "who_3" as materialized (
  select entity, count(*) as events from "step_3" group by entity
), "size_3" as materialized (
  select count(*)::int as entities, coalesce(sum(events), 0)::int8 as events,
    coalesce(sum(events) filter (where events >= 16::int), 0)::int8 as busy_events
  from "who_3"
), reached as materialized (
  select entity, max(level) as level
  from (select entity, 1::int as level from "who_1" union all select entity, 2::int as level from "who_2" union all select entity, 3::int as level from "who_3") came
  group by entity
), came as materialized (select 1::int as step, entities as count from "size_1" union all select 2::int as step, entities as count from "size_2" union all select 3::int as step, entities as count from "size_3"
), done as materialized (select entity, min(at) as done_at from "step_2" where entity not in (select entity from "who_3") group by entity union all select entity, min(at) as done_at from "step_3" where true group by entity
), "chain_1" as materialized (
  select distinct on (entity) *
  from (select *, at as begun_at, null::timestamptz as previous_at from (
      select s.*
      from "step_1" s
      join done d on d.entity = s.entity
      where s.until_at >= d.done_at) starts) open
  order by entity, at, is_conversion, id
), "chain_2" as materialized (
  select distinct on (entity) *
  from (
    select s.*, c.begun_at, c.at as previous_at
    from "chain_1" c
    join "step_2" s on s.entity = c.entity
    where (s.at, s.is_conversion, s.id) > (c.at, c.is_conversion, c.id)) open
  order by entity, at, is_conversion, id
), "chain_3" as materialized (
  select distinct on (entity) *
  from (
    select s.*, c.begun_at, c.at as previous_at
    from "chain_2" c
    join "step_3" s on s.entity = c.entity
    where (s.at, s.is_conversion, s.id) > (c.at, c.is_conversion, c.id)) open
  order by entity, at, is_conversion, id
), chained as (
  select entity, 1::int as step, at, is_conversion, id, null::text[] as dimensions, begun_at as start_at, previous_at
  from "chain_1" union all
  select entity, 2::int as step, at, is_conversion, id, null::text[] as dimensions, begun_at as start_at, previous_at
  from "chain_2" union all
  select entity, 3::int as step, at, is_conversion, id, null::text[] as dimensions, begun_at as start_at, previous_at
  from "chain_3"
),
  measured as (
  select null as entity, step, count, null::numeric as net, false as lacks_rate, null::float8 as previous_seconds,
    null::float8 as start_seconds
  from (select step, count from came where count > 0) counted
  union all
  select null, c.step, 0, s.net, s.lacks_rate is true,
    date_part('epoch', c.at - c.previous_at), date_part('epoch', c.at - c.start_at)
  from chained c
  left join sold s on c.is_conversion and s.id = c.id),
  cells as materialized (
  select label, step, json_build_object(
      'step', step, 'count', count, 'value', value, 'previous_median', previous[1], 'previous_p90', previous[2],
      'start_median', case when step = 1 then 0 else start[1] end,
      'start_p90', case when step = 1 then 0 else start[2] end
  ) as cell, lacks_rate
  from (
    select 0 as label, m.step, sum(m.count)::int as count, coalesce(sum(m.net), 0)::float8 as value,
      count(*) filter (where m.lacks_rate) as lacks_rate,
      percentile_cont(array[0.5, 0.9]) within group (order by m.previous_seconds) as previous,
      percentile_cont(array[0.5, 0.9]) within group (order by m.start_seconds) as start
    from measured m
    group by 1, 2
  ) summed),
grouped as materialized (select null::int as label, null::int as step, null::json as cell, 0 as lacks_rate where false)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])) as goals,
  (select coalesce(json_agg(cell order by step), '[]') from cells) as cells,
  (select coalesce(sum(lacks_rate), 0)::int from cells) as lacks_rate,
  '[]'::json as groups;
