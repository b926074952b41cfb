import { type SQL, sql } from 'drizzle-orm';
import { carried, type Group, groupsOf, listed, reaches, totals } from './any-reach-sql.ts';
import { chainedAt, inRange, numberedEvents, windowOf } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';

/**
 * The steps of a funnel in any order: how many different steps the events fill within the window of the first
 * event, and at which events. The earliest event can always stay in a largest matching (matchable sets of
 * events form a matroid), so the chain of a start is every event that increases the number.
 *
 * With `hold`, the steps of touchpoints are filled in the lane of one held value. The steps of conversions are
 * filled apart from them, because no event matches both.
 *
 * Needs: the step `sold`. Gives: the steps that `funnelSteps` lists, and others.
 */
export function anyFunnel(question: FunnelQuestion): SQL {
  const [isHeld, isFirst] = [question.hold.length > 0, question.entry === 'first'];
  const { ofTouchpoints, ofConversions } = groupsOf(question);
  const groups = [...ofConversions, ...ofTouchpoints];
  const names = question.steps.map((_, i) => reach(i));
  const counted = isHeld
    ? sql`${totals(ofConversions, sql`earlier`)}${totals(ofTouchpoints, sql`in_lane`)}`
    : totals(groups, sql`earlier`);
  const filledBest = filled(question, isHeld ? sql`chosen_best` : sql`best`);
  const chains = [
    ...(isHeld ? [chosenLanes(ofTouchpoints, ofConversions)] : []),
    chainedAt(sql`select entity, step, end_pos as pos from (${filledBest}) filled`),
    ...(question.count === 'completions' ? [completed(question)] : []),
  ];
  return sql`${numberedEvents(question)},
    running as materialized (
      select *${counted},
        ${endOfWindow(question)} as end_pos
      from events
      window earlier as (partition by entity order by pos rows unbounded preceding)${
        isHeld ? sql`, in_lane as (partition by entity, lane order by pos rows unbounded preceding)` : sql``
      }
    ), ${isHeld ? heldReaching(ofTouchpoints, ofConversions) : reaching(groups)},
    starts as materialized (
      select *, num_nonnulls(${sql.join(names, sql`, `)}) as level
      from (
        select entity, pos, end_pos, ${sql.join(
          names.map((name) => sql`case when ${name} <= end_pos then ${name} end as ${name}`),
          sql`, `,
        )}${isFirst ? sql`, min(pos) over (partition by entity) as first_pos` : sql``}
        from reaching
        where steps <> 0 and ${inRange(question)}
      ) started
      ${isFirst ? sql`where pos = first_pos` : sql``}
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
      cross join generate_series(1, ${question.steps.length}::int) step
      where step <= level
      group by step
    ), ${sql.join(chains, sql`, `)}`;
}

/**
 * Keeps a join with lists apart from the windows and sorts around it, which would carry a whole list on every row.
 */
const ALONE = sql`offset 0`;

/** The name of the column with the position at which a start reaches one more step, in no order. */
const reach = (i: number) => sql.identifier(`reach_${i}`);

/**
 * The last position of a chain that starts at the event: that of the window, or the first excluded event after it.
 *
 * Needs: rows of `events`. Gives: an expression.
 */
function endOfWindow(question: FunnelQuestion): SQL {
  const end = sql`max(pos) over (
          partition by entity order by at range between unbounded preceding and ${windowOf(question)} following
        )`;
  if (question.exclude.length === 0) return end;
  return sql`least(${end}, min(case when excluded <> 0 then pos end) over (
          partition by entity order by pos desc rows between unbounded preceding and 1 preceding
        ))`;
}

/**
 * The positions that each event reaches as a start.
 *
 * Needs: the step `running`. Gives: the steps `listed` and `reaching`, with the columns of `running` and `reach`.
 */
function reaching(groups: readonly Group[]): SQL {
  return sql`listed as materialized (${listed(groups, sql`entity`)}
    ), reaching as (
      select r.*, ${named(reaches(groups))}
      from running r
      join listed l on l.entity = r.entity
      ${ALONE}
    )`;
}

/**
 * The same with `hold`. A start that is a touchpoint reaches the steps of touchpoints in its lane. One that is a
 * conversion reaches so many of them where the first of the lanes after it does.
 *
 * Needs: the step `running`. Gives: the steps `listed`, `lanes`, `held`, with the positions `own` that a
 * touchpoint reaches in its lane within the window, ascending; and `reaching`.
 */
