import { type SQL, sql } from 'drizzle-orm';
import type { EventFilter } from '../domain/funnel.ts';
import { overlapGroups } from '../domain/overlap.ts';
import { inRange, lanedEvents, numberedEvents, windowOf } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';

/**
 * The steps of a funnel in any order: how many different steps the events fill within the
 * window of the first event.
 *
 * Events and steps are matched. The size of the largest matching is computed without finding the matching
 * (Kőnig, Hall): it is the minimum, over all sets S of steps, of the number of steps outside S plus the
 * number of events that match a step in S. Steps that share no matching event are counted separately, so the
 * sets are few. Running counts of the events that match each set give that number between any two events.
 *
 * The chain is every event that increases the number: the earliest event can always stay in a largest
 * matching (matchable sets of events form a matroid).
 *
 * Needs: the step `sold`. Gives: the steps that `funnelSteps` lists, and others.
 */
export function anyFunnel(question: FunnelQuestion): SQL {
  const sets = setsOf(question);
  const apart = question.count === 'completions' && areApart(question) ? question.steps.map((_, i) => i) : [];
  const isFirst = question.entry === 'first' ? sql`where pos = first_pos` : sql``;
  return sql`${numberedEvents(question)}, ${lanedEvents(question)},
    running as materialized (
      select *, ${sql.join(
        sets.map(
          (set) => sql`
        count(*) filter (where steps & ${set}::int <> 0) over earlier as ${total(set)}`,
        ),
        sql`, `,
      )},
        max(pos) over (partition by entity, lane order by at range between unbounded preceding and ${windowOf(question)} following) as window_pos,
        min(case when excluded <> 0 then pos end) over (
          partition by entity, lane order by pos desc rows between unbounded preceding and 1 preceding
        ) as excluded_pos${sql.join(
          apart.map(
            (i) => sql`,
        min(pos) filter (where steps & ${1 << i}::int <> 0) over (
          partition by entity, lane order by pos desc rows unbounded preceding
        ) as ${nextOf(i)}`,
          ),
        )}
      from laned
      window earlier as (partition by entity, lane order by pos rows unbounded preceding)
    ), starts as materialized (
      select *
      from (
        select entity, lane, pos, at, least(window_pos, excluded_pos) as end_pos, min(pos) over (partition by entity) as first_pos,
          ${sql.join(apart.map((i) => sql`${nextOf(i)}, `))}${sql.join(
            sets.map((set) => sql`${total(set)} - (steps & ${set}::int <> 0)::int as ${total(set)}`),
            sql`, `,
          )}
        from running
        where steps <> 0 and ${inRange(question)}
      ) started
      ${isFirst}
    ), levels as materialized (
      select s.*, ${matched(question, (set) => sql`(r.${total(set)} - s.${total(set)})`)} as level
      from starts s
      join running r on r.entity = s.entity and r.lane = s.lane and r.pos = s.end_pos
    ), best as materialized (
      select *
      from (select *, rank() over (partition by entity order by level desc, pos) as place from levels) placed
      where place = 1
    ), reached as materialized (
      select entity, max(level)::int as level
      from best
      group by entity
    ), came as materialized (
      select step, count(*)::int as count
      from reached
      cross join generate_series(1, ${question.steps.length}::int) step
      where step <= level
      group by step
    ), matchings as (
      select b.lane, b.at as start_at, r.entity, r.at, r.is_conversion, r.id, r.dimensions, r.pos,
        ${matched(question, (set) => sql`(r.${total(set)} - b.${total(set)})`)} as step
      from best b
      join running r on r.entity = b.entity and r.lane = b.lane
      where r.steps <> 0 and r.pos >= b.pos and r.pos <= b.end_pos
    ), grown as materialized (
      select *, lag(at) over (partition by entity, lane order by pos) as previous_at,
        array_agg(pos) over (partition by entity, lane order by pos rows between unbounded preceding and unbounded following) as chain
      from (
        select *, step - coalesce(lag(step) over (partition by entity, lane order by pos), 0) as growth
        from matchings
      ) counted
      where growth > 0
    ), chained as materialized (
      select entity, step::int as step, at, is_conversion, id, dimensions, start_at, previous_at
      from (select *, row_number() over (partition by entity, step order by chain, lane) as place from grown) placed
      where place = 1
    )${question.count === 'completions' ? sql`, ${completed(question)}` : sql``}`;
}

/** The name of the column with the running count of a set of steps. */
const total = (set: number) => sql.identifier(`total_${set}`);

/** The name of the column with the position of the next event that matches a step, by the step's index. */
const nextOf = (i: number) => sql.identifier(`next_${i}`);

/** Whether no event can match two steps. */
function areApart(question: FunnelQuestion): boolean {
  return groupsOf(question).every((group) => group.length === 1);
}

/** The sets of steps that matter, as bits: all sets within a group of steps that overlap. */
function setsOf(question: FunnelQuestion): number[] {
  return groupsOf(question).flatMap(subsets);
}

function groupsOf({ steps }: FunnelQuestion): number[][] {
  return overlapGroups(steps as readonly EventFilter[]);
}

/** All subsets except the empty one, as bits. */
function subsets(group: readonly number[]): number[] {
  const sets: number[] = [];
  for (const i of group) sets.push(...sets.map((set) => set | (1 << i)), 1 << i);
  return sets;
}

/**
 * The size of the largest matching.
 *
 * Needs: `events`, which gives an integer expression per set of steps: the number of events that match it.
 * Gives: an integer expression.
 */
function matched(question: FunnelQuestion, events: (set: number) => SQL): SQL {
  const parts = groupsOf(question).map((group) => {
    const bounds = subsets(group).map((set) => {
      const outside = group.filter((i) => (set & (1 << i)) === 0).length;
      return outside === 0 ? events(set) : sql`${events(set)} + ${outside}::int`;
    });
    return sql`least(${group.length}::int, ${sql.join(bounds, sql`, `)})`;
  });
  return sql.join(parts, sql` + `);
}

/**
 * The completions: for each start, the event at which it reaches each step; then the chains
 * that do not overlap. Where no event matches two steps, a start reaches its k-th step at the k-th of the
 * next events of all steps; otherwise the events of its window are counted.
 *
 * Needs: the steps `starts` and `running`. Gives: the steps `ends` and `completed (entity,
 * step, completions)`.
 */
function completed(question: FunnelQuestion): SQL {
  const ends = areApart(question)
    ? sql`
      select s.entity, s.lane, s.pos as start_pos, reached.step, reached.pos as end_pos
      from starts s
      cross join lateral (
        select pos, row_number() over (order by pos) as step
        from (values ${sql.join(
          question.steps.map((_, i) => sql`(${nextOf(i)})`),
          sql`, `,
        )}) next (pos)
        where pos <= s.end_pos
      ) reached`
    : sql`
      select entity, lane, start_pos, step, min(pos) as end_pos
      from (
        select s.entity, s.lane, s.pos as start_pos, r.pos,
          ${matched(question, (set) => sql`(r.${total(set)} - s.${total(set)})`)} as step
        from starts s
        join running r on r.entity = s.entity and r.lane = s.lane
        where r.steps <> 0 and r.pos >= s.pos and r.pos <= s.end_pos
      ) passed
      group by entity, lane, start_pos, step`;
  return sql`first_ends as (${ends}
    ), completed as materialized (
      select entity, step::int as step, count_disjoint(start_pos, end_pos order by end_pos, start_pos desc) as completions
      from first_ends
      group by entity, step
    )`;
}
