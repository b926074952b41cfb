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
), events as materialized (
  select *, (row_number() over (partition by entity order by at, is_conversion, id))::int as pos,
    case when steps <> 0 and not is_conversion then coalesce('=' || held, '#' || id) collate "C" end as lane
  from (
    select t.person_id as entity, t.occurred_at as at, false as is_conversion, t.id,
      ((t.kind = any('{"mention"}'::text[])) is true)::int * 1::int + ((t.direction = any('{"outbound"}'::text[])) is true)::int * 2::int + ((false) is true)::int * 4::int as steps, ((t.kind = any('{"other"}'::text[])) is true)::int * 1::int as excluded,
      t.conversation as held, array[t.channel]::text[] as dimensions
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and t.voided_at is null
      and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
      and ((t.kind = any('{"mention"}'::text[])) or (t.direction = any('{"outbound"}'::text[])) or (false) or (t.kind = any('{"other"}'::text[])))
    union all
    select c.entity, c.at, true, c.id, ((false) is true)::int * 1::int + ((false) is true)::int * 2::int + ((c.goal = any('{"purchase"}'::text[])) is true)::int * 4::int, ((false) is true)::int * 1::int, null,
      array_fill(null::text, array[1::int])
    from sold c
  ) happened
), marked as materialized (select *,
    coalesce(max(pos) filter (where excluded & 1::int <> 0) over prior, 0) as "before_1" from events window prior as (partition by entity order by pos rows between unbounded preceding and 1 preceding)
), marks as materialized (
  select entity, array_agg(at) as times,
    array_agg("counts_fits_3") as "counts_fits_3",
    array_agg(pos) filter (where "places_fits_3") as "places_fits_3",
    array_agg("counts_leads_3") as "counts_leads_3",
    array_agg(pos) filter (where "places_leads_3") as "places_leads_3",
    array_agg("counts_excluded_1") as "counts_excluded_1",
    array_agg(pos) filter (where "places_excluded_1") as "places_excluded_1"
  from (
    select entity, pos, at,
      (count(*) filter (where steps & 4::int <> 0) over so_far)::int as "counts_fits_3",
      steps & 4::int <> 0 as "places_fits_3",
      (count(*) filter (where steps & 4::int <> 0 and not (excluded & 0::int <> 0)) over so_far)::int as "counts_leads_3",
      steps & 4::int <> 0 and not (excluded & 0::int <> 0) as "places_leads_3",
      (count(*) filter (where excluded & 1::int <> 0) over so_far)::int as "counts_excluded_1",
      excluded & 1::int <> 0 as "places_excluded_1"
    from marked
    window so_far as (partition by entity order by pos rows unbounded preceding)
    order by entity, pos
  ) sorted
  group by entity
), "step_1" as materialized (
  select entity, at, is_conversion, id, "pos" as "pos", pos as "start_pos", "lane" as "lane", "dimensions" as "dimensions", "barred" as "barred", "gap_before" as "gap_before", at + make_interval(secs => 604800::float8) as until_at
  from (
    select entity, at, is_conversion, id, "pos" as "pos", null::int as "start_pos", "lane" as "lane", "dimensions" as "dimensions", excluded & 0::int <> 0 as "barred", 0::bigint as "gap_before"
    from events
    where steps & 1::int <> 0 and true) fits
  where at >= '2026-04-30T22:00:00.000Z'::timestamptz and at < '2026-05-31T22:00:00.000Z'::timestamptz), "who_1" as materialized (
  select entity, count(*) as events from "step_1" group by entity
), "size_1" as materialized (
  select count(*)::int as entities, coalesce(sum(events), 0)::int8 as events,
    coalesce(sum(events) filter (where events >= 16::int), 0)::int8 as busy_events
  from "who_1"
), "passed_1" as materialized (select "entity", "at", "is_conversion", "id", "pos", "start_pos", "lane", "dimensions", "barred", "gap_before", "until_at", case when not barred then pos end as "first_1", case when not barred then pos end as "last_1" from (select * from "step_1") s
), "step_2" as materialized (
  select entity, lane, pos, latest_pos as start_pos, latest_until_at as until_at, barred, before_pos
  from (
    select *, max(start_pos) over earlier as latest_pos, max(until_at) over earlier as latest_until_at, max(last_pos) over earlier as latest_last_pos
    from (
      select entity, lane, pos, at, 0 as role, null::int as start_pos, null::timestamptz as until_at, excluded & 1::int <> 0 as barred, "before_1" as before_pos,
        null::int as last_pos
      from marked
      where steps & 2::int <> 0 and entity in (select entity from "who_1")
      union all
      select entity, lane, "first_1", null, 2, start_pos, until_at, null, null, "last_1"
      from "passed_1"
      where "first_1" is not null
    ) merged
    window earlier as (partition by entity, lane order by pos, role rows unbounded preceding)
  ) placed
  where role = 0 and at <= latest_until_at and latest_last_pos >= before_pos
), "who_2" as materialized (
  select entity, count(*) as events from "step_2" group by entity
), "size_2" as materialized (
  select count(*)::int as entities, coalesce(sum(events), 0)::int8 as events,
    coalesce(sum(events) filter (where events >= 16::int), 0)::int8 as busy_events
  from "who_2"
), "passed_2" as materialized (
  select "entity", "lane", "pos", "start_pos", "until_at", "before_pos", "came_3", "first_2", "first_3", "last_2", "last_3"
  from (
    select *, case when "places_fits_3"["counts_fits_3"["first_2"] + 1] <= coalesce("places_excluded_1"["counts_excluded_1"["last_2"] + 1], cardinality(times)) and times["places_fits_3"["counts_fits_3"["first_2"] + 1]] <= until_at then "places_fits_3"["counts_fits_3"["first_2"] + 1] end as "came_3",
      case when "places_leads_3"["counts_leads_3"["first_2"] + 1] <= coalesce("places_excluded_1"["counts_excluded_1"["last_2"] + 1], cardinality(times)) then "places_leads_3"["counts_leads_3"["first_2"] + 1] end as "first_3",
      case when "places_leads_3"["counts_leads_3"["first_2"] + 1] <= coalesce("places_excluded_1"["counts_excluded_1"["last_2"] + 1], cardinality(times)) then "places_leads_3"["counts_leads_3"[coalesce("places_excluded_1"["counts_excluded_1"["last_2"] + 1], cardinality(times))]] end as "last_3"
    from (
      select s.*, case when not barred then pos end as "first_2", case when not barred then pos end as "last_2", m.times, m."counts_fits_3", m."places_fits_3", m."counts_leads_3", m."places_leads_3", m."counts_excluded_1", m."places_excluded_1"
      from (select * from "step_2") s
      join marks m on m.entity = s.entity
      offset 0) before) passed
), "step_3" as (
  select entity, "came_3" as pos, start_pos from "passed_2" where "came_3" is not null
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
), "way_2" as materialized (
  select * from (
    select *, case when level = 2::int then pos
      when level = 3::int then "came_3" end as finish_pos
    from (
      select p.*, r.level
      from "passed_2" p
      join reached r on r.entity = p.entity) ahead) finished where finish_pos is not null
), "way_1" as materialized (
  select f.*, e.at as finish_at
  from (
    select *, case when level = 1::int then pos
      when level >= 2::int and "last_1" >= next_before then next_finish end as finish_pos
    from (
      select *
      from (
        select *, min(ahead_finish) over later as next_finish, min(ahead_pos) over later as next_pos,
          min(ahead_before) over later as next_before
        from (
          select "entity", "at", "is_conversion", "id", "pos", "start_pos", "lane", "dimensions", "barred", "gap_before", "until_at", "first_1", "last_1", level, "first_1" as place, 2 as role, null::int as ahead_finish,
            null::int as ahead_pos, null::int as ahead_before
          from (
            select p.*, r.level
            from "passed_1" p
            join reached r on r.entity = p.entity) led
          union all
          select "entity", null, null, null, null, null, "lane", null, null, null, null, null, null, null, pos, 0, finish_pos, pos, before_pos
          from "way_2"
        ) merged
        window later as (partition by entity, lane order by place desc, role desc rows unbounded preceding)
      ) looked
      where role = 2) ahead) f
  join events e on e.entity = f.entity and e.pos = f.finish_pos
  where e.at <= f.until_at
), "chain_1" as materialized (
  select distinct on (entity) *
  from (select *, at as begun_at, null::timestamptz as previous_at from (select * from "way_1") starts) open
  order by entity, at, is_conversion, id
), "chosen_1" as materialized (select entity, case when level >= 2::int then next_pos end as "place_2" from (select * from "chain_1") touched
), "chosen_2" as materialized (
  select entity, "place_3"
  from (
    select *, case when level = 3::int then "came_3" end as "place_3"
    from (
      select t.*, m.times, m."counts_fits_3", m."places_fits_3", m."counts_leads_3", m."places_leads_3", m."counts_excluded_1", m."places_excluded_1"
      from (
        select w.*
        from "chosen_1" c
        join "way_2" w on w.entity = c.entity and w.pos = c."place_2") t
      join marks m on m.entity = t.entity
      offset 0) after) chosen
), chained as materialized (
  select c.entity, c.step, e.at, e.is_conversion, e.id, e.dimensions,
    min(e.at) over (partition by c.entity) as start_at,
    lag(e.at) over (partition by c.entity order by c.step) as previous_at
  from (select entity, 1::int as step, pos from "chain_1" union all select entity, 2::int, "place_2" from "chosen_1" where "place_2" is not null union all select entity, 3::int, "place_3" from "chosen_2" where "place_3" is not null) c
  join events e on e.entity = c.entity and e.pos = c.pos
),
  measured as (
  select entity, step, count, null::numeric as net, false as lacks_rate, null::float8 as previous_seconds,
    null::float8 as start_seconds
  from (
    select entity, step, 1 as count
    from reached
    cross join generate_series(1, 3::int) step
    where step <= level) counted
  union all
  select c.entity, c.step, 0, s.net, s.lacks_rate is true,
    date_part('epoch', c.at - c.previous_at), date_part('epoch', c.at - c.start_at)
  from chained c
  left join sold s on c.is_conversion and s.id = c.id),
  entity_groups as materialized (
  select r.entity, g.dimensions
  from reached r
  left join (select entity, dimensions from chained where step = 1::int) g on g.entity = r.entity
), places as materialized (
  select dimensions, (row_number() over (order by size desc, dimensions[1::int] collate "C"))::int as label
  from (
    select g.dimensions, sum(m.count) as size
    from entity_groups g
    join measured m on m.entity = g.entity
    where g.dimensions is not null and m.step = 1
    group by g.dimensions
  ) sized
), labelled as materialized (
  select g.entity,
    case
    when g.dimensions is null then -1
    when p.label > 50::int then 0
    else p.label
    end as label
  from entity_groups g
  left join places p on p.dimensions = g.dimensions
),
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
grouped as materialized (
  select label, step, json_build_object(
      'step', step, 'count', count, 'value', value, 'previous_median', previous[1], 'previous_p90', previous[2],
      'start_median', case when step = 1 then 0 else start[1] end,
      'start_p90', case when step = 1 then 0 else start[2] end
  ) as cell, lacks_rate
  from (
    select l.label as label, m.step, sum(m.count)::int as count, coalesce(sum(m.net), 0)::float8 as value,
      count(*) filter (where m.lacks_rate) as lacks_rate,
      percentile_cont(array[0.5, 0.9]) within group (order by m.previous_seconds) as previous,
      percentile_cont(array[0.5, 0.9]) within group (order by m.start_seconds) as start
    from measured m join labelled l on l.entity = m.entity
    group by 1, 2
  ) summed)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])) as goals,
  (select coalesce(json_agg(cell order by step), '[]') from cells) as cells,
  (select coalesce(sum(lacks_rate), 0)::int from cells) as lacks_rate,
  (
  select coalesce(json_agg(json_build_object('dimensions', p.dimensions, 'other', g.label = 0, 'cells', g.cells)
      order by g.label = -1, g.label = 0, g.label), '[]')
  from (select label, json_agg(cell order by step) as cells from grouped group by label) g
  left join places p on p.label = g.label
) as groups;
