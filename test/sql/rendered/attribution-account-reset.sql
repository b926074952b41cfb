with
  goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(30::float8, g.lookback_days) * 86400::float8) as lookback
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
      and c.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz - make_interval(secs => 2592000::float8)
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
      where amounts.currency <> 'USD'::text
    ) pair
    join lateral (
        values ('direct', pair.currency, 'USD'::text), ('there', pair.currency, 'EUR'::text), ('onward', 'EUR'::text, 'USD'::text)
    ) leg (name, base, quote) on leg.name = 'direct' or 'EUR'::text not in (pair.currency, 'USD'::text)
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
  select c.*, c.occurred_at - g.lookback as opens_at, coalesce(max(c.occurred_at) filter (where not c.retracted) over (
        partition by c.account_id, case when c.account_id is null then c.person_id end, c.goal order by c.occurred_at, c.id rows between unbounded preceding and 1 preceding
    ), '-infinity') as used_up_to,
    (g.counting = 'every' or not exists (select
      from (
        select held.id, held.occurred_at
        from conversions held
        where held.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
          and true
          and held.account_id = c.account_id
          and (held.account_id, held.goal, held.occurred_at) >= (c.account_id, c.goal, '-infinity'::timestamptz)
          and (held.account_id, held.goal, held.occurred_at) <= (c.account_id, c.goal, c.occurred_at) union all
        select held.id, held.occurred_at
        from conversions held
        where held.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
          and c.account_id is null
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
        when c.currency = 'USD' then 1
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
  select row_number() over (order by c.account_id, case when c.account_id is null then c.person_id end, c.occurred_at, c.id) as number, row_number() over (order by c.account_id, case when c.account_id is null then c.person_id end, c.occurred_at, c.id) - row_number() over entity as entity, c.id, c.person_id, c.account_id, c.goal,
    c.occurred_at, c.touchpoint_id, c.currency, null::text as interval, c.retracted, c.opens_at, c.used_up_to,
    c.restated_value is not null and c.rate is null as lacks_rate, c.value * c.rate as gross,
    c.restated_value * c.rate as net, count(*) filter (where not c.retracted) over entity > 32 as is_crowded,
    lag(c.occurred_at) over entity as previous_at,
    lead(c.occurred_at) over entity - (select max(lookback) from goal_settings) as next_opens_at
  from bounded c
  where occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and counts
  window entity as (
      partition by c.account_id, case when c.account_id is null then c.person_id end order by c.occurred_at, c.id rows between unbounded preceding and unbounded following
  )
),
  crowded as materialized (
  select c.entity, case when c.account_id is null then c.person_id end as person_id, c.account_id, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
  from converted c
  where c.is_crowded and not c.retracted
  group by c.entity, c.account_id, case when c.account_id is null then c.person_id end
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
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.id = c.touchpoint_id and ((true and t.account_id = c.account_id) or (c.account_id is null and t.person_id = c.person_id)) and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
    offset 0
  ) r on true
  where c.is_crowded and not c.retracted
), swept_marks as materialized (
  select *, max(place) filter (where not is_direct) over sorted as non_direct, max(touch_at) over sorted as last_at, false as by_group,
    max(group_number) over (partition by entity) as groups, max("opening") over (partition by entity) as "openings", max("interval_number") over (partition by entity) as "intervals"
  from (
    select *, count(touch_at) over sorted as place
    from (
      select c.entity, t.occurred_at as at, 0 as side, t.id, null as mark, t.occurred_at as touch_at,
        t.channel = 'direct' as is_direct, array[t.channel] collate "C" as dimensions, null::bigint as group_number,
        null as conversion_id, null::timestamptz as recorded_at, null::text[] as recorded_dimensions, null::bigint as "number", null::text as "interval", null::numeric as "gross", null::numeric as "net", null::boolean as "retracted", null::bigint as "opening", null::bigint as "interval_number"
      from crowded c
      join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.account_id = c.account_id
        and (t.account_id, t.occurred_at) >= (c.account_id, c.from_at)
        and (t.account_id, t.occurred_at) <= (c.account_id, c.to_at)
      where t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[]) union all
      select c.entity, t.occurred_at as at, 0 as side, t.id, null as mark, t.occurred_at as touch_at,
        t.channel = 'direct' as is_direct, array[t.channel] collate "C" as dimensions, null::bigint as group_number,
        null as conversion_id, null::timestamptz as recorded_at, null::text[] as recorded_dimensions, null::bigint as "number", null::text as "interval", null::numeric as "gross", null::numeric as "net", null::boolean as "retracted", null::bigint as "opening", null::bigint as "interval_number"
      from crowded c
      join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.account_id is null and t.person_id = c.person_id
        and (t.person_id, t.occurred_at) >= (c.person_id, c.from_at)
        and (t.person_id, t.occurred_at) <= (c.person_id, c.to_at)
      where t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
      union all
      select c.entity, bound.at, bound.side, bound.id, bound.mark, null, null, null, null, c.id, recorded_at,
        recorded_dimensions, c.number, c.interval, c.gross, c.net, c.retracted, dense_rank() over (partition by c.entity order by c.goal), dense_rank() over (partition by c.entity order by c.interval)
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
  select entity, id, touch_at as occurred_at, is_direct, dimensions, place, by_group, group_number, "openings", "intervals"
  from swept_marks
  where conversion_id is null
), swept_bounds as (
  select *, case when recorded_place > low and recorded_place <= high then recorded_place end as recorded
  from (
    select entity, conversion_id, bool_or(by_group) as by_group, max(groups) as groups, recorded_at, recorded_dimensions, "number", "interval", "gross", "net", "retracted", "opening", "interval_number",
      max(place) filter (where mark = 'opens') as low, max(place) filter (where mark = 'closes') as high,
      max(place) filter (where mark = 'recorded') as recorded_place,
      max(last_at) filter (where mark = 'closes') as last_at, max(last_at) filter (where mark = 'before') as before_at,
      max(non_direct) filter (where mark = 'closes') as non_direct,
      max(non_direct) filter (where mark = 'before') as before_non_direct
    from swept_marks
    where conversion_id is not null
    group by entity, conversion_id, recorded_at, recorded_dimensions, "number", "interval", "gross", "net", "retracted", "opening", "interval_number"
  ) bounds
), swept_journeys as materialized (
  select entity, conversion_id, "number", "interval", "gross", "net", "retracted", "opening", "interval_number", by_group, groups, high - low - (recorded is not null)::int as touches,
    low, high, recorded, recorded_at, recorded_dimensions,
    case when high - low > (recorded is not null)::int then low + 1 + coalesce(recorded = low + 1, false)::int end as first,
    nullif(greatest(high - coalesce(recorded = high, false)::int, low), low) as last, case when recorded = high then before_at else last_at end as last_at,
    nullif(greatest(case when non_direct = recorded then before_non_direct else non_direct end, low), low) as last_non_direct
  from swept_bounds
),
  touched as (
  select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, c.number, c.interval, c.net::float8 as net, coalesce(t.occurred_at <= c.previous_at or t.occurred_at >= c.next_opens_at, false) as is_shared, t.channel as "channel"
  from listed_conversions c
  join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.account_id = c.account_id
    and (t.account_id, t.occurred_at) >= (c.account_id, c.opens_at)
    and (t.account_id, t.occurred_at) <= (c.account_id, c.occurred_at) and (t.account_id, t.occurred_at) > (c.account_id, c.used_up_to)
  where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[]) union all
  select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, c.number, c.interval, c.net::float8 as net, coalesce(t.occurred_at <= c.previous_at or t.occurred_at >= c.next_opens_at, false) as is_shared, t.channel as "channel"
  from listed_conversions c
  join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.account_id is null and t.person_id = c.person_id
    and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
    and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at) and (t.person_id, t.occurred_at) > (c.person_id, c.used_up_to)
  where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
), ranked as materialized (
  select number, interval, "channel", net, touchpoint_id, is_shared, case when position = 1 then 1 when position = touches then least(touches, 3) else 2 end as place, least(touches, 3) as places, case when position in (1, touches) then 1 else 1::float8 / (touches - 2) end as part, 1::float8 / touches as "weight_0"
  from (
    select number, interval, "channel", net, touchpoint_id, is_shared, row_number() over journey as position, count(*) over journey as touches
    from touched touched
    window journey as (
        partition by number order by occurred_at, touchpoint_id rows between unbounded preceding and unbounded following
    ),
      earlier as (partition by number order by occurred_at, touchpoint_id rows unbounded preceding)
  ) positioned
),
  by_place as materialized (
  select interval, "channel", place, places, count(*) as journeys, count(*) filter (where not is_shared) as new_touchpoints, sum("weight_0") as "weight_0", sum("weight_0" * net) as "worth_0"
  from ranked
  group by interval, "channel", place, places
),
  swept_placed as materialized (
  select entity, null as interval, place, occurred_at, dimensions, openings
  from crowd_touches
), swept_pieces as materialized (
  select entity, interval, by_group, groups, net, gross, retracted, touches, piece.position::float8 as position,
    (last_non_direct - low - coalesce(recorded < last_non_direct, false)::int) as last_non_direct, piece.from_place, piece.to_place, piece.is_own,
    (piece.from_place = last)::int as is_last
  from swept_journeys
  cross join lateral (
    select place, lag(place, 1, low) over (order by place) as previous
    from (select distinct place from (values (first), (last), (recorded)) places (place) where place is not null) places
  ) own
  cross join lateral (values
      (own.place, own.place + 1, (own.place - low - coalesce(recorded < own.place, false)::int), true, own.place is distinct from recorded),
      (own.previous + 1, own.place, (own.place - low - coalesce(recorded < own.place, false)::int) - 0.5, false, own.place - own.previous > 1)
  ) piece (from_place, to_place, position, is_own, occurs)
  where touches > 0 and piece.occurs
), swept_events as (
  select *, (covering > 0)::int - (lag(covering, 1, 0) over (partition by entity, interval order by place) > 0)::int as covered
  from (
    select entity, interval, by_group, groups, bound.place, sum(sum(bound.sign)) over (partition by entity, interval order by bound.place) as covering, sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (1::float8 / touches)::numeric end end) as "linear_net", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (1::float8 / touches)::numeric end * coalesce(net, 0) end) as "linear_value"
    from swept_pieces
    cross join lateral (values (from_place, 1), (to_place, -1)) bound (place, sign)
    group by entity, interval, by_group, groups, bound.place
  ) events
), swept_own as (
  select *
  from (
    select *, max(touch_dimensions) over (partition by entity, place) as dimensions
    from (
      select entity, place, dimensions as touch_dimensions, null as interval, null::int as is_last, null::float8 as net,
        null::float8 as gross, null::boolean as retracted, null::bigint as touches, null::float8 as position,
        null::bigint as last_non_direct
      from crowd_touches
      union all
      select entity, from_place, null, interval, is_last, net::float8, gross::float8, retracted, touches, position,
        last_non_direct
      from swept_pieces
      where is_own
    ) listed
  ) listed
  where touch_dimensions is null
), swept_credit as materialized (
  select interval, dimensions, sum(touchpoints)::bigint as touchpoints, sum(lasts)::bigint as lasts, coalesce(sum("net_0"), 0) as "net_0", coalesce(sum("value_0"), 0) as "value_0"
  from (
    select interval, dimensions, sum(covered) as touchpoints, 0 as lasts, 1::float8 * sum("linear_net")::float8 as "net_0", 1::float8 * sum("linear_value")::float8 as "value_0"
    from (
      select interval, dimensions, weight * covered as covered, weight * "linear_net" as "linear_net", weight * "linear_value" as "linear_value"
      from (
        select interval, dimensions, weight, sum(covered) over here as covered, sum("linear_net") over here as "linear_net", sum("linear_value") over here as "linear_value"
        from (
          select entity, interval, place, dimensions, 1 as weight, 0 as covered, 0 as "linear_net", 0 as "linear_value"
          from swept_placed
          union all
          select entity, interval, place, null, null, covered, "linear_net", "linear_value"
          from swept_events
          where not by_group
        ) listed
        window here as (partition by entity, interval order by place)
      ) places
      where dimensions is not null
    ) sums
    group by interval, dimensions
    union all
    select interval, dimensions, 0, sum(is_last), sum(case when retracted then 0 else 1::float8 / touches end), sum(case when retracted then 0 else 1::float8 / touches * coalesce(net, 0) end)
    from swept_own
    group by interval, dimensions
  ) credited
  group by interval, dimensions
  having sum(touchpoints) > 0
),
  attributed as (
  select number
  from ranked
  where place = 1
  union all
  select number
  from swept_journeys
  where touches > 0
),
  swept_influence as (
  select interval, dimensions, sum(influenced)::bigint as influenced
  from (
    select interval, dimensions, greatest(least(begun, coalesce(lead(ended) over (
              partition by entity, interval, opening, dimensions order by place
          ), journeys)) - ended, 0) as influenced
    from (
      select *, count(*) filter (where mark = 1) over earlier as ended, count(*) filter (where mark = -1) over earlier as begun,
        count(*) filter (where mark = 1) over (partition by entity, interval, opening) as journeys
      from (
        select entity, interval, opening, place, 0 as mark, dimensions
        from swept_placed
        cross join lateral generate_series(1, openings) opening
        union all
        select entity, interval, opening, bound.place, bound.mark, null
        from swept_journeys
        cross join lateral (values (low + 1, -1), (high + 1, 1)) bound (place, mark)
        where not by_group
      ) listed
      window earlier as (partition by entity, interval, opening order by place)
    ) counted
    where dimensions is not null
    union all
    select interval, dimensions, -1
    from (
      select interval, dimensions, conversion_id, sum(sign * seen) as touches
      from (
        select *, count(touch) over (partition by entity, dimensions order by place) as seen
        from (
          select entity, place, dimensions, id as touch, null as interval, null as conversion_id, 0 as sign
          from (
            select *, (entity, dimensions) in (
              select entity, recorded_dimensions from swept_journeys where recorded is not null and not by_group
            ) as records
            from crowd_touches
            offset 0
          ) touches
          where records
          union all
          select entity, bound.place, recorded_dimensions, null, interval, conversion_id, bound.sign
          from swept_journeys
          cross join lateral (values (low, -1), (high, 1)) bound (place, sign)
          where recorded is not null and not by_group
        ) listed
      ) counted
      where sign <> 0
      group by interval, dimensions, conversion_id
    ) held
    where touches = 1
  ) counted
  group by interval, dimensions
),
  by_group as (
  select interval, array["channel"] collate "C" as dimensions, sum(touchpoints)::int as touchpoints,
    sum(influenced)::int as influenced, sum(assisted)::int as assisted,
    sum("weight_0") as "weight_0", coalesce(sum("worth_0"), 0) as "worth_0"
  from (
    select interval, "channel", new_touchpoints as touchpoints,
      case when places = 1 then journeys else 0 end as influenced,
      case when places > 1 and place = places then -journeys else 0 end as assisted, "weight_0", "worth_0"
    from by_place
    union all
    select interval, "channel", count(*), 0, 0, 0, 0
    from (select distinct touchpoint_id, interval, "channel" from ranked where is_shared) distinct_touchpoints
    group by interval, "channel"
    union all
    select interval, "channel", 0, count(*), count(*), 0, 0
    from (select distinct number, interval, "channel" from ranked where places > 1) held
    group by interval, "channel"
    union all
    select interval, dimensions[1::int], touchpoints, 0, -lasts, "net_0", "value_0"
    from swept_credit
    union all
    select interval, dimensions[1::int], 0, influenced, influenced, 0, 0
    from swept_influence
    where influenced > 0
  ) counted
  group by interval, "channel"
), placed as materialized (
  select *, row_number() over (order by "weight_0" desc, interval, dimensions) > 1000 as folded
  from by_group
), folded_journeys as (
  select interval, bool_or(place = places) as is_last
  from (
    select *, (coalesce(interval, ''), array["channel"] collate "C") in (
      select coalesce(interval, ''), dimensions from placed where folded
    ) as is_folded
    from ranked
    offset 0
  ) ranked
  where is_folded
  group by interval, number
  union all
  select interval, is_last
  from (
    select interval, conversion_id, coalesce(bool_or(here > 0) filter (where mark = 'last'), false) as is_last,
      sum(case mark when 'low' then -before when 'high' then before when 'recorded' then -here end) as held
    from (
      select *, sum(folded) over (partition by entity, interval order by place) as before,
        sum(folded) over (partition by entity, interval, place) as here
      from (
        select entity, interval, place, null as conversion_id, null as mark, ((coalesce(interval, ''), dimensions) in (select coalesce(interval, ''), dimensions from placed where folded))::int as folded
        from swept_placed
        union all
        select entity, interval, asked.place, conversion_id, asked.mark, 0
        from swept_journeys
        cross join lateral (values (low, 'low'), (high, 'high'), (recorded, 'recorded'), (last, 'last')) asked (place, mark)
        where asked.place is not null and not by_group
      ) listed
    ) listed
    where conversion_id is not null
    group by interval, conversion_id
  ) held
  where held > 0
), folded as (
  select interval, sum(touchpoints)::int as touchpoints,
    (select count(*) from folded_journeys j where j.interval is not distinct from p.interval)::int as influenced,
    (select count(*) from folded_journeys j where j.interval is not distinct from p.interval and not j.is_last)::int as assisted,
    sum("weight_0") as "weight_0", sum("worth_0") as "worth_0"
  from placed p
  where folded
  group by interval
), answer as (
  select interval, dimensions, false as other, touchpoints, influenced, assisted, array["weight_0"] as credits, array["worth_0"] as values
  from placed
  where not folded
  union all
  select interval, null, true, touchpoints, influenced, assisted, array["weight_0"] as credits, array["worth_0"] as values
  from folded
)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])) as goals, (select json_agg(totals)
  from (
    select null::text as interval,
      coalesce(sum(conversions), 0)::int as conversions, coalesce(sum(value), 0)::text as value,
      coalesce(sum(gross_conversions), 0)::int as gross_conversions, coalesce(sum(gross_value), 0)::text as gross_value,
      coalesce(sum(attributed_conversions), 0)::int as attributed_conversions,
      coalesce(sum(attributed_value), 0)::text as attributed_value, coalesce(sum(lacks_rate), 0)::int as lacks_rate
    from (
      select interval, currency, count(*) filter (where not retracted) as conversions,
        coalesce(sum(net) filter (where not retracted), 0) as value, count(*) as gross_conversions,
        coalesce(sum(gross), 0) as gross_value, count(*) filter (where is_attributed) as attributed_conversions,
        coalesce(sum(net) filter (where is_attributed), 0) as attributed_value,
        count(*) filter (where lacks_rate) as lacks_rate, count(net) as valued
      from (
        select c.*, c.number in (select number from attributed) as is_attributed
        from converted c
        offset 0
      ) c
      group by interval, currency) sums
  ) totals) as totals,
  (select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), '[]') from answer) as groups, null::json as sums;
