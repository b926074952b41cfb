with
  goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(null::float8, g.lookback_days) * 86400::float8) as lookback
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any(array(
      select g.key
      from goals g
      where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
))),
  reached as materialized (
  select c.*, (c.occurred_at at time zone 'Europe/Berlin')::date as day
  from conversions c
  where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and c.goal = any(array(
      select g.key
      from goals g
      where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
  ))
    and c.occurred_at >= '2026-05-16T22:00:00.000Z'::timestamptz - make_interval(secs => 0::float8)
    and c.occurred_at < '2026-06-15T22:00:00.000Z'::timestamptz
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - 7::int as oldest
      from (select currency, day from reached where occurred_at >= '2026-05-16T22:00:00.000Z'::timestamptz) amounts
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
  where occurred_at >= '2026-05-16T22:00:00.000Z'::timestamptz and counts
),
  crowded as materialized (
  select c.person_id, null::text as account_id, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
  from converted c
  where not c.retracted
  group by c.person_id
  having count(*) > 32
), crowd_touches as materialized (
  select *, max(place) filter (where not is_direct) over (partition by entity order by place) as non_direct
  from (
    select *, row_number() over (partition by entity order by occurred_at, id) as place,
      dense_rank() over (partition by entity order by dimensions) as group_number
    from (
      select c.person_id::text as entity, t.id, t.occurred_at, t.channel = 'direct' as is_direct,
        array[t.channel] collate "C" as dimensions
      from crowded c
      join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
        and (t.person_id, t.occurred_at) >= (c.person_id, c.from_at)
        and (t.person_id, t.occurred_at) <= (c.person_id, c.to_at)
      where t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
    ) t
  ) t
), swept as materialized (
  select entity
  from crowd_touches
  group by entity
  having max(group_number) * 8::int <= count(*)
), listed_conversions as (
  select *
  from converted c
  where c.person_id::text not in (select entity from swept)
),
  swept_conversions as materialized (
  select *, null::text as interval
  from (
    select c.*, c.person_id::text as entity, c.person_id::text in (select entity from swept) as is_swept
    from converted c
    offset 0
  ) c
  where is_swept and not retracted
), swept_bounds as (
  select entity, conversion_id, max(interval) as interval, max(gross) as gross, max(net) as net,
    bool_or(retracted) as retracted, max(touchpoint_id) as touchpoint_id, max(groups) as groups,
    max(place) filter (where mark = 'opens') as low, max(place) filter (where mark = 'closes') as high,
    max(place) filter (where mark = 'lead') as lead, max(place) filter (where mark = 'opportunity') as opportunity
  from (
    select *, count(touch) over (partition by entity order by at, side) as place,
      max(group_number) over (partition by entity) as groups
    from (
      select entity, occurred_at as at, 0 as side, id as touch, group_number, null as conversion_id,
        null as interval, null::numeric as gross, null::numeric as net, null::boolean as retracted,
        null as touchpoint_id, null as mark
      from crowd_touches
      union all
      select entity, bound.at, bound.side, null, null, id, interval, gross, net, retracted, touchpoint_id, bound.mark
      from swept_conversions
      cross join lateral (
          values (opens_at, -1, 'opens'), (used_up_to, 1, 'opens'), (occurred_at, 1, 'closes')
      ) bound (at, side, mark)
      where bound.at is not null
    ) marks
  ) marks
  where conversion_id is not null
  group by entity, conversion_id
), swept_recorded as (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity,
    case when recorded > low and recorded <= high then recorded end as recorded
  from (
    select *, max(place) over (partition by entity, touchpoint_id) as recorded
    from (
      select entity, id as touchpoint_id, place, null as conversion_id, null as interval, null::numeric as gross,
        null::numeric as net, null::boolean as retracted, null::bigint as low, null::bigint as high,
        null::bigint as groups, null::bigint as lead, null::bigint as opportunity
      from crowd_touches
      union all
      select entity, touchpoint_id, null, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity
      from swept_bounds
    ) listed
  ) listed
  where conversion_id is not null
), swept_last as (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity, recorded,
    max(non_direct) filter (where not is_before) as at_end, max(non_direct) filter (where is_before) as before_recorded
  from (
    select *, max(touch_non_direct) over (partition by entity, place) as non_direct
    from (
      select entity, place, non_direct as touch_non_direct, null as conversion_id, null as interval,
        null::numeric as gross, null::numeric as net, null::boolean as retracted, null::bigint as low,
        null::bigint as high, null::bigint as groups, null::bigint as lead, null::bigint as opportunity,
        null::bigint as recorded, false as is_before
      from crowd_touches
      union all
      select entity, asked.place, null, conversion_id, interval, gross, net, retracted, low, high, groups, lead,
        opportunity, recorded, asked.is_before
      from swept_recorded
      cross join lateral (values (high, false), (recorded - 1, true)) asked (place, is_before)
      where asked.place is not null
    ) listed
  ) listed
  where conversion_id is not null
  group by entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity, recorded
), swept_journeys as materialized (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded,
    high - low - (recorded is not null)::int as touches,
    nullif(greatest(case when at_end = recorded then before_recorded else at_end end, low), low) as last_non_direct,
    nullif(greatest(lead - coalesce(recorded = lead, false)::int, low), low) as lead, nullif(greatest(opportunity - coalesce(recorded = opportunity, false)::int, low), low) as opportunity
  from swept_last
), swept_touches as materialized (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
    last_non_direct, lead, opportunity, place, dimensions, occurred_at, is_recorded
  from (
    select *, max(touch_dimensions) over (partition by entity, place) as dimensions,
      max(touch_at) over (partition by entity, place) as occurred_at
    from (
      select entity, null as conversion_id, null as interval, null::numeric as gross, null::numeric as net,
        null::boolean as retracted, null::bigint as low, null::bigint as high, null::bigint as groups,
        null::bigint as recorded, null::bigint as touches, null::bigint as last_non_direct,
        null::bigint as lead, null::bigint as opportunity, place, dimensions as touch_dimensions, occurred_at as touch_at, false as is_recorded
      from crowd_touches
      union all
      select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
        last_non_direct, lead, opportunity, own.place, null, null, coalesce(own.place = recorded, false)
      from swept_journeys
      cross join lateral (
        select distinct place
        from (values
            (case when touches > 0 then low + 1 + coalesce(recorded = low + 1, false)::int end),
            (case when touches > 0 then nullif(greatest(high - coalesce(recorded = high, false)::int, low), low) end), (last_non_direct), (lead), (opportunity), (recorded)
        ) places (place)
        where place is not null
      ) own
    ) listed
  ) listed
  where conversion_id is not null
), swept_rest as (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
    last_non_direct, lead, opportunity, segment_end, dimensions, sum(times) as times
  from (
    select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
      last_non_direct, lead, opportunity, segment_end, dimensions, sign * seen as times
    from (
      select *, count(touch) over (partition by entity, group_number order by place) as seen,
        max(touch_dimensions) over (partition by entity, group_number) as dimensions
      from (
        select entity, null as conversion_id, null as interval, null::numeric as gross, null::numeric as net,
          null::boolean as retracted, null::bigint as low, null::bigint as high, null::bigint as groups,
          null::bigint as recorded, null::bigint as touches, null::bigint as last_non_direct,
          null::bigint as lead, null::bigint as opportunity, group_number, place, id as touch, dimensions as touch_dimensions, null::bigint as segment_end, 0 as sign
        from crowd_touches
        union all
        select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
          last_non_direct, lead, opportunity, group_number, bound.place, null, null, segment.ends, bound.sign
        from swept_journeys
        cross join lateral (
          select coalesce(lag(ends) over (order by ends), low) as starts, ends
          from (select distinct ends from (values (lead), (opportunity), (high)) all_ends (ends) where ends is not null) parts) segment
        cross join lateral (values (segment.starts, -1), (segment.ends, 1)) bound (place, sign)
        cross join lateral generate_series(1, groups) group_number
      ) listed
    ) counted
    where conversion_id is not null
    union all
    select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
      last_non_direct, lead, opportunity, segment.ends, dimensions, -1
    from swept_touches
    cross join lateral (
      select coalesce(lag(ends) over (order by ends), low) as starts, ends
      from (select distinct ends from (values (lead), (opportunity), (high)) all_ends (ends) where ends is not null) parts) segment
    where place > segment.starts and place <= segment.ends
  ) counted
  group by entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
    last_non_direct, lead, opportunity, segment_end, dimensions
  having sum(times) > 0
), swept_rows as (
  select conversion_id, interval, dimensions, gross, net, retracted, touches, position, times, decay,
    (last_non_direct - low - coalesce(recorded < last_non_direct, false)::int) as last_non_direct, (lead - low - coalesce(recorded < lead, false)::int) as lead_position,
    (opportunity - low - coalesce(recorded < opportunity, false)::int) as opportunity_position
  from (
    select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
      last_non_direct, lead, opportunity, dimensions, (place - low - coalesce(recorded < place, false)::int)::float8 as position, 1 as times, 0::float8 as decay
    from swept_touches
    where not is_recorded
    union all
    select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
      last_non_direct, lead, opportunity, dimensions, (nullif(greatest(segment_end - coalesce(recorded = segment_end, false)::int, low), low) - low - coalesce(recorded < nullif(greatest(segment_end - coalesce(recorded = segment_end, false)::int, low), low), false)::int) - 0.5, times, 0
    from swept_rest
  ) rows
),
  touched as (
  select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, null::text as interval, c.gross, c.net, c.retracted,
    t.channel = 'direct' as is_direct,
    array[t.channel] collate "C" as dimensions
  from listed_conversions c
  join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
    and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
    and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
    and (t.person_id, t.occurred_at) > (c.person_id, c.used_up_to)
  where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
), positioned as (
  select *, row_number() over journey as position
  from touched
  window journey as (partition by conversion_id order by occurred_at, touchpoint_id)
), ranked as materialized (
  select *, count(*) over journey as touches, max(occurred_at) over journey as newest_at,
    max(position) filter (where not is_direct) over journey as last_non_direct
  from positioned
  window journey as (partition by conversion_id)
),
  weighted as (
  select conversion_id, interval, dimensions, gross, net, retracted, position = touches as is_last, 1::float8 / touches as "weight_0"
  from (select *, null as decay from ranked) ranked
), swept_weighted as (
  select conversion_id, interval, dimensions, gross, net, retracted, times, position = touches as is_last, times * (1::float8 / touches) as "weight_0"
  from swept_rows
), by_journey as materialized (
  select conversion_id, interval, dimensions, gross, net, retracted, bool_or(is_last) as is_last, sum("weight_0")::float8 as "weight_0"
  from weighted
  group by conversion_id, interval, dimensions, gross, net, retracted
  union all
  select conversion_id, interval, dimensions, gross, net, retracted, bool_or(is_last), sum("weight_0")::float8 as "weight_0"
  from swept_weighted
  group by conversion_id, interval, dimensions, gross, net, retracted
  having sum(times) > 0
)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any(array(
      select g.key
      from goals g
      where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
))) as goals,
  count(*) filter (where not retracted)::int as conversions,
  coalesce(sum(net) filter (where not retracted), 0)::text as value,
  count(*) filter (where is_attributed)::int as attributed,
  count(*) filter (where lacks_rate)::int as lacks_rate,
  (
  select coalesce(json_agg(json_build_object(
          'channel', dimensions[1], 'conversions', conversions, 'value', value
      ) order by conversions desc, dimensions), '[]')
  from (
    select dimensions, sum("weight_0") as conversions, coalesce(sum("weight_0" * net::float8), 0) as value
    from by_journey
    group by dimensions
  ) credited
) as channels
from (
  select c.*, c.id in (select conversion_id from by_journey) as is_attributed
  from converted c
  offset 0
) c;

