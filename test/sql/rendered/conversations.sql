with opened as materialized (
  select t.person_id, v.opened_at, v.opening_id, v.first_response_at, v.inbound, v.outbound,
    date_part('epoch', v.first_response_at - v.opened_at) as seconds,
    null::text as interval, array[t.channel] collate "C" as dimensions
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
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{}'::text[])) as goals,
  (select json_agg(figures order by interval, other, conversations desc, dimensions) from figures) as figures,
  '[]'::json as outcomes;
