with
  goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(null::float8, g.lookback_days) * 86400::float8) as lookback
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase","trial"}'::text[])),
  reached as materialized (
  select c.*, (c.occurred_at at time zone 'Europe/Berlin')::date as day
  from conversions c
  where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
    and c.goal = any('{"purchase","trial"}'::text[])
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
  select c.id, c.person_id, c.account_id, c.goal, c.occurred_at, c.touchpoint_id, c.currency, c.properties,
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
  select id, person_id, account_id, goal, occurred_at, touchpoint_id, retracted, opens_at, used_up_to,
    restated_value is not null and rate is null as lacks_rate, value * rate as gross, restated_value * rate as net
  from bounded
  where occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and counts and properties ->> 'plan'::text = any('{"pro"}'::text[])
),
  crowded as materialized (
  select c.*, (c.person_id::text collate "C") as entity
  from (
    select c.person_id, null::text as account_id, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
    from converted c
    where not c.retracted
    group by c.person_id
    having count(*) > 32
  ) c
), listed_conversions as (
  select *
  from converted c
  where (c.person_id::text collate "C") not in (select entity from crowded)
),
  dated as materialized (
  select c.*, (
    select min(m.occurred_at)
    from (
      select held.id, held.occurred_at
      from conversions held
      where held.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
        and true
        and held.person_id = c.person_id
        and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, 'lead'::text, '-infinity'::timestamptz)
        and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, 'lead'::text, c.occurred_at)) m
    where m.occurred_at >= c.opens_at
      and m.occurred_at > c.used_up_to
      and not exists (
      select
      from adjustments a
      where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = m.id and a.kind = 'retraction'
      offset 0
  )) as lead_at, (
    select min(m.occurred_at)
    from (
      select held.id, held.occurred_at
      from conversions held
      where held.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
        and true
        and held.person_id = c.person_id
        and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, 'opportunity'::text, '-infinity'::timestamptz)
        and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, 'opportunity'::text, c.occurred_at)) m
    where m.occurred_at >= c.opens_at
      and m.occurred_at > c.used_up_to
      and not exists (
      select
      from adjustments a
      where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = m.id and a.kind = 'retraction'
      offset 0
  )) as opportunity_at
  from listed_conversions c
), crowd_dated as materialized (
  select id, person_id, account_id, goal, occurred_at, touchpoint_id, retracted, opens_at, used_up_to, lacks_rate,
    gross, net, case when next_lead <= occurred_at then next_lead end as lead_at,
    case when next_opportunity <= occurred_at then next_opportunity end as opportunity_at
  from (
    select *, min(at) filter (where milestone = 'lead') over backwards as next_lead, min(at) filter (where milestone = 'opportunity') over backwards as next_opportunity
    from (
      select c.entity, m.occurred_at as at, 0 as side, m.goal as milestone, null as id, null::uuid as person_id,
        null as account_id, null as goal, null::timestamptz as occurred_at, null as touchpoint_id,
        null::boolean as retracted, null::timestamptz as opens_at, null::timestamptz as used_up_to,
        null::boolean as lacks_rate, null::numeric as gross, null::numeric as net
      from crowded c
      join conversions m on m.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and m.person_id = c.person_id
        and (m.person_id, m.goal, m.occurred_at) >= (c.person_id, 'lead'::text, c.from_at)
        and (m.person_id, m.goal, m.occurred_at) <= (c.person_id, 'lead'::text, c.to_at)
      where not exists (
        select
        from adjustments a
        where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = m.id and a.kind = 'retraction'
        offset 0
      ) union all
      select c.entity, m.occurred_at as at, 0 as side, m.goal as milestone, null as id, null::uuid as person_id,
        null as account_id, null as goal, null::timestamptz as occurred_at, null as touchpoint_id,
        null::boolean as retracted, null::timestamptz as opens_at, null::timestamptz as used_up_to,
        null::boolean as lacks_rate, null::numeric as gross, null::numeric as net
      from crowded c
      join conversions m on m.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and m.person_id = c.person_id
        and (m.person_id, m.goal, m.occurred_at) >= (c.person_id, 'opportunity'::text, c.from_at)
        and (m.person_id, m.goal, m.occurred_at) <= (c.person_id, 'opportunity'::text, c.to_at)
      where not exists (
        select
        from adjustments a
        where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = m.id and a.kind = 'retraction'
        offset 0
      )
      union all
      select entity, greatest(opens_at, used_up_to), case when used_up_to >= opens_at then 1 else -1 end, null, id,
        person_id, account_id, goal, occurred_at, touchpoint_id, retracted, opens_at, used_up_to, lacks_rate, gross, net
      from (
        select c.*, (c.person_id::text collate "C") as entity, (c.person_id::text collate "C") in (select entity from crowded) as is_crowded
        from converted c
        offset 0
      ) c
      where is_crowded
    ) listed
    window backwards as (partition by entity order by at desc, side desc)
  ) listed
  where id is not null
),
  swept_conversions as materialized (
  select c.*, r.occurred_at as recorded_at, r.dimensions as recorded_dimensions
  from (
    select c.*, (c.person_id::text collate "C") as entity, (c.person_id::text collate "C") in (select entity from crowded) as is_swept
    from crowd_dated c
    where not c.retracted
    offset 0
  ) c
  left join lateral (
    select t.occurred_at, array[t.channel, t.campaign] collate "C" as dimensions
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.id = c.touchpoint_id and ((true and t.person_id = c.person_id)) and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[]) and t.channel = any('{"x","linkedin"}'::text[])
    offset 0
  ) r on true
  where is_swept
), swept_marks as materialized (
  select *, max(place) filter (where not is_direct) over sorted as non_direct, max(touch_at) over sorted as last_at, coalesce(max(group_number) over (partition by entity), 0) * count(*) filter (where mark = 'closes') over (partition by entity) * 16::int
    <= count(touch_at) over (partition by entity) * 5::int as by_group,
    max(group_number) over (partition by entity) as groups, max("opening") over (partition by entity) as "openings", max("interval_number") over (partition by entity) as "intervals"
  from (
    select *, count(touch_at) over sorted as place
    from (
      select entity, at, side, id, mark, touch_at, is_direct, dimensions,
        dense_rank() over (partition by entity order by dimensions) as group_number, conversion_id, recorded_at,
        recorded_dimensions, "interval", "gross", "net", "retracted", "opening", "interval_number"
      from (
        select c.entity, t.occurred_at as at, 0 as side, t.id, null as mark, t.occurred_at as touch_at,
          t.channel = 'direct' as is_direct, array[t.channel, t.campaign] collate "C" as dimensions, null::bigint as group_number,
          null as conversion_id, null::timestamptz as recorded_at, null::text[] as recorded_dimensions, null::text as "interval", null::numeric as "gross", null::numeric as "net", null::boolean as "retracted", null::bigint as "opening", null::bigint as "interval_number"
        from crowded c
        join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
          and (t.person_id, t.occurred_at) >= (c.person_id, c.from_at)
          and (t.person_id, t.occurred_at) <= (c.person_id, c.to_at)
        where t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[]) and t.channel = any('{"x","linkedin"}'::text[])) touches
      union all
      select c.entity, bound.at, bound.side, bound.id, bound.mark, null, null, null, null, c.id, recorded_at,
        recorded_dimensions, to_char(date_trunc('week', c.occurred_at at time zone 'Europe/Berlin'), 'YYYY-MM-DD'), c.gross, c.net, c.retracted, dense_rank() over (partition by c.entity order by c.occurred_at - c.opens_at), dense_rank() over (partition by c.entity order by to_char(date_trunc('week', c.occurred_at at time zone 'Europe/Berlin'), 'YYYY-MM-DD'))
      from swept_conversions c
      cross join lateral (values
          (c.opens_at, -1, '', 'opens'), (c.used_up_to, 1, '', 'opens'), (c.occurred_at, 1, '', 'closes'),
          (c.recorded_at, 0, c.touchpoint_id, 'before'), (c.recorded_at, 0, c.touchpoint_id, 'recorded'), (c.lead_at, 1, '', 'lead'::text), (c.opportunity_at, 1, '', 'opportunity'::text)
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
    select entity, conversion_id, bool_or(by_group) as by_group, max(groups) as groups, recorded_at, recorded_dimensions, "interval", "gross", "net", "retracted", "opening", "interval_number",
      max(place) filter (where mark = 'opens') as low, max(place) filter (where mark = 'closes') as high,
      max(place) filter (where mark = 'recorded') as recorded_place,
      max(last_at) filter (where mark = 'closes') as last_at, max(last_at) filter (where mark = 'before') as before_at,
      max(non_direct) filter (where mark = 'closes') as non_direct,
      max(non_direct) filter (where mark = 'before') as before_non_direct, max(place) filter (where mark = 'lead'::text) as "lead", max(place) filter (where mark = 'opportunity'::text) as "opportunity"
    from swept_marks
    where conversion_id is not null
    group by entity, conversion_id, recorded_at, recorded_dimensions, "interval", "gross", "net", "retracted", "opening", "interval_number"
  ) bounds
), swept_journeys as materialized (
  select entity, conversion_id, "interval", "gross", "net", "retracted", "opening", "interval_number", by_group, groups, high - low - (recorded is not null)::int as touches,
    low, high, recorded, recorded_at, recorded_dimensions,
    case when high - low > (recorded is not null)::int then low + 1 + coalesce(recorded = low + 1, false)::int end as first,
    nullif(greatest(high - coalesce(recorded = high, false)::int, low), low) as last, case when recorded = high then before_at else last_at end as last_at,
    nullif(greatest(case when non_direct = recorded then before_non_direct else non_direct end, low), low) as last_non_direct, nullif(greatest("lead" - coalesce(recorded = "lead", false)::int, low), low) as "lead", nullif(greatest("opportunity" - coalesce(recorded = "opportunity", false)::int, low), low) as "opportunity"
  from swept_bounds
),
  touched as (
  select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, to_char(date_trunc('week', c.occurred_at at time zone 'Europe/Berlin'), 'YYYY-MM-DD') as interval, c.gross, c.net, c.retracted,
    t.channel = 'direct' as is_direct,
    array[t.channel, t.campaign] collate "C" as dimensions, c.lead_at, c.opportunity_at
  from dated c
  join touchpoints t on t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and true and t.person_id = c.person_id
    and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
    and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
    and (t.person_id, t.occurred_at) > (c.person_id, c.used_up_to)
  where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all('{"event","view","other"}'::text[]) and t.channel = any('{"x","linkedin"}'::text[])
), positioned as (
  select *, row_number() over journey as position
  from touched
  window journey as (partition by conversion_id order by occurred_at, touchpoint_id)
), ranked as materialized (
  select *, count(*) over journey as touches, max(occurred_at) over journey as newest_at,
    max(position) filter (where not is_direct) over journey as last_non_direct,
    max(position) filter (where occurred_at <= lead_at) over journey as lead_position,
    max(position) filter (where occurred_at <= opportunity_at) over journey as opportunity_position
  from positioned
  window journey as (partition by conversion_id)
),
  weighted as (
  select conversion_id, interval, dimensions, gross, net, retracted, position = touches as is_last, (position = 1)::int as "weight_0", (position = touches)::int as "weight_1", (position = coalesce(last_non_direct, touches))::int as "weight_2", 1::float8 / touches as "weight_3", decay / sum(decay) over (partition by conversion_id) as "weight_4", case
    when touches = 1 then 1
    when touches = 2 then case position when 1 then 0.5::float8 else 0.5::float8 end
    when position = 1 then 0.4::float8
    when position = touches then 0.4::float8
    else 0.2::float8 / (touches - 2)
    end as "weight_5", case
    when touches = 1 then 1
    when touches = 2 then case position when 1 then 0.5::float8 else 0.5::float8 end
    when position = 1 then 0.25::float8
    when position = touches then 0.25::float8
    else 0.5::float8 / (touches - 2)
    end as "weight_6", case
    when (
      case when position = 1 then 0.3::float8 else 0 end
      + case when position = lead_position then 0.3::float8 else 0 end
      + case when position = opportunity_position then 0.3::float8 else 0 end
      + case when position = touches then 0::float8 else 0 end
  ) > 0 then (
      case when position = 1 then 0.3::float8 else 0 end
      + case when position = lead_position then 0.3::float8 else 0 end
      + case when position = opportunity_position then 0.3::float8 else 0 end
      + case when position = touches then 0::float8 else 0 end
  )
    when position < greatest(lead_position, opportunity_position, 1) then 0.1::float8 / (
      greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
      - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
  )
    else 0
    end / (
      0.3::float8 + 0.3::float8 * num_nonnulls(lead_position, opportunity_position)
      + case when (
        greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
        - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
    ) > 0 then 0.1::float8 else 0 end
  ) as "weight_7", case
    when (
      case when position = 1 then 0.225::float8 else 0 end
      + case when position = lead_position then 0.225::float8 else 0 end
      + case when position = opportunity_position then 0.225::float8 else 0 end
      + case when position = touches then 0.225::float8 else 0 end
  ) > 0 then (
      case when position = 1 then 0.225::float8 else 0 end
      + case when position = lead_position then 0.225::float8 else 0 end
      + case when position = opportunity_position then 0.225::float8 else 0 end
      + case when position = touches then 0.225::float8 else 0 end
  )
    when position < touches then 0.1::float8 / (
      greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
      - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
  )
    else 0
    end / (
      0.45::float8 + 0.225::float8 * num_nonnulls(lead_position, opportunity_position)
      + case when (
        greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
        - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
    ) > 0 then 0.1::float8 else 0 end
  ) as "weight_8"
  from (select *, case when extract(epoch from newest_at - occurred_at)::float8 / 604800::float8 > 1000 then 0 else power(2::float8, -(extract(epoch from newest_at - occurred_at)::float8 / 604800::float8)) end as decay from ranked) ranked
), by_journey as materialized (
  select conversion_id, interval, dimensions, gross, net, retracted, bool_or(is_last) as is_last, sum("weight_0")::float8 as "weight_0", sum("weight_1")::float8 as "weight_1", sum("weight_2")::float8 as "weight_2", sum("weight_3")::float8 as "weight_3", sum("weight_4")::float8 as "weight_4", sum("weight_5")::float8 as "weight_5", sum("weight_6")::float8 as "weight_6", sum("weight_7")::float8 as "weight_7", sum("weight_8")::float8 as "weight_8"
  from weighted
  group by conversion_id, interval, dimensions, gross, net, retracted
),
  swept_placed as materialized (
  select *
  from (
    select entity, max(journey_interval) over (partition by entity, interval_number) as interval, place, occurred_at,
      dimensions, openings
    from (
      select entity, interval_number, null as journey_interval, place, occurred_at, dimensions, openings
      from crowd_touches
      cross join lateral generate_series(1, intervals) interval_number
      where not by_group
      union all
      select entity, interval_number, interval, null, null, null, null
      from swept_journeys
      where not by_group
    ) listed
  ) listed
  where place is not null
), swept_pieces as (
  select entity, interval, by_group, groups, from_place, to_place, (from_place = last)::int as is_last, net, gross, retracted, ((position = 1)::int)::numeric as "weight_0", ((position = touches)::int)::numeric as "weight_1", ((position = coalesce(last_non_direct, touches))::int)::numeric as "weight_2", (1::float8 / touches)::numeric as "weight_3", (case
      when touches = 1 then 1
      when touches = 2 then case position when 1 then 0.5::float8 else 0.5::float8 end
      when position = 1 then 0.4::float8
      when position = touches then 0.4::float8
      else 0.2::float8 / (touches - 2)
      end)::numeric as "weight_5", (case
      when touches = 1 then 1
      when touches = 2 then case position when 1 then 0.5::float8 else 0.5::float8 end
      when position = 1 then 0.25::float8
      when position = touches then 0.25::float8
      else 0.5::float8 / (touches - 2)
      end)::numeric as "weight_6", (case
      when (
        case when position = 1 then 0.3::float8 else 0 end
        + case when position = lead_position then 0.3::float8 else 0 end
        + case when position = opportunity_position then 0.3::float8 else 0 end
        + case when position = touches then 0::float8 else 0 end
    ) > 0 then (
        case when position = 1 then 0.3::float8 else 0 end
        + case when position = lead_position then 0.3::float8 else 0 end
        + case when position = opportunity_position then 0.3::float8 else 0 end
        + case when position = touches then 0::float8 else 0 end
    )
      when position < greatest(lead_position, opportunity_position, 1) then 0.1::float8 / (
        greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
        - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
    )
      else 0
      end / (
        0.3::float8 + 0.3::float8 * num_nonnulls(lead_position, opportunity_position)
        + case when (
          greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
          - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
      ) > 0 then 0.1::float8 else 0 end
  ))::numeric as "weight_7", (case
      when (
        case when position = 1 then 0.225::float8 else 0 end
        + case when position = lead_position then 0.225::float8 else 0 end
        + case when position = opportunity_position then 0.225::float8 else 0 end
        + case when position = touches then 0.225::float8 else 0 end
    ) > 0 then (
        case when position = 1 then 0.225::float8 else 0 end
        + case when position = lead_position then 0.225::float8 else 0 end
        + case when position = opportunity_position then 0.225::float8 else 0 end
        + case when position = touches then 0.225::float8 else 0 end
    )
      when position < touches then 0.1::float8 / (
        greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
        - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
    )
      else 0
      end / (
        0.45::float8 + 0.225::float8 * num_nonnulls(lead_position, opportunity_position)
        + case when (
          greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
          - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
      ) > 0 then 0.1::float8 else 0 end
  ))::numeric as "weight_8"
  from (
    select entity, interval, by_group, groups, net, gross, retracted, touches, last, piece.from_place, piece.to_place, piece.position::float8 as position,
      (last_non_direct - low - coalesce(recorded < last_non_direct, false)::int) as last_non_direct, (lead - low - coalesce(recorded < lead, false)::int) as lead_position, (opportunity - low - coalesce(recorded < opportunity, false)::int) as opportunity_position
    from swept_journeys
    cross join lateral (
      select place, lag(place, 1, low) over (order by place) as previous
      from (select distinct place from (values (first), (last), (recorded), (last_non_direct), (lead), (opportunity)) places (place) where place is not null) places
    ) own
    cross join lateral (values
        (own.place, own.place + 1, (own.place - low - coalesce(recorded < own.place, false)::int), own.place is distinct from recorded),
        (own.previous + 1, own.place, (own.place - low - coalesce(recorded < own.place, false)::int) - 0.5, own.place - own.previous > 1)
    ) piece (from_place, to_place, position, occurs)
    where touches > 0 and piece.occurs
  ) pieces
), swept_events as (
  select *, (covering > 0)::int - (lag(covering, 1, 0) over (partition by entity, interval order by place) > 0)::int as covered
  from (
    select entity, interval, by_group, groups, bound.place, sum(sum(bound.sign)) over (partition by entity, interval order by bound.place) as covering,
      sum(bound.sign * is_last) as lasts, sum(bound.sign * case when retracted then 0 else "weight_0" end) as "net_0", sum(bound.sign * case when retracted then 0 else "weight_0" * coalesce(net, 0) end) as "value_0", sum(bound.sign * case when retracted then 0 else "weight_1" end) as "net_1", sum(bound.sign * case when retracted then 0 else "weight_1" * coalesce(net, 0) end) as "value_1", sum(bound.sign * case when retracted then 0 else "weight_2" end) as "net_2", sum(bound.sign * case when retracted then 0 else "weight_2" * coalesce(net, 0) end) as "value_2", sum(bound.sign * case when retracted then 0 else "weight_3" end) as "net_3", sum(bound.sign * case when retracted then 0 else "weight_3" * coalesce(net, 0) end) as "value_3", sum(bound.sign * case when retracted then 0 else "weight_5" end) as "net_5", sum(bound.sign * case when retracted then 0 else "weight_5" * coalesce(net, 0) end) as "value_5", sum(bound.sign * case when retracted then 0 else "weight_6" end) as "net_6", sum(bound.sign * case when retracted then 0 else "weight_6" * coalesce(net, 0) end) as "value_6", sum(bound.sign * case when retracted then 0 else "weight_7" end) as "net_7", sum(bound.sign * case when retracted then 0 else "weight_7" * coalesce(net, 0) end) as "value_7", sum(bound.sign * case when retracted then 0 else "weight_8" end) as "net_8", sum(bound.sign * case when retracted then 0 else "weight_8" * coalesce(net, 0) end) as "value_8"
    from swept_pieces
    cross join lateral (values (from_place, 1), (to_place, -1)) bound (place, sign)
    group by entity, interval, by_group, groups, bound.place
  ) events
), growing as materialized (
  select entity, place, floor(extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 / 64::int) as block, power(2::float8, extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 - 64::int * floor(extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 / 64::int))::numeric as growth
  from crowd_touches
), decaying as (
  select *, power(2::float8, recorded_halvings - 64::int * floor(recorded_halvings / 64::int))::numeric as recorded_growth, floor(recorded_halvings / 64::int) as recorded_block
  from (
    select *, extract(epoch from last_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 as newest, extract(epoch from recorded_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 as recorded_halvings
    from swept_journeys
    where touches > 0
  ) journeys
), swept_factors as (
  select *, (power(2::float8, 64::int * block - newest)
      / sum(grown::float8 * power(2::float8, 64::int * block - newest)) over (partition by conversion_id))::numeric as factor
  from (
    select entity, conversion_id, interval, by_group, groups, net, gross, retracted, low, high, recorded, recorded_growth,
      recorded_block, newest, block,
      sum(sign * coalesce(grown, 0)) - coalesce(max(case when recorded_block = block then recorded_growth end), 0) as grown
    from (
      select *, sum(growth) over (partition by entity, block order by place) as grown
      from (
        select entity, block, place, growth, null as conversion_id, null as interval, false as by_group, null::bigint as groups, null::numeric as net,
          null::numeric as gross, null::boolean as retracted, null::bigint as low, null::bigint as high,
          null::bigint as recorded, null::numeric as recorded_growth, null::float8 as recorded_block,
          null::float8 as newest, 0 as sign
        from growing
        union all
        select entity, floor(newest / 64::int) - blocks_ago, bound.place, null, conversion_id, interval, by_group, groups, net, gross,
          retracted, low, high, recorded, recorded_growth, recorded_block, newest, bound.sign
        from decaying
        cross join (values (0), (1)) blocks (blocks_ago)
        cross join lateral (values (low, -1), (high, 1)) bound (place, sign)
      ) listed
    ) summed
    where conversion_id is not null
    group by entity, conversion_id, interval, by_group, groups, net, gross, retracted, low, high, recorded, recorded_growth,
      recorded_block, newest, block
  ) blocks
  where grown > 0
), swept_decay_events as (
  select entity, interval, by_group, groups, block, bound.place, sum(bound.sign * case when retracted then 0 else factor end) as "net_4", sum(bound.sign * case when retracted then 0 else factor * coalesce(net, 0) end) as "value_4"
  from swept_factors
  cross join lateral (values
      (low + 1, high + 1, 1), (case when recorded_block = block then recorded end, recorded + 1, -1)
  ) piece (from_place, to_place, sign)
  cross join lateral (values (from_place, piece.sign), (to_place, -piece.sign)) bound (place, sign)
  where from_place is not null
  group by entity, interval, by_group, groups, block, bound.place
), swept_credit as materialized (
  select interval, dimensions, sum(covered)::bigint as touchpoints, sum(lasts)::bigint as lasts, coalesce(sum("net_0"), 0)::float8 as "net_0", coalesce(sum("value_0"), 0)::float8 as "value_0", coalesce(sum("net_1"), 0)::float8 as "net_1", coalesce(sum("value_1"), 0)::float8 as "value_1", coalesce(sum("net_2"), 0)::float8 as "net_2", coalesce(sum("value_2"), 0)::float8 as "value_2", coalesce(sum("net_3"), 0)::float8 as "net_3", coalesce(sum("value_3"), 0)::float8 as "value_3", coalesce(sum("net_4"), 0)::float8 as "net_4", coalesce(sum("value_4"), 0)::float8 as "value_4", coalesce(sum("net_5"), 0)::float8 as "net_5", coalesce(sum("value_5"), 0)::float8 as "value_5", coalesce(sum("net_6"), 0)::float8 as "net_6", coalesce(sum("value_6"), 0)::float8 as "value_6", coalesce(sum("net_7"), 0)::float8 as "net_7", coalesce(sum("value_7"), 0)::float8 as "value_7", coalesce(sum("net_8"), 0)::float8 as "net_8", coalesce(sum("value_8"), 0)::float8 as "value_8"
  from (
    select interval, dimensions, covered, lasts, "net_0", "value_0", "net_1", "value_1", "net_2", "value_2", "net_3", "value_3", "net_5", "value_5", "net_6", "value_6", "net_7", "value_7", "net_8", "value_8", 0 as "net_4", 0 as "value_4"
    from (
      select interval, dimensions, weight * covered as covered, weight * lasts as lasts, weight * "net_0" as "net_0", weight * "value_0" as "value_0", weight * "net_1" as "net_1", weight * "value_1" as "value_1", weight * "net_2" as "net_2", weight * "value_2" as "value_2", weight * "net_3" as "net_3", weight * "value_3" as "value_3", weight * "net_5" as "net_5", weight * "value_5" as "value_5", weight * "net_6" as "net_6", weight * "value_6" as "value_6", weight * "net_7" as "net_7", weight * "value_7" as "value_7", weight * "net_8" as "net_8", weight * "value_8" as "value_8"
      from (
        select interval, dimensions, weight, sum(covered) over here as covered, sum(lasts) over here as lasts, sum("net_0") over here as "net_0", sum("value_0") over here as "value_0", sum("net_1") over here as "net_1", sum("value_1") over here as "value_1", sum("net_2") over here as "net_2", sum("value_2") over here as "value_2", sum("net_3") over here as "net_3", sum("value_3") over here as "value_3", sum("net_5") over here as "net_5", sum("value_5") over here as "value_5", sum("net_6") over here as "net_6", sum("value_6") over here as "value_6", sum("net_7") over here as "net_7", sum("value_7") over here as "value_7", sum("net_8") over here as "net_8", sum("value_8") over here as "value_8"
        from (
          select entity, interval, place, dimensions, 1 as weight, 0 as covered, 0 as lasts, 0 as "net_0", 0 as "value_0", 0 as "net_1", 0 as "value_1", 0 as "net_2", 0 as "value_2", 0 as "net_3", 0 as "value_3", 0 as "net_5", 0 as "value_5", 0 as "net_6", 0 as "value_6", 0 as "net_7", 0 as "value_7", 0 as "net_8", 0 as "value_8"
          from swept_placed
          union all
          select entity, interval, place, null, null, covered, lasts, "net_0", "value_0", "net_1", "value_1", "net_2", "value_2", "net_3", "value_3", "net_5", "value_5", "net_6", "value_6", "net_7", "value_7", "net_8", "value_8"
          from swept_events
          where not by_group
        ) listed
        window here as (partition by entity, interval order by place)
      ) places
      where dimensions is not null
      union all
      select interval, dimensions, later * covered, later * lasts, later * "net_0", later * "value_0", later * "net_1", later * "value_1", later * "net_2", later * "value_2", later * "net_3", later * "value_3", later * "net_5", later * "value_5", later * "net_6", later * "value_6", later * "net_7", later * "value_7", later * "net_8", later * "value_8"
      from (
        select *, sum(weight) over (partition by entity, group_number order by place desc) as later,
          max(touch_dimensions) over (partition by entity, group_number) as dimensions
        from (
          select entity, group_number, null as interval, place, dimensions as touch_dimensions, 1 as weight,
            null::numeric as covered, null::numeric as lasts, null::numeric as "net_0", null::numeric as "value_0", null::numeric as "net_1", null::numeric as "value_1", null::numeric as "net_2", null::numeric as "value_2", null::numeric as "net_3", null::numeric as "value_3", null::numeric as "net_5", null::numeric as "value_5", null::numeric as "net_6", null::numeric as "value_6", null::numeric as "net_7", null::numeric as "value_7", null::numeric as "net_8", null::numeric as "value_8"
          from crowd_touches
          where by_group
          union all
          select entity, group_number, interval, place, null, null, covered, lasts, "net_0", "value_0", "net_1", "value_1", "net_2", "value_2", "net_3", "value_3", "net_5", "value_5", "net_6", "value_6", "net_7", "value_7", "net_8", "value_8"
          from swept_events
          cross join lateral generate_series(1, groups) group_number
          where by_group
        ) listed
      ) counted
      where touch_dimensions is null and later > 0
    ) sums
    union all
    select interval, dimensions, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "net_4", "value_4"
    from (
      select interval, dimensions, weight * "net_4" as "net_4", weight * "value_4" as "value_4"
      from (
        select interval, dimensions, weight, sum("net_4") over here as "net_4", sum("value_4") over here as "value_4"
        from (
          select entity, interval, place, dimensions, power(2::float8, extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 - 64::int * floor(extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 / 64::int))::numeric as weight, 0 as "net_4", 0 as "value_4", floor(extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 / 64::int) as block
          from swept_placed
          union all
          select entity, interval, place, null, null, "net_4", "value_4", block
          from swept_decay_events
          where not by_group
        ) listed
        window here as (partition by entity, interval, block order by place)
      ) places
      where dimensions is not null
      union all
      select interval, dimensions, later * "net_4", later * "value_4"
      from (
        select *, sum(weight) over (partition by entity, group_number, block order by place desc) as later,
          max(touch_dimensions) over (partition by entity, group_number) as dimensions
        from (
          select entity, group_number, null as interval, place, dimensions as touch_dimensions, power(2::float8, extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 - 64::int * floor(extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 / 64::int))::numeric as weight,
            null::numeric as "net_4", null::numeric as "value_4", floor(extract(epoch from occurred_at - '2026-04-30T22:00:00.000Z'::timestamptz)::float8 / 604800::float8 / 64::int) as block
          from crowd_touches
          where by_group
          union all
          select entity, group_number, interval, place, null, null, "net_4", "value_4", block
          from swept_decay_events
          cross join lateral generate_series(1, groups) group_number
          where by_group
        ) listed
      ) counted
      where touch_dimensions is null and later > 0
    ) sums
  ) credited
  group by interval, dimensions
  having sum(covered) > 0
),
  attributed as (
  select conversion_id from by_journey
  union all
  select conversion_id from swept_journeys where touches > 0
),
  swept_held as materialized (
  select interval, conversion_id, dimensions, bool_or(is_last) as is_last
  from (
    select interval, conversion_id, dimensions, sign * seen as touches, mark = 'last' and here > 0 as is_last
    from (
      select *, count(touch) over (partition by entity, group_number order by place) as seen,
        count(touch) over (partition by entity, group_number, place) as here,
        max(touch_dimensions) over (partition by entity, group_number) as dimensions
      from (
        select entity, group_number, place, id as touch, dimensions as touch_dimensions, null as interval,
          null as conversion_id, null as mark, 0 as sign
        from crowd_touches
        where by_group
        union all
        select entity, group_number, bound.place, null, null, interval, conversion_id, bound.mark, bound.sign
        from swept_journeys
        cross join lateral (values (low, 'low', -1), (high, 'high', 1), (last, 'last', 0)) bound (place, mark, sign)
        cross join lateral generate_series(1, groups) group_number
        where by_group and touches > 0
      ) listed
    ) counted
    where conversion_id is not null
    union all
    select interval, conversion_id, recorded_dimensions, -1, false
    from swept_journeys
    where by_group and touches > 0 and recorded is not null
  ) counted
  group by interval, conversion_id, dimensions
  having sum(touches) > 0
), swept_influence as (
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
    union all
    select interval, dimensions, 1
    from swept_held
  ) counted
  group by interval, dimensions
),
  by_group as (
  select interval, dimensions, sum(touchpoints)::int as touchpoints, sum(influenced)::int as influenced,
    sum(assisted)::int as assisted, sum("weight_0") as "weight_0", sum("worth_0") as "worth_0", sum("weight_1") as "weight_1", sum("worth_1") as "worth_1", sum("weight_2") as "weight_2", sum("worth_2") as "worth_2", sum("weight_3") as "weight_3", sum("worth_3") as "worth_3", sum("weight_4") as "weight_4", sum("worth_4") as "worth_4", sum("weight_5") as "weight_5", sum("worth_5") as "worth_5", sum("weight_6") as "weight_6", sum("worth_6") as "worth_6", sum("weight_7") as "weight_7", sum("worth_7") as "worth_7", sum("weight_8") as "weight_8", sum("worth_8") as "worth_8"
  from (
    select interval, dimensions, 0 as touchpoints, count(*) as influenced,
      count(*) filter (where not is_last) as assisted,
      sum("weight_0") as "weight_0", coalesce(sum("weight_0" * net::float8), 0) as "worth_0", sum("weight_1") as "weight_1", coalesce(sum("weight_1" * net::float8), 0) as "worth_1", sum("weight_2") as "weight_2", coalesce(sum("weight_2" * net::float8), 0) as "worth_2", sum("weight_3") as "weight_3", coalesce(sum("weight_3" * net::float8), 0) as "worth_3", sum("weight_4") as "weight_4", coalesce(sum("weight_4" * net::float8), 0) as "worth_4", sum("weight_5") as "weight_5", coalesce(sum("weight_5" * net::float8), 0) as "worth_5", sum("weight_6") as "weight_6", coalesce(sum("weight_6" * net::float8), 0) as "worth_6", sum("weight_7") as "weight_7", coalesce(sum("weight_7" * net::float8), 0) as "worth_7", sum("weight_8") as "weight_8", coalesce(sum("weight_8" * net::float8), 0) as "worth_8"
    from by_journey
    group by interval, dimensions
    union all
    select interval, dimensions, count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from (select distinct touchpoint_id, interval, dimensions from ranked) distinct_touchpoints
    group by interval, dimensions
    union all
    select interval, dimensions, touchpoints, 0, -lasts, "net_0", "value_0", "net_1", "value_1", "net_2", "value_2", "net_3", "value_3", "net_4", "value_4", "net_5", "value_5", "net_6", "value_6", "net_7", "value_7", "net_8", "value_8"
    from swept_credit
    union all
    select interval, dimensions, 0, influenced, influenced, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from swept_influence
    where influenced > 0
  ) counted
  group by interval, dimensions
), placed as materialized (
  select *, row_number() over (order by "weight_0" desc, interval, dimensions) > 1000 as folded
  from by_group
), folded_journeys as (
  select interval, conversion_id, bool_or(is_last) as is_last
  from (
    select j.*, (coalesce(j.interval, ''), j.dimensions) in (
      select coalesce(interval, ''), dimensions from placed where folded
    ) as folded
    from by_journey j
    offset 0
  ) j
  where folded
  group by interval, conversion_id
  union all
  select interval, conversion_id, is_last
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
  union all
  select interval, conversion_id, bool_or(is_last)
  from (select *, (coalesce(interval, ''), dimensions) in (select coalesce(interval, ''), dimensions from placed where folded) as folded from swept_held offset 0) held
  where folded
  group by interval, conversion_id
), folded as (
  select interval, sum(touchpoints)::int as touchpoints,
    (select count(*) from folded_journeys j where j.interval is not distinct from p.interval)::int as influenced,
    (select count(*) from folded_journeys j where j.interval is not distinct from p.interval and not j.is_last)::int as assisted,
    sum("weight_0") as "weight_0", sum("worth_0") as "worth_0", sum("weight_1") as "weight_1", sum("worth_1") as "worth_1", sum("weight_2") as "weight_2", sum("worth_2") as "worth_2", sum("weight_3") as "weight_3", sum("worth_3") as "worth_3", sum("weight_4") as "weight_4", sum("worth_4") as "worth_4", sum("weight_5") as "weight_5", sum("worth_5") as "worth_5", sum("weight_6") as "weight_6", sum("worth_6") as "worth_6", sum("weight_7") as "weight_7", sum("worth_7") as "worth_7", sum("weight_8") as "weight_8", sum("worth_8") as "worth_8"
  from placed p
  where folded
  group by interval
), answer as (
  select interval, dimensions, false as other, touchpoints, influenced, assisted,
    array["weight_0", "weight_1", "weight_2", "weight_3", "weight_4", "weight_5", "weight_6", "weight_7", "weight_8"] as credits, array["worth_0", "worth_1", "worth_2", "worth_3", "worth_4", "worth_5", "worth_6", "worth_7", "worth_8"] as values
  from placed
  where not folded
  union all
  select interval, null, true, touchpoints, influenced, assisted,
    array["weight_0", "weight_1", "weight_2", "weight_3", "weight_4", "weight_5", "weight_6", "weight_7", "weight_8"], array["worth_0", "worth_1", "worth_2", "worth_3", "worth_4", "worth_5", "worth_6", "worth_7", "worth_8"]
  from folded
)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase","trial","lead","opportunity"}'::text[])) as goals,
  (select json_agg(totals) from (
    select interval,
      count(*) filter (where not retracted)::int as conversions,
      coalesce(sum(net) filter (where not retracted), 0)::text as value,
      count(*)::int as gross_conversions,
      coalesce(sum(gross), 0)::text as gross_value,
      count(*) filter (where is_attributed)::int as attributed_conversions,
      coalesce(sum(net) filter (where is_attributed), 0)::text as attributed_value,
      count(*) filter (where lacks_rate)::int as lacks_rate
    from (
      select c.*, to_char(date_trunc('week', c.occurred_at at time zone 'Europe/Berlin'), 'YYYY-MM-DD') as interval, c.id in (select conversion_id from attributed) as is_attributed
      from converted c
      offset 0
    ) c
    group by grouping sets ((), (interval)) order by interval nulls first) totals) as totals,
  (select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), '[]') from answer) as groups;
