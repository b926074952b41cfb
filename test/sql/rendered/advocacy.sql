select set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true);

with
  pairs as materialized (
  select *, referred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and referred_at < '2026-05-31T22:00:00.000Z'::timestamptz as is_in_range
  from (
    select advocate_id, person_id, min(referred_at) as referred_at
    from (
      select named.person_id, named.referred_at, (
        select i.person_id
        from identities i
        where i.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and i.id = named.identity_id
      ) as advocate_id
      from (
        select t.referred_by_identity_id as identity_id, t.person_id, min(t.occurred_at) as referred_at
        from touchpoints t
        where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.referred_by_identity_id is not null
          and t.voided_at is null and t.occurred_at <= '2026-06-15T12:00:00.000Z'::timestamptz
        group by t.referred_by_identity_id, t.person_id
      ) named
      offset 0
    ) known
    where advocate_id <> person_id
    group by advocate_id, person_id
  ) first_referrals
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
  brought as (
  select p.advocate_id, p.person_id, count(c.id) as conversions, coalesce(sum(c.net), 0) as value
  from pairs p
  left join counted c on c.person_id = p.person_id and c.occurred_at >= p.referred_at
  where p.is_in_range
  group by p.advocate_id, p.person_id
), second_order as materialized (
  select distinct p.advocate_id, next.person_id
  from pairs p
  join pairs next on next.advocate_id = p.person_id and next.referred_at >= p.referred_at
  where p.is_in_range and next.person_id <> p.advocate_id and not exists (
    select
    from pairs own
    where own.advocate_id = p.advocate_id and own.person_id = next.person_id
  )
), advocates as materialized (
  select firsts.*, coalesce(seconds.people, 0) as second_order_people
  from (
    select advocate_id, count(*) as referred_people, count(*) filter (where conversions > 0) as converted_people,
      sum(value) as value
    from brought
    group by advocate_id
  ) firsts
  left join (
    select advocate_id, count(*) as people
    from second_order
    group by advocate_id
  ) seconds using (advocate_id)
),
  referred as materialized (
  select person_id, min(referred_at) as first_ever, min(referred_at) filter (where is_in_range) as first_in_range
  from pairs
  group by person_id
), placed as (
  select c.*, c.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and c.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz as is_in_range,
    c.occurred_at >= r.first_ever as is_told, c.occurred_at >= r.first_in_range as is_brought
  from counted c
  left join referred r using (person_id)
)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])) as goals,
  (
  select coalesce(json_agg(json_build_object(
          'person_id', advocate_id, 'referred_people', referred_people, 'converted_people', converted_people,
          'value', value::text, 'second_order_people', second_order_people
      ) order by converted_people desc, referred_people desc, advocate_id), '[]')
  from (
    select *
    from advocates
    order by converted_people desc, referred_people desc, advocate_id
    limit 100
  ) shown
) as advocates,
  (
  select json_build_object(
      'advocates', (select count(*) from advocates),
      'referred_people', (select count(first_in_range) from referred),
      'converted_people', count(distinct person_id) filter (where is_brought),
      'value', coalesce(sum(net) filter (where is_brought), 0)::text,
      'second_order_people', (select count(distinct person_id) from second_order),
      'all', json_build_object(
        'conversions', count(*) filter (where is_in_range),
        'value', coalesce(sum(net) filter (where is_in_range), 0)::text
    ),
      'word_of_mouth', json_build_object(
        'conversions', count(*) filter (where is_in_range and is_told),
        'value', coalesce(sum(net) filter (where is_in_range and is_told), 0)::text
    ),
      'lacks_rate', count(*) filter (where lacks_rate and (is_in_range or is_brought))
  )
  from placed
) as totals;
