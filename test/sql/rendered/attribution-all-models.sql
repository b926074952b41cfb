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
  where occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and counts and properties ->> 'plan'::text = any('{"pro"}'::text[])
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
  from converted c
), touched as (
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
  select conversion_id, interval, dimensions, gross, net, retracted, bool_or(is_last) as is_last,
    sum("weight_0")::float8 as "weight_0", sum("weight_1")::float8 as "weight_1", sum("weight_2")::float8 as "weight_2", sum("weight_3")::float8 as "weight_3", sum("weight_4")::float8 as "weight_4", sum("weight_5")::float8 as "weight_5", sum("weight_6")::float8 as "weight_6", sum("weight_7")::float8 as "weight_7", sum("weight_8")::float8 as "weight_8"
  from weighted
  group by conversion_id, interval, dimensions, gross, net, retracted
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
    from (select distinct interval, dimensions, touchpoint_id from ranked) distinct_touchpoints
    group by interval, dimensions
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
      select c.*, to_char(date_trunc('week', c.occurred_at at time zone 'Europe/Berlin'), 'YYYY-MM-DD') as interval, c.id in (select conversion_id from by_journey) as is_attributed
      from converted c
      offset 0
    ) c
    group by grouping sets ((), (interval)) order by interval nulls first) totals) as totals,
  (select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), '[]') from answer) as groups;