with
  goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(null::float8, g.lookback_days) * 86400::float8) as lookback
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any(array(
      select g.key
      from goals g
      where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
))),
  reached as materialized (
  select c.*, (c.occurred_at at time zone 'Europe/Berlin')::date as day
  from conversions c
  where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and c.goal = any(array(
      select g.key
      from goals g
      where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
  ))
    and c.occurred_at >= '2026-04-16T22:00:00.000Z'::timestamptz - make_interval(secs => 0::float8)
    and c.occurred_at < '2026-05-16T22:00:00.000Z'::timestamptz
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - 7::int as oldest
      from (select currency, day from reached where occurred_at >= '2026-04-16T22:00:00.000Z'::timestamptz) amounts
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
  where occurred_at >= '2026-04-16T22:00:00.000Z'::timestamptz and counts
),
  crowded as materialized (
  select c.person_id, null::text as account_id, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
  from converted c
  where not c.retracted
  group by c.person_id
  having count(*) > 32
), crowd_touches as materialized (
  select *, max(place) filter (where not is_direct) over (partition by entity order by place) as non_direct
  from (
    select *, row_number() over (partition by entity order by occurred_at, id) as place,
      dense_rank() over (partition by entity order by dimensions) as group_number
    from (
      select c.person_id::text as entity, t.id, t.occurred_at, t.channel = 'direct' as is_direct,
        array[t.channel] collate "C" as dimensions
      from crowded c
      join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
        and (t.person_id, t.occurred_at) >= (c.person_id, c.from_at)
        and (t.person_id, t.occurred_at) <= (c.person_id, c.to_at)
      where t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
    ) t
  ) t
), swept as materialized (
  select entity
  from crowd_touches
  group by entity
  having max(group_number) * 8::int <= count(*)
), listed_conversions as (
  select *
  from converted c
  where c.person_id::text not in (select entity from swept)
),
  swept_conversions as materialized (
  select *, null::text as interval
  from (
    select c.*, c.person_id::text as entity, c.person_id::text in (select entity from swept) as is_swept
    from converted c
    offset 0
  ) c
  where is_swept and not retracted
), swept_bounds as (
  select entity, conversion_id, max(interval) as interval, max(gross) as gross, max(net) as net,
    bool_or(retracted) as retracted, max(touchpoint_id) as touchpoint_id, max(groups) as groups,
    max(place) filter (where mark = 'opens') as low, max(place) filter (where mark = 'closes') as high,
    max(place) filter (where mark = 'lead') as lead, max(place) filter (where mark = 'opportunity') as opportunity
  from (
    select *, count(touch) over (partition by entity order by at, side) as place,
      max(group_number) over (partition by entity) as groups
    from (
      select entity, occurred_at as at, 0 as side, id as touch, group_number, null as conversion_id,
        null as interval, null::numeric as gross, null::numeric as net, null::boolean as retracted,
        null as touchpoint_id, null as mark
      from crowd_touches
      union all
      select entity, bound.at, bound.side, null, null, id, interval, gross, net, retracted, touchpoint_id, bound.mark
      from swept_conversions
      cross join lateral (
          values (opens_at, -1, 'opens'), (used_up_to, 1, 'opens'), (occurred_at, 1, 'closes')
      ) bound (at, side, mark)
      where bound.at is not null
    ) marks
  ) marks
  where conversion_id is not null
  group by entity, conversion_id
), swept_recorded as (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity,
    case when recorded > low and recorded <= high then recorded end as recorded
  from (
    select *, max(place) over (partition by entity, touchpoint_id) as recorded
    from (
      select entity, id as touchpoint_id, place, null as conversion_id, null as interval, null::numeric as gross,
        null::numeric as net, null::boolean as retracted, null::bigint as low, null::bigint as high,
        null::bigint as groups, null::bigint as lead, null::bigint as opportunity
      from crowd_touches
      union all
      select entity, touchpoint_id, null, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity
      from swept_bounds
    ) listed
  ) listed
  where conversion_id is not null
), swept_last as (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity, recorded,
    max(non_direct) filter (where not is_before) as at_end, max(non_direct) filter (where is_before) as before_recorded
  from (
    select *, max(touch_non_direct) over (partition by entity, place) as non_direct
    from (
      select entity, place, non_direct as touch_non_direct, null as conversion_id, null as interval,
        null::numeric as gross, null::numeric as net, null::boolean as retracted, null::bigint as low,
        null::bigint as high, null::bigint as groups, null::bigint as lead, null::bigint as opportunity,
        null::bigint as recorded, false as is_before
      from crowd_touches
      union all
      select entity, asked.place, null, conversion_id, interval, gross, net, retracted, low, high, groups, lead,
        opportunity, recorded, asked.is_before
      from swept_recorded
      cross join lateral (values (high, false), (recorded - 1, true)) asked (place, is_before)
      where asked.place is not null
    ) listed
  ) listed
  where conversion_id is not null
  group by entity, conversion_id, interval, gross, net, retracted, low, high, groups, lead, opportunity, recorded
), swept_journeys as materialized (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded,
    high - low - (recorded is not null)::int as touches,
    nullif(greatest(case when at_end = recorded then before_recorded else at_end end, low), low) as last_non_direct,
    nullif(greatest(lead - coalesce(recorded = lead, false)::int, low), low) as lead, nullif(greatest(opportunity - coalesce(recorded = opportunity, false)::int, low), low) as opportunity
  from swept_last
), swept_touches as materialized (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
    last_non_direct, lead, opportunity, place, dimensions, occurred_at, is_recorded
  from (
    select *, max(touch_dimensions) over (partition by entity, place) as dimensions,
      max(touch_at) over (partition by entity, place) as occurred_at
    from (
      select entity, null as conversion_id, null as interval, null::numeric as gross, null::numeric as net,
        null::boolean as retracted, null::bigint as low, null::bigint as high, null::bigint as groups,
        null::bigint as recorded, null::bigint as touches, null::bigint as last_non_direct,
        null::bigint as lead, null::bigint as opportunity, place, dimensions as touch_dimensions, occurred_at as touch_at, false as is_recorded
      from crowd_touches
      union all
      select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
        last_non_direct, lead, opportunity, own.place, null, null, coalesce(own.place = recorded, false)
      from swept_journeys
      cross join lateral (
        select distinct place
        from (values
            (case when touches > 0 then low + 1 + coalesce(recorded = low + 1, false)::int end),
            (case when touches > 0 then nullif(greatest(high - coalesce(recorded = high, false)::int, low), low) end), (last_non_direct), (lead), (opportunity), (recorded)
        ) places (place)
        where place is not null
      ) own
    ) listed
  ) listed
  where conversion_id is not null
), swept_rest as (
  select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
    last_non_direct, lead, opportunity, segment_end, dimensions, sum(times) as times
  from (
    select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
      last_non_direct, lead, opportunity, segment_end, dimensions, sign * seen as times
    from (
      select *, count(touch) over (partition by entity, group_number order by place) as seen,
        max(touch_dimensions) over (partition by entity, group_number) as dimensions
      from (
        select entity, null as conversion_id, null as interval, null::numeric as gross, null::numeric as net,
          null::boolean as retracted, null::bigint as low, null::bigint as high, null::bigint as groups,
          null::bigint as recorded, null::bigint as touches, null::bigint as last_non_direct,
          null::bigint as lead, null::bigint as opportunity, group_number, place, id as touch, dimensions as touch_dimensions, null::bigint as segment_end, 0 as sign
        from crowd_touches
        union all
        select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
          last_non_direct, lead, opportunity, group_number, bound.place, null, null, segment.ends, bound.sign
        from swept_journeys
        cross join lateral (
          select coalesce(lag(ends) over (order by ends), low) as starts, ends
          from (select distinct ends from (values (lead), (opportunity), (high)) all_ends (ends) where ends is not null) parts) segment
        cross join lateral (values (segment.starts, -1), (segment.ends, 1)) bound (place, sign)
        cross join lateral generate_series(1, groups) group_number
      ) listed
    ) counted
    where conversion_id is not null
    union all
    select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
      last_non_direct, lead, opportunity, segment.ends, dimensions, -1
    from swept_touches
    cross join lateral (
      select coalesce(lag(ends) over (order by ends), low) as starts, ends
      from (select distinct ends from (values (lead), (opportunity), (high)) all_ends (ends) where ends is not null) parts) segment
    where place > segment.starts and place <= segment.ends
  ) counted
  group by entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
    last_non_direct, lead, opportunity, segment_end, dimensions
  having sum(times) > 0
), swept_rows as (
  select conversion_id, interval, dimensions, gross, net, retracted, touches, position, times, decay,
    (last_non_direct - low - coalesce(recorded < last_non_direct, false)::int) as last_non_direct, (lead - low - coalesce(recorded < lead, false)::int) as lead_position,
    (opportunity - low - coalesce(recorded < opportunity, false)::int) as opportunity_position
  from (
    select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
      last_non_direct, lead, opportunity, dimensions, (place - low - coalesce(recorded < place, false)::int)::float8 as position, 1 as times, 0::float8 as decay
    from swept_touches
    where not is_recorded
    union all
    select entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
      last_non_direct, lead, opportunity, dimensions, (nullif(greatest(segment_end - coalesce(recorded = segment_end, false)::int, low), low) - low - coalesce(recorded < nullif(greatest(segment_end - coalesce(recorded = segment_end, false)::int, low), low), false)::int) - 0.5, times, 0
    from swept_rest
  ) rows
),
  touched as (
  select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, null::text as interval, c.gross, c.net, c.retracted,
    t.channel = 'direct' as is_direct,
    array[t.channel] collate "C" as dimensions
  from listed_conversions c
  join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
    and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
    and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
    and (t.person_id, t.occurred_at) > (c.person_id, c.used_up_to)
  where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[])
), positioned as (
  select *, row_number() over journey as position
  from touched
  window journey as (partition by conversion_id order by occurred_at, touchpoint_id)
), ranked as materialized (
  select *, count(*) over journey as touches, max(occurred_at) over journey as newest_at,
    max(position) filter (where not is_direct) over journey as last_non_direct
  from positioned
  window journey as (partition by conversion_id)
),
  weighted as (
  select conversion_id, interval, dimensions, gross, net, retracted, position = touches as is_last, 1::float8 / touches as "weight_0"
  from (select *, null as decay from ranked) ranked
), swept_weighted as (
  select conversion_id, interval, dimensions, gross, net, retracted, times, position = touches as is_last, times * (1::float8 / touches) as "weight_0"
  from swept_rows
), by_journey as materialized (
  select conversion_id, interval, dimensions, gross, net, retracted, bool_or(is_last) as is_last, sum("weight_0")::float8 as "weight_0"
  from weighted
  group by conversion_id, interval, dimensions, gross, net, retracted
  union all
  select conversion_id, interval, dimensions, gross, net, retracted, bool_or(is_last), sum("weight_0")::float8 as "weight_0"
  from swept_weighted
  group by conversion_id, interval, dimensions, gross, net, retracted
  having sum(times) > 0
)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any(array(
      select g.key
      from goals g
      where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
))) as goals,
  count(*) filter (where not retracted)::int as conversions,
  coalesce(sum(net) filter (where not retracted), 0)::text as value,
  count(*) filter (where is_attributed)::int as attributed,
  count(*) filter (where lacks_rate)::int as lacks_rate,
  (
  select coalesce(json_agg(json_build_object(
          'channel', dimensions[1], 'conversions', conversions, 'value', value
      ) order by conversions desc, dimensions), '[]')
  from (
    select dimensions, sum("weight_0") as conversions, coalesce(sum("weight_0" * net::float8), 0) as value
    from by_journey
    group by dimensions
  ) credited
) as channels
from (
  select c.*, c.id in (select conversion_id from by_journey) as is_attributed
  from converted c
  offset 0
) c;

