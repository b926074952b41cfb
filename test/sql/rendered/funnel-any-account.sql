select set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true);

with selling as materialized (
  select coalesce(c.account_id, c.person_id::text) as entity, c.occurred_at as at, c.id, c.goal,
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
), events as materialized (
  select *, (row_number() over (partition by entity order by at, is_conversion, id))::int as pos
  from (
    select coalesce(t.account_id, t.person_id::text) as entity, t.occurred_at as at, false as is_conversion, t.id,
      ((t.kind = any('{"mention"}'::text[])) is true)::int * 1::int + ((t.direction = any('{"outbound"}'::text[])) is true)::int * 2::int + ((false) is true)::int * 4::int as steps, 0 as excluded,
      null::text as held, null::text[] as dimensions
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and t.voided_at is null
      and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
      and ((t.kind = any('{"mention"}'::text[])) or (t.direction = any('{"outbound"}'::text[])) or (false))
    union all
    select c.entity, c.at, true, c.id, ((false) is true)::int * 1::int + ((false) is true)::int * 2::int + ((c.goal = any('{"purchase"}'::text[])) is true)::int * 4::int, 0, null,
      null::text[]
    from sold c
  ) happened
),
  running as materialized (
  select *,
    count(*) filter (where steps & 4::int <> 0) over earlier as "total_4",
    count(*) filter (where steps & 1::int <> 0) over earlier as "total_1",
    count(*) filter (where steps & 3::int <> 0) over earlier as "total_3",
    count(*) filter (where steps & 2::int <> 0) over earlier as "total_2",
    max(pos) over (
      partition by entity order by at range between unbounded preceding and make_interval(secs => 604800::float8) following
  ) as end_pos
  from events
  window earlier as (partition by entity order by pos rows unbounded preceding)
), listed as materialized (
  select entity,
    array_agg(pos) filter (where steps & 4::int <> 0) as "places_4",
    array_agg(pos) filter (where steps & 1::int <> 0) as "places_1",
    array_agg(pos) filter (where steps & 3::int <> 0) as "places_3",
    array_agg(pos) filter (where steps & 2::int <> 0) as "places_2"
  from (select entity, pos, steps from running where steps <> 0 order by entity, pos) sorted
  group by entity
), reaching as (
  select r.*, "places_4"["total_4" - (steps & 4::int <> 0)::int + 1::int] as "reach_0", "places_3"["total_3" - (steps & 3::int <> 0)::int + 1::int] as "reach_1", nullif(greatest(coalesce("places_1"["total_1" - (steps & 1::int <> 0)::int + 1::int], 2147483647), coalesce("places_3"["total_3" - (steps & 3::int <> 0)::int + 2::int], 2147483647), coalesce("places_2"["total_2" - (steps & 2::int <> 0)::int + 1::int], 2147483647)), 2147483647) as "reach_2"
  from running r
  join listed l on l.entity = r.entity
  offset 0
),
  starts as materialized (
  select *, num_nonnulls("reach_0", "reach_1", "reach_2") as level
  from (
    select entity, pos, end_pos, case when "reach_0" <= end_pos then "reach_0" end as "reach_0", case when "reach_1" <= end_pos then "reach_1" end as "reach_1", case when "reach_2" <= end_pos then "reach_2" end as "reach_2"
    from reaching
    where steps <> 0 and at >= '2026-04-30T22:00:00.000Z'::timestamptz and at < '2026-05-31T22:00:00.000Z'::timestamptz
  ) started
), best as materialized (
  select distinct on (entity) *
  from starts
  order by entity, level desc, pos
), reached as materialized (
  select entity, level
  from best
), came as materialized (
  select step, count(*)::int as count
  from reached
  cross join generate_series(1, 3::int) step
  where step <= level
  group by step
), chained as materialized (
  select c.entity, c.step, e.at, e.is_conversion, e.id, e.dimensions,
    min(e.at) over (partition by c.entity) as start_at,
    lag(e.at) over (partition by c.entity order by c.step) as previous_at
  from (select entity, step, end_pos as pos from (
      select s.entity, s.pos, filled.step::int as step, filled.end_pos
      from best s
      cross join lateral (
        select end_pos, row_number() over (order by end_pos) as step
        from (values (s."reach_0"), (s."reach_1"), (s."reach_2")) reached (end_pos)
        where end_pos is not null
      ) filled) filled) c
  join events e on e.entity = c.entity and e.pos = c.pos
), completed as materialized (
  select entity, step, count_disjoint(pos, end_pos order by end_pos, pos desc) as completions
  from (
    select s.entity, s.pos, filled.step::int as step, filled.end_pos
    from starts s
    cross join lateral (
      select end_pos, row_number() over (order by end_pos) as step
      from (values (s."reach_0"), (s."reach_1"), (s."reach_2")) reached (end_pos)
      where end_pos is not null
    ) filled) ends
  group by entity, step
),
  measured as (
  select null as entity, step, count, null::numeric as net, false as lacks_rate, null::float8 as previous_seconds,
    null::float8 as start_seconds
  from (select entity, step, completions::int as count from completed) counted
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

with selling as materialized (
  select coalesce(c.account_id, c.person_id::text) as entity, c.occurred_at as at, c.id, c.goal,
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
    and c.occurred_at >= '2026-03-30T22:00:00.000Z'::timestamptz and c.occurred_at <= '2026-04-30T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
    and n.retracted is not true
    and (g.counting = 'every' or not exists (select
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
), events as materialized (
  select *, (row_number() over (partition by entity order by at, is_conversion, id))::int as pos
  from (
    select coalesce(t.account_id, t.person_id::text) as entity, t.occurred_at as at, false as is_conversion, t.id,
      ((t.kind = any('{"mention"}'::text[])) is true)::int * 1::int + ((t.direction = any('{"outbound"}'::text[])) is true)::int * 2::int + ((false) is true)::int * 4::int as steps, 0 as excluded,
      null::text as held, null::text[] as dimensions
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and t.voided_at is null
      and t.occurred_at >= '2026-03-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-04-30T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
      and ((t.kind = any('{"mention"}'::text[])) or (t.direction = any('{"outbound"}'::text[])) or (false))
    union all
    select c.entity, c.at, true, c.id, ((false) is true)::int * 1::int + ((false) is true)::int * 2::int + ((c.goal = any('{"purchase"}'::text[])) is true)::int * 4::int, 0, null,
      null::text[]
    from sold c
  ) happened
),
  running as materialized (
  select *,
    count(*) filter (where steps & 4::int <> 0) over earlier as "total_4",
    count(*) filter (where steps & 1::int <> 0) over earlier as "total_1",
    count(*) filter (where steps & 3::int <> 0) over earlier as "total_3",
    count(*) filter (where steps & 2::int <> 0) over earlier as "total_2",
    max(pos) over (
      partition by entity order by at range between unbounded preceding and make_interval(secs => 604800::float8) following
  ) as end_pos
  from events
  window earlier as (partition by entity order by pos rows unbounded preceding)
), listed as materialized (
  select entity,
    array_agg(pos) filter (where steps & 4::int <> 0) as "places_4",
    array_agg(pos) filter (where steps & 1::int <> 0) as "places_1",
    array_agg(pos) filter (where steps & 3::int <> 0) as "places_3",
    array_agg(pos) filter (where steps & 2::int <> 0) as "places_2"
  from (select entity, pos, steps from running where steps <> 0 order by entity, pos) sorted
  group by entity
), reaching as (
  select r.*, "places_4"["total_4" - (steps & 4::int <> 0)::int + 1::int] as "reach_0", "places_3"["total_3" - (steps & 3::int <> 0)::int + 1::int] as "reach_1", nullif(greatest(coalesce("places_1"["total_1" - (steps & 1::int <> 0)::int + 1::int], 2147483647), coalesce("places_3"["total_3" - (steps & 3::int <> 0)::int + 2::int], 2147483647), coalesce("places_2"["total_2" - (steps & 2::int <> 0)::int + 1::int], 2147483647)), 2147483647) as "reach_2"
  from running r
  join listed l on l.entity = r.entity
  offset 0
),
  starts as materialized (
  select *, num_nonnulls("reach_0", "reach_1", "reach_2") as level
  from (
    select entity, pos, end_pos, case when "reach_0" <= end_pos then "reach_0" end as "reach_0", case when "reach_1" <= end_pos then "reach_1" end as "reach_1", case when "reach_2" <= end_pos then "reach_2" end as "reach_2"
    from reaching
    where steps <> 0 and at >= '2026-03-30T22:00:00.000Z'::timestamptz and at < '2026-04-30T22:00:00.000Z'::timestamptz
  ) started
), best as materialized (
  select distinct on (entity) *
  from starts
  order by entity, level desc, pos
), reached as materialized (
  select entity, level
  from best
), came as materialized (
  select step, count(*)::int as count
  from reached
  cross join generate_series(1, 3::int) step
  where step <= level
  group by step
), chained as materialized (
  select c.entity, c.step, e.at, e.is_conversion, e.id, e.dimensions,
    min(e.at) over (partition by c.entity) as start_at,
    lag(e.at) over (partition by c.entity order by c.step) as previous_at
  from (select entity, step, end_pos as pos from (
      select s.entity, s.pos, filled.step::int as step, filled.end_pos
      from best s
      cross join lateral (
        select end_pos, row_number() over (order by end_pos) as step
        from (values (s."reach_0"), (s."reach_1"), (s."reach_2")) reached (end_pos)
        where end_pos is not null
      ) filled) filled) c
  join events e on e.entity = c.entity and e.pos = c.pos
), completed as materialized (
  select entity, step, count_disjoint(pos, end_pos order by end_pos, pos desc) as completions
  from (
    select s.entity, s.pos, filled.step::int as step, filled.end_pos
    from starts s
    cross join lateral (
      select end_pos, row_number() over (order by end_pos) as step
      from (values (s."reach_0"), (s."reach_1"), (s."reach_2")) reached (end_pos)
      where end_pos is not null
    ) filled) ends
  group by entity, step
),
  measured as (
  select null as entity, step, count, null::numeric as net, false as lacks_rate, null::float8 as previous_seconds,
    null::float8 as start_seconds
  from (select entity, step, completions::int as count from completed) counted
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
