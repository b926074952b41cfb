with
  entered as materialized (
  select person_id, first_at
  from (
    select t.person_id, min(t.occurred_at) as first_at
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz
      and t.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz and t.occurred_at <= '2026-06-15T12:00:00.000Z'::timestamptz and t.voided_at is null
    group by t.person_id
  ) seen
  where not exists (
    select
    from touchpoints t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.person_id = seen.person_id
      and (t.person_id, t.occurred_at) < (seen.person_id, '2026-04-30T22:00:00.000Z'::timestamptz) and t.voided_at is null
    offset 0
  )
),
  adjusted as materialized (
  select a.conversion_id
  from adjustments a
  where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
  order by a.conversion_id
  limit 50000
),
  held as materialized (
  select *, row_number() over (partition by person_id, goal order by occurred_at, id) as nth
  from (
    select c.id, c.person_id, c.goal, c.occurred_at, c.currency, g.counting,
      coalesce(case when c.is_adjusted then (
        select a.value
        from adjustments a
        where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'restatement'
        order by a.occurred_at desc, a.id desc
        limit 1
      ) end, c.value) as value, (c.occurred_at at time zone 'Europe/Berlin')::date as day
    from (
      select c.id, c.person_id, c.goal, c.occurred_at, c.currency, c.value, ((select count(*) >= 50000 from adjusted) or c.id in (select conversion_id from adjusted)) as is_adjusted
      from conversions c
      where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.goal = any('{"purchase"}'::text[])
        and c.occurred_at <= '2026-06-15T12:00:00.000Z'::timestamptz
      offset 0
    ) c
    join goals g on g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = c.goal
    where (not c.is_adjusted or not exists (
        select
        from adjustments a
        where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
        offset 0
    ))
  ) unretracted
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - 7::int as oldest
      from (select currency, day from held where occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz) amounts
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
  counted as materialized (
  select id, person_id, occurred_at, value * rate as net, value is not null and rate is null as lacks_rate
  from (
    select *, case
      when currency = 'EUR' then 1
      else ((select rates from "fx") ->> (currency || ' ' || day))::numeric
      end as rate
    from held
    where counting = 'every' or nth = 1
  ) rated
),
  reached as materialized (
  select c.person_id, c.goal, min(c.occurred_at) as occurred_at
  from conversions c
  where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.goal = any(array(select g.key from goals g where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.kind = 'cultivation' order by g.key))
    and c.occurred_at <= '2026-06-15T12:00:00.000Z'::timestamptz and (not ((select count(*) >= 50000 from adjusted) or c.id in (select conversion_id from adjusted)) or not exists (
      select
      from adjustments a
      where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
      offset 0
  ))
  group by c.person_id, c.goal
),
  people as materialized (
  select person_id, landmark, landmark + make_interval(secs => 7776000::float8) as horizon,
    min(occurred_at) filter (where goal is null) as converted_at,
    sum(net) filter (where occurred_at <= landmark + make_interval(secs => 7776000::float8)) as value,
    count(*) filter (where lacks_rate and occurred_at <= landmark + make_interval(secs => 7776000::float8)) as lacks_rate,
    coalesce(array_agg(goal) filter (where goal is not null and occurred_at <= landmark), '{}') as cultivated_by,
    coalesce(array_agg(goal) filter (where goal is not null), '{}') as reached
  from (
    select *, max(first_at) over (partition by person_id) + make_interval(secs => 1209600::float8) as landmark
    from (
      select person_id, first_at, null::text as goal, null::timestamptz as occurred_at, null::numeric as net,
        false as lacks_rate
      from entered
      union all
      select person_id, null, goal, occurred_at, null, false
      from reached
      union all
      select person_id, null, null, occurred_at, net, lacks_rate
      from counted
    ) listed
  ) dated
  group by person_id, landmark
  having landmark is not null or count(goal) > 0
), placed as materialized (
  select *, converted_at is null and reached <> '{}' as is_pooled
  from (
    select *, least(
        dense_rank() over (order by entered desc, channel collate "C"), 51::int
    )::int as place
    from (
      select *, count(landmark) over (partition by channel) as entered
      from (
        select *, (
          select t.channel
          from touchpoints t
          where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.person_id = people.person_id
            and (t.person_id, t.occurred_at) <= (people.person_id, '2026-06-15T12:00:00.000Z'::timestamptz) and t.voided_at is null
          order by t.occurred_at, t.id
          limit 1
        ) as channel
        from people
      ) found
    ) counted_channels
  ) ranked
),
  followed as (
  select *, case
    when left_out is distinct from 'converted_before_landmark' and landmark <= '2026-06-15T12:00:00.000Z'::timestamptz
    then extract(epoch from least(converted_at, horizon, '2026-06-15T12:00:00.000Z'::timestamptz) - landmark)::float8
    end as seconds
  from (
    select *, coalesce(converted_at <= horizon, false) as has_converted, case
      when converted_at <= landmark then 'converted_before_landmark'
      when horizon > '2026-06-15T12:00:00.000Z'::timestamptz then 'short_follow_up'
      end as left_out
    from placed
    where landmark is not null
  ) entered_people
), members as materialized (
  select 0 as place, cultivated_by <> '{}' as is_cultivated, left_out, has_converted, value, lacks_rate, seconds
  from followed union all
  select place as place, cultivated_by <> '{}' as is_cultivated, left_out, has_converted, value, lacks_rate, seconds
  from followed
),
  moments as (
  select place, is_cultivated, seconds, count(*) as watched, count(*) filter (where has_converted) as events
  from members
  where seconds is not null
  group by place, is_cultivated, seconds
), curve as (
  select place, is_cultivated, seconds, exp(sum(
        ln(case when events = at_risk then 1e-300 else 1 - events / at_risk end)
    ) over (partition by place, is_cultivated order by seconds)) as share
  from (
    select *, sum(watched) over (partition by place, is_cultivated order by seconds desc)::float8 as at_risk
    from moments
  ) exposed
  where events > 0
), medians as (
  select place, is_cultivated, min(seconds) as median_seconds
  from curve
  where share <= 0.500000001::float8
  group by place, is_cultivated
), arms as (
  select *
  from (
    select place, is_cultivated, count(*) filter (where left_out is null) as people,
      count(*) filter (where left_out is null and has_converted) as converted,
      coalesce(sum(value) filter (where left_out is null), 0) as value
    from members
    group by place, is_cultivated
  ) sums
  left join medians using (place, is_cultivated)
)
select
  (
  select json_agg(json_build_object('key', g.key, 'kind', g.kind) order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and (g.key = any('{"purchase"}'::text[]) or g.kind = 'cultivation')
) as goals,
  (
  select json_agg(json_build_object(
        'place', place, 'is_cultivated', is_cultivated, 'people', people, 'converted', converted, 'value', value::text,
        'median_seconds', median_seconds
    ) order by place, is_cultivated)
  from arms
) as arms,
  (
  select json_build_object(
      'converted_before_landmark', count(*) filter (where left_out = 'converted_before_landmark'),
      'short_follow_up', count(*) filter (where left_out = 'short_follow_up'),
      'lacks_rate', coalesce(sum(lacks_rate) filter (where left_out is null), 0)
  )
  from members
  where place = 0
) as left_out,
  (
  select json_build_object('people', count(*) filter (where is_pooled), 'goals', (
      select json_object_agg(goal, people)
      from (
        select goal, count(*) as people
        from placed, unnest(reached) goal
        where is_pooled
        group by goal
      ) by_goal
  ))
  from placed
) as pool,
  (
  select json_agg(json_build_object('place', place, 'channel', channel, 'pool_people', pool_people) order by place)
  from (
    select place, min(channel) as channel, count(*) filter (where is_pooled) as pool_people
    from placed
    group by place
  ) by_place
) as channels;