function heldReaching(ofTouchpoints: readonly Group[], ofConversions: readonly Group[]): SQL {
  const [touched, sold] = [reaches(ofTouchpoints), reaches(ofConversions)];
  const names = touched.map((_, i) => reach(i));
  const inLanes = touched.map((_, i) => sql`own[${i + 1}::int]`);
  const ofStarts = inLanes.map(
    (own) => sql`case when is_conversion then min(${own}) over later else ${own} end`,
  );
  const lanes = sql`lanes as materialized (${listed(ofTouchpoints, sql`entity, lane`)}
    ), held as materialized (
      select entity, pos, at, is_conversion, steps, end_pos, lane${carried(ofConversions)}, case
          when lane is null then null
          when num_nonnulls(${sql.join(names, sql`, `)}) = 1 then array[pos]
          else array(
            select place from unnest(array[${sql.join(names, sql`, `)}]) place where place <= end_pos order by place
          )
        end as own
      from (
        select r.*, ${named(touched)}
        from running r
        left join lanes l on l.entity = r.entity and l.lane = r.lane
        ${ALONE}
      ) reaching
    )`;
  if (sold.length === 0) return sql`${lanes}, reaching as (select *, ${named(inLanes)} from held)`;
  return sql`${lanes}, listed as materialized (${listed(ofConversions, sql`entity`)}
    ), reaching as (
      select r.*, ${named(sold)}
      from (
        select *, ${named(ofStarts, sold.length)}
        from held
        window later as (partition by entity order by pos desc rows unbounded preceding)
      ) r
      join listed l on l.entity = r.entity
      ${ALONE}
    )`;
}

/** The expressions as columns `reach`. Needs: what they need. Gives: a list of columns. */
function named(expressions: readonly SQL[], from = 0): SQL {
  return sql.join(
    expressions.map((expression, i) => sql`${expression} as ${reach(from + i)}`),
    sql`, `,
  );
}

/**
 * The chain of each entity with `hold`. Its touchpoints are in the lane whose first touchpoint of the chain is the
 * earliest, among those that reach as many steps.
 *
 * Needs: the steps `held` and `best`. Gives: the steps `chosen` and `chosen_best`, with the columns of `best`.
 */
function chosenLanes(ofTouchpoints: readonly Group[], ofConversions: readonly Group[]): SQL {
  const sold = reaches(ofConversions).map((_, i) => reach(i));
  const touched = reaches(ofTouchpoints).map((_, i) => reach(sold.length + i));
  const reachedInLane = touched.map((name, i) => {
    const place = sql`c.own[${i + 1}::int]`;
    return sql`case when ${place} <= b.end_pos then ${place} end as ${name}`;
  });
  return sql`chosen as materialized (
      select distinct on (b.entity) b.entity, h.own
      from best b
      join held h on h.entity = b.entity
      where h.pos >= b.pos and h.own[num_nonnulls(${sql.join(touched, sql`, `)})] <= b.end_pos
      order by b.entity, h.pos
    ), chosen_best as (
      select b.entity, b.pos, ${sql.join([...sold.map((name) => sql`b.${name}`), ...reachedInLane], sql`, `)}
      from best b
      left join chosen c on c.entity = b.entity
    )`;
}

/**
 * The steps in the order in which a start reaches them.
 *
 * Needs: `starts`, a step with the columns `entity, pos` and `reach`. Gives: a select of `entity, pos, step, end_pos`.
 */
function filled({ steps }: FunnelQuestion, starts: SQL): SQL {
  return sql`
      select s.entity, s.pos, filled.step::int as step, filled.end_pos
      from ${starts} s
      cross join lateral (
        select end_pos, row_number() over (order by end_pos) as step
        from (values ${sql.join(
          steps.map((_, i) => sql`(s.${reach(i)})`),
          sql`, `,
        )}) reached (end_pos)
        where end_pos is not null
      ) filled`;
}

/**
 * The completions: of the chains of all starts, as many as do not overlap.
 *
 * Needs: the step `starts`. Gives: the step `completed (entity, step, completions)`.
 */
function completed(question: FunnelQuestion): SQL {
  return sql`completed as materialized (
      select entity, step, count_disjoint(pos, end_pos order by end_pos, pos desc) as completions
      from (${filled(question, sql`starts`)}) ends
      group by entity, step
    )`;
}