select (
  select percentile_cont(0.5) within group (order by extract(epoch from v.first_response_at - v.opened_at)::float8)
  from conversations v
  where v.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and v.opened_at >= '2026-05-16T22:00:00.000Z'::timestamptz
    and v.opened_at < '2026-06-15T22:00:00.000Z'::timestamptz and v.first_response_at is not null
) as median_first_response,
  (
  select (count(*) filter (where v.last_at < '2026-06-15T12:00:00.000Z'::timestamptz and v.last_direction = 'inbound')
      + count(*) filter (where v.last_at >= '2026-06-15T12:00:00.000Z'::timestamptz and (
        select t.direction
        from touchpoints t
        where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.conversation = v.id
          and t.occurred_at < '2026-06-15T12:00:00.000Z'::timestamptz and t.direction is not null and t.voided_at is null
        order by t.occurred_at desc, t.id desc
        limit 1
      ) = 'inbound'))::int
  from conversations v
  where v.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and (v.last_at >= '2026-06-15T12:00:00.000Z'::timestamptz or v.last_direction = 'inbound')) as waiting,
  (
  select count(*)::int
  from (
    select c.person_id
    from conversions c
    join goals g on g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = c.goal
    where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and (g.kind = 'cultivation' or g.key = any(array(
          select g.key
          from goals g
          where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
    )))
      and c.occurred_at < '2026-06-15T12:00:00.000Z'::timestamptz and not exists (
      select
      from adjustments a
      where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
      offset 0
    )
    group by c.person_id
    having not bool_or(g.key = any(array(
          select g.key
          from goals g
          where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
    )))
  ) pooled) as pool;

