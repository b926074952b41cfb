with
  goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(null::float8, g.lookback_days) * 86400::float8) as lookback
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
      and c.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz
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
  converters as materialized (
  select distinct c.person_id::text as journey
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
    select *, journey in (select journey from converters) as has_converted,
      (select '2026-04-30T22:00:00.000Z'::timestamptz <= '2026-05-31T22:00:00.000Z'::timestamptz - (select max(lookback) from goal_settings)) or journey in (
      select t.person_id::text
      from touchpoints t
      where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz
        and t.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])) as is_in_range
    from (
      select t.person_id::text as journey, t.id as touchpoint_id, t.occurred_at,
        array[t.channel] collate "C" as dimensions
      from touchpoints t
      where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.occurred_at >= '2026-05-31T22:00:00.000Z'::timestamptz - (select max(lookback) from goal_settings)
        and t.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
      offset 0
    ) t
    offset 0
  ) t
  where not has_converted and is_in_range
),
  crowded as materialized (
  select c.entity, c.person_id, null::text as account_id, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
  from converted c
  where c.is_crowded and not c.retracted
  group by c.entity, c.person_id
), listed_conversions as (
  select *
  from converted c
  where not c.is_crowded
),
  swept_conversions as materialized (
  select c.*, r.occurred_at as recorded_at, r.dimensions as recorded_dimensions
  from converted c
  left join lateral (
    select t.occurred_at, array[t.channel] collate "C" as dimensions
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.id = c.touchpoint_id and ((true and t.person_id = c.person_id)) and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
    offset 0
  ) r on true
  where c.is_crowded and not c.retracted
), swept_marks as materialized (
  select *, max(place) filter (where not is_direct) over sorted as non_direct, max(touch_at) over sorted as last_at, false as by_group,
    max(group_number) over (partition by entity) as groups
  from (
    select *, count(touch_at) over sorted as place
    from (
      select c.entity, t.occurred_at as at, 0 as side, t.id, null as mark, t.occurred_at as touch_at,
        t.channel = 'direct' as is_direct, array[t.channel] collate "C" as dimensions, null::bigint as group_number,
        null as conversion_id, null::timestamptz as recorded_at, null::text[] as recorded_dimensions, null::timestamptz as "converted_at", null::numeric as "net", null::boolean as "lacks_rate"
      from crowded c
      join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
        and (t.person_id, t.occurred_at) >= (c.person_id, c.from_at)
        and (t.person_id, t.occurred_at) <= (c.person_id, c.to_at)
      where t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
      union all
      select c.entity, bound.at, bound.side, bound.id, bound.mark, null, null, null, null, c.id, recorded_at,
        recorded_dimensions, c.occurred_at, c.net, c.lacks_rate
      from swept_conversions c
      cross join lateral (values
          (c.opens_at, -1, '', 'opens'), (c.used_up_to, 1, '', 'opens'), (c.occurred_at, 1, '', 'closes'),
          (c.recorded_at, 0, c.touchpoint_id, 'before'), (c.recorded_at, 0, c.touchpoint_id, 'recorded')
      ) bound (at, side, id, mark)
      where bound.at is not null
    ) listed
    window sorted as (partition by entity order by at, side, id collate "C", mark is distinct from 'before')
  ) listed
  window sorted as (partition by entity order by at, side, id collate "C", mark is distinct from 'before')
), crowd_touches as not materialized (
  select entity, id, touch_at as occurred_at, is_direct, dimensions, place, by_group, group_number
  from swept_marks
  where conversion_id is null
), swept_bounds as (
  select *, case when recorded_place > low and recorded_place <= high then recorded_place end as recorded
  from (
    select entity, conversion_id, bool_or(by_group) as by_group, max(groups) as groups, recorded_at, recorded_dimensions, "converted_at", "net", "lacks_rate",
      max(place) filter (where mark = 'opens') as low, max(place) filter (where mark = 'closes') as high,
      max(place) filter (where mark = 'recorded') as recorded_place,
      max(last_at) filter (where mark = 'closes') as last_at, max(last_at) filter (where mark = 'before') as before_at,
      max(non_direct) filter (where mark = 'closes') as non_direct,
      max(non_direct) filter (where mark = 'before') as before_non_direct
    from swept_marks
    where conversion_id is not null
    group by entity, conversion_id, recorded_at, recorded_dimensions, "converted_at", "net", "lacks_rate"
  ) bounds
), swept_journeys as materialized (
  select entity, conversion_id, "converted_at", "net", "lacks_rate", by_group, groups, high - low - (recorded is not null)::int as touches,
    low, high, recorded, recorded_at, recorded_dimensions,
    case when high - low > (recorded is not null)::int then low + 1 + coalesce(recorded = low + 1, false)::int end as first,
    nullif(greatest(high - coalesce(recorded = high, false)::int, low), low) as last, case when recorded = high then before_at else last_at end as last_at,
    nullif(greatest(case when non_direct = recorded then before_non_direct else non_direct end, low), low) as last_non_direct
  from swept_bounds
),
  crowd_steps as materialized (
  select *, count(*) filter (where starts) over (partition by entity order by place) as step
  from (
    select *, place = 1 or dimensions is distinct from previous as starts
    from (select *, lag(dimensions) over (partition by entity order by place) as previous from crowd_touches) touches
  ) touches
), swept_spans as (
  select entity, conversion_id, low, high, recorded, touches, net, lacks_rate, converted_at,
    max(at) filter (where mark = 'first') as first_at,
    max(step) filter (where mark = 'first') as first_step, max(step) filter (where mark = 'last') as last_step,
    max(step) filter (where mark = 'before') as before_step, max(step) filter (where mark = 'recorded') as recorded_step,
    max(step) filter (where mark = 'after') as after_step, max(dimensions) filter (where mark = 'first') as first_dimensions,
    max(dimensions) filter (where mark = 'last') as last_dimensions,
    max(dimensions) filter (where mark = 'before') as before_dimensions,
    max(dimensions) filter (where mark = 'after') as after_dimensions
  from (
    select *, max(touch_at) over (partition by entity, place) as at, max(touch_step) over (partition by entity, place) as step,
      max(touch_dimensions) over (partition by entity, place) as dimensions
    from (
      select entity, place, occurred_at as touch_at, step as touch_step, dimensions as touch_dimensions,
        null as conversion_id, null::bigint as low, null::bigint as high, null::bigint as recorded, null::bigint as touches,
        null::numeric as net, null::boolean as lacks_rate, null::timestamptz as converted_at, null as mark
      from crowd_steps
      union all
      select entity, asked.place, null, null, null, conversion_id, low, high, recorded, touches, net, lacks_rate,
        converted_at, asked.mark
      from swept_journeys
      cross join lateral (values
          (first, 'first'), (last, 'last'), (0, 'journey'), (case when recorded > first and recorded < last then recorded end, 'recorded'),
          (case when recorded > first and recorded < last then recorded - 1 end, 'before'),
          (case when recorded > first and recorded < last then recorded + 1 end, 'after')
      ) asked (place, mark)
      where asked.place is not null
    ) listed
  ) listed
  where conversion_id is not null
  group by entity, conversion_id, low, high, recorded, touches, net, lacks_rate, converted_at
), swept_steps as materialized (
  select *, coalesce(last_step - first_step + 1 - hole, 0) as steps
  from (
    select *, case when recorded_step > before_step and recorded_step < after_step then 1 + (before_dimensions = after_dimensions)::int else 0 end as hole
    from swept_spans
  ) spans
), swept_paths as (
  select max(touches) as touches, max(net) as net, bool_or(lacks_rate) as lacks_rate,
    extract(epoch from max(converted_at) - max(first_at))::float8 as lag_seconds, max(steps) as steps,
    coalesce(array_agg(dimensions order by nth) filter (where nth > 0), '{}') as path
  from (
    select *, max(step_dimensions) over (partition by entity, step) as dimensions
    from (
      select entity, step, dimensions as step_dimensions, null as conversion_id, null::bigint as touches,
        null::numeric as net, null::boolean as lacks_rate, null::timestamptz as converted_at,
        null::timestamptz as first_at, null::bigint as steps, null::bigint as nth
      from crowd_steps
      where starts
      union all
      select entity, first_step + nth - 1 + case when first_step + nth - 1 >= recorded_step then hole else 0 end, null,
        conversion_id, touches, net, lacks_rate, converted_at, first_at, steps, nth
      from swept_steps
      cross join lateral (
        select generate_series(0, least(steps, 100::int))
        union all
        select generate_series(greatest(100::int + 1, steps - 100::int + 1), steps)
      ) shown (nth)
    ) listed
  ) listed
  where conversion_id is not null
  group by conversion_id
), swept_transitions as (
  select previous, dimensions, null::boolean as outcome, journeys as count
  from (
    select *, sum(delta) over (partition by entity order by place) as journeys
    from (
      select entity, place, previous, dimensions, 0 as delta, starts and place > 1 as is_transition
      from crowd_steps
      union all
      select entity, bound.place, null, null, bound.delta, false
      from swept_steps
      cross join lateral (values
          (low + 2, 1), (high + 1, -1),
          (case when recorded >= low + 2 then recorded end, -1), (case when recorded >= low + 2 then recorded + 1 end, 1),
          (case when recorded < high then recorded + 1 end, -1), (case when recorded < high then recorded + 2 end, 1)
      ) bound (place, delta)
      where high > low and bound.place is not null
    ) listed
  ) listed
  where is_transition and journeys > 0
  union all
  select ends.previous, ends.dimensions, ends.outcome, 1
  from swept_steps
  cross join lateral (values
      (null, first_dimensions, null, touches > 0), (last_dimensions, null, true, true),
      (before_dimensions, after_dimensions, null, recorded_step is not null)
  ) ends (previous, dimensions, outcome, occurs)
  where ends.occurs and (ends.outcome or ends.previous is distinct from ends.dimensions)
),
  listed as (
  select true as converted, conversion_id as journey, touchpoint_id, occurred_at, dimensions,
    null::timestamptz as converted_at, null::numeric as net, false as lacks_rate
  from (
    select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, array[t.channel] collate "C" as dimensions
    from listed_conversions c
    join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
      and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
      and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
    where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])) touched
  union all
  select true, id, null, null, null, occurred_at, net, lacks_rate
  from listed_conversions
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
  where (touchpoint_id is null or dimensions is distinct from previous)
),
  whole as (
  select converted, max(touches) as touches, max(net) as net, bool_or(lacks_rate) as lacks_rate,
    extract(epoch from max(converted_at) - max(first_at))::float8 as lag_seconds, count(touchpoint_id) as steps,
    coalesce(array_agg(dimensions order by occurred_at, touchpoint_id) filter (where touchpoint_id is not null), '{}') as path
  from steps
  group by converted, journey
), journeys as materialized (
  select converted, touches, net, lacks_rate, lag_seconds, steps > 2 * 100::int as cut,
    case when steps > 2 * 100::int
    then path[:100::int] || path[steps - 100::int + 1:] else path end as path
  from whole
  union all
  select true, touches, net, lacks_rate, lag_seconds, steps > 2 * 100::int, path
  from swept_paths
), paths as materialized (
  select *, row_number() over (order by converted desc, value desc, not_converted desc, path, cut) as place
  from (
    select path, cut, count(*) filter (where converted)::int as converted,
      count(*) filter (where not converted)::int as not_converted, coalesce(sum(net), 0) as value
    from journeys
    group by path, cut
  ) counted
), transitions as materialized (
  select *, row_number() over (order by count desc, previous nulls first, dimensions nulls last, outcome) as place
  from (
    select previous, dimensions, outcome, sum(count)::int as count
    from (
      select previous, dimensions, case when touchpoint_id is null then converted end as outcome, count(*) as count
      from steps
      group by 1, 2, 3
      union all
      select previous, dimensions, outcome, count
      from swept_transitions
    ) listed
    group by previous, dimensions, outcome
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
      'lacks_rate', count(*) filter (where lacks_rate),
      'cut', count(*) filter (where cut)
  )
  from journeys) as totals,
  (
  select coalesce(json_agg(json_build_object(
          'path', path, 'cut', cut, 'converted', converted, 'not_converted', not_converted, 'value', value::text
      ) order by place), '[]')
  from (
    select path, cut, converted, not_converted, value, place
    from paths
    where place <= 1000
    union all
    select null, false, sum(converted)::int, sum(not_converted)::int, sum(value), 1000 + 1
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
