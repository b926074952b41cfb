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
    and true
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
), starters as materialized (
  select entity from (
    select t.person_id as entity, t.occurred_at as at, false as is_conversion, t.id
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and t.voided_at is null
      and t.kind = any('{"mention"}'::text[])
      and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
      and true) e where at >= '2026-04-30T22:00:00.000Z'::timestamptz and at < '2026-05-31T22:00:00.000Z'::timestamptz group by entity
), events as materialized (
  select *, (row_number() over (partition by entity order by at, is_conversion, id))::int as pos
  from (
    select t.person_id as entity, t.occurred_at as at, false as is_conversion, t.id,
      ((t.kind = any('{"mention"}'::text[])) is true)::int * 1::int + ((t.direction = any('{"outbound"}'::text[])) is true)::int * 2::int + ((false) is true)::int * 4::int as steps, ((t.kind = any('{"other"}'::text[])) is true)::int * 1::int as excluded,
      t.conversation as held, array[t.channel]::text[] as dimensions
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
      and t.voided_at is null
      and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-05-31T22:00:00.000Z'::timestamptz + make_interval(secs => 604800::float8)
      and t.person_id in (select entity from starters)
    union all
    select c.entity, c.at, true, c.id, ((false) is true)::int * 1::int + ((false) is true)::int * 2::int + ((c.goal = any('{"purchase"}'::text[])) is true)::int * 4::int, ((false) is true)::int * 1::int, null,
      array_fill(null::text, array[1::int])
    from sold c
    where c.entity in (select entity from starters)
  ) happened
),
  ahead as (
  select *, lead("at", 1::int) over entity as "at_2", lead("is_conversion", 1::int) over entity as "is_conversion_2", lead("id", 1::int) over entity as "id_2", lead("steps", 1::int) over entity as "steps_2", lead("excluded", 1::int) over entity as "excluded_2", lead("held", 1::int) over entity as "held_2", lead("at", 2::int) over entity as "at_3", lead("is_conversion", 2::int) over entity as "is_conversion_3", lead("id", 2::int) over entity as "id_3", lead("steps", 2::int) over entity as "steps_3", lead("excluded", 2::int) over entity as "excluded_3", lead("held", 2::int) over entity as "held_3"
  from events
  window entity as (partition by entity order by pos)
), starts as materialized (
  select *
  from (
    select *, min(pos) over (partition by entity) as first_pos
    from (select *, case when "steps" & 1::int <> 0 and at >= '2026-04-30T22:00:00.000Z'::timestamptz and at < '2026-05-31T22:00:00.000Z'::timestamptz then case when "steps_2" & 2::int <> 0 and "at_2" <= at + make_interval(secs => 604800::float8) and "held_2" = "held" then case when "steps_3" & 4::int <> 0 and "at_3" <= at + make_interval(secs => 604800::float8) and "excluded_2" & 1::int = 0 then 3::int else 2::int end else 1::int end else 0::int end as level from ahead) judged
    where level > 0
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
  select entity, 1::int as step, "at" as at, "is_conversion" as is_conversion,
    "id" as id, "dimensions" as dimensions, at as start_at,
    null::timestamptz as previous_at
  from best
  where level >= 1::int union all
  select entity, 2::int as step, "at_2" as at, "is_conversion_2" as is_conversion,
    "id_2" as id, null::text[] as dimensions, at as start_at,
    "at" as previous_at
  from best
  where level >= 2::int union all
  select entity, 3::int as step, "at_3" as at, "is_conversion_3" as is_conversion,
    "id_3" as id, null::text[] as dimensions, at as start_at,
    "at_2" as previous_at
  from best
  where level >= 3::int
), completed as materialized (
  select entity, step, count_disjoint(pos, pos + step - 1 order by pos) as completions
  from starts
  cross join generate_series(1, 3::int) step
  where step <= level
  group by entity, step
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