select (
  select percentile_cont(0.5) within group (order by extract(epoch from v.first_response_at - v.opened_at)::float8)
  from conversations v
  where v.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and v.opened_at >= '2026-04-16T22:00:00.000Z'::timestamptz
    and v.opened_at < '2026-05-16T22:00:00.000Z'::timestamptz and v.first_response_at is not null
) as median_first_response,
  (
  select (count(*) filter (where v.last_at < '2026-05-16T22:00:00.000Z'::timestamptz and v.last_direction = 'inbound')
      + count(*) filter (where v.last_at >= '2026-05-16T22:00:00.000Z'::timestamptz and (
        select t.direction
        from touchpoints t
        where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.conversation = v.id
          and t.occurred_at < '2026-05-16T22:00:00.000Z'::timestamptz and t.direction is not null and t.voided_at is null
        order by t.occurred_at desc, t.id desc
        limit 1
      ) = 'inbound'))::int
  from conversations v
  where v.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and (v.last_at >= '2026-05-16T22:00:00.000Z'::timestamptz or v.last_direction = 'inbound')) as waiting,
  (
  select count(*)::int
  from (
    select c.person_id
    from conversions c
    join goals g on g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = c.goal
    where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and (g.kind = 'cultivation' or g.key = any(array(
          select g.key
          from goals g
          where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
    )))
      and c.occurred_at < '2026-05-16T22:00:00.000Z'::timestamptz and not exists (
      select
      from adjustments a
      where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
      offset 0
    )
    group by c.person_id
    having not bool_or(g.key = any(array(
          select g.key
          from goals g
          where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'conversion' and g.archived_at is null
    )))
  ) pooled) as pool;
