import { LOOKBACK_DAYS } from '../workspace/size.ts';
import type { TableSize, WorkspaceFacts } from './results.ts';
import type { Space } from './space.ts';

/** Smaller tables are left out. */
const LEAST_TABLE_BYTES = 1024 ** 2;

export async function factsOf(space: Space): Promise<WorkspaceFacts> {
  const { client, loaded, size, is_copy } = space;
  const { workspace_id, load_seconds } = loaded;
  const month = space.questionOf('month');
  const year = space.questionOf('year');
  const [people] = (await client.query(PEOPLE, [workspace_id])).rows;
  const [rows] = (await client.query(ROWS, [workspace_id, month.from, month.to])).rows;
  const [journeys] = (await client.query(JOURNEYS, [workspace_id, year.from, year.to, LOOKBACK_DAYS])).rows;
  return {
    size: size.name,
    load_seconds,
    is_copy,
    ...people,
    ...rows,
    ...journeys,
    tables: await tableSizes(space),
  };
}

const PEOPLE = `
  select sum(touchpoints)::int as touchpoints, count(*)::int as people_with_touchpoints,
    percentile_disc(0.5) within group (order by touchpoints)::int as median_of_person,
    percentile_disc(0.99) within group (order by touchpoints)::int as p99_of_person,
    max(touchpoints)::int as most_of_person
  from (
    select count(*) as touchpoints
    from touchpoints
    where workspace_id = $1
    group by person_id
  ) people`;

const ROWS = `
  select (select count(*)::int from people where workspace_id = $1) as people,
    (select count(*)::int from conversations where workspace_id = $1) as threads,
    (select count(*)::int from accounts where workspace_id = $1) as accounts,
    (select count(*)::int from adjustments where workspace_id = $1) as adjustments,
    count(*) filter (where goal = 'purchase')::int as purchases,
    count(*) filter (where goal <> 'purchase')::int as cultivations,
    count(*) filter (where goal = 'purchase' and occurred_at >= $2 and occurred_at < $3)::int as purchases_in_month
  from conversions
  where workspace_id = $1`;

const JOURNEYS = `
  select count(*)::int as purchases_in_year, avg((touches > 0)::int)::float8 as with_journey,
    (avg(touches) filter (where touches > 0))::float8 as touches_of_journey
  from conversions c
  cross join lateral (
    select count(*) as touches
    from touchpoints t
    where t.workspace_id = $1 and t.person_id = c.person_id and t.occurred_at <= c.occurred_at
      and t.occurred_at >= c.occurred_at - make_interval(days => $4::int)
      and t.voided_at is null and t.kind not in ('event', 'view', 'other')
  ) journey
  where c.workspace_id = $1 and c.goal = 'purchase' and c.occurred_at >= $2 and c.occurred_at < $3`;

async function tableSizes({ client }: Space): Promise<TableSize[]> {
  const { rows } = await client.query<TableSize>(
    `select relname as table, greatest(reltuples, 0)::float8 as rows, pg_table_size(oid)::float8 as heap,
       pg_indexes_size(oid)::float8 as indexes
     from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'r' and pg_total_relation_size(oid) >= $1
     order by pg_total_relation_size(oid) desc, relname`,
    [LEAST_TABLE_BYTES],
  );
  return rows;
}
