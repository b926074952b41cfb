with events as (
  select t.person_id, t.occurred_at, 0 as precedence, t.id,
    case
    when t.stage = 'trial' then 3::int
    when t.stage = 'consideration' then 2::int
    when t.direction = 'inbound' then 1::int
    else 0::int
    end as place
  from touchpoints t
  where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.voided_at is null and t.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz
  union all
  select person_id, occurred_at, 1, id,
    case
    when stage = 'trial' then 3::int
    when stage = 'consideration' then 2::int
    when is_purchase and row_number() over purchases = 1 then 4::int
    when is_purchase then 5::int
    else 0::int
    end
  from (
    select *, stage = 'purchase' and (counting = 'every' or row_number() over of_goal = 1) as is_purchase
    from (
      select c.person_id, c.occurred_at, c.id, c.goal, g.stage, g.counting
      from conversions c
      join goals g on g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = c.goal
      where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz
        and not exists (
        select
        from adjustments a
        where a.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
        offset 0
      )
    ) unretracted
    window of_goal as (partition by person_id, goal order by occurred_at, id)
  ) counted
  window purchases as (partition by person_id, is_purchase order by occurred_at, id)
  union all
  select advocate.person_id, t.occurred_at, 0, t.id, 6::int
  from touchpoints t
  join identities advocate
    on advocate.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and advocate.id = t.referred_by_identity_id
  where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.referred_by_identity_id is not null
    and t.voided_at is null and t.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz and advocate.person_id <> t.person_id
), firsts as (
  select distinct on (person_id, place) person_id, place, occurred_at, precedence, id
  from events
  order by person_id, place, occurred_at, precedence, id
), placed as materialized (
  select person_id, place, occurred_at, coalesce(max(place) filter (where place < 6::int) over (
        partition by person_id
      order by occurred_at, precedence, id
        rows between unbounded preceding and 1 preceding
    ), 0::int) as place_before
  from firsts
), people as materialized (
  select max(place) filter (where place < 6::int) as place, bool_or(place = 6::int) as is_advocate
  from placed
  group by person_id
), stages as (
  select place, count(*)::int as people
  from people
  where place > 0::int
  group by place
  union all
  select 6::int, count(*)::int
  from people
  where is_advocate
), moves as (
  select place_before, place, count(*)::int as people
  from placed
  where place > place_before and occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz
  group by place_before, place
)
select (select count(*)::int from people) as people,
  (select json_object_agg(('{"conversation","consideration","trial","purchase","loyalty","advocacy"}'::text[])[place], people) from stages) as stages,
  (
  select coalesce(json_agg(json_build_object(
          'from', ('{"conversation","consideration","trial","purchase","loyalty","advocacy"}'::text[])[nullif(place_before, 0::int)], 'to', ('{"conversation","consideration","trial","purchase","loyalty","advocacy"}'::text[])[place], 'people', people
      ) order by place_before, place), '[]')
  from moves
) as moves;
