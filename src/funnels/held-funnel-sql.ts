import { type Name, type SQL, sql } from 'drizzle-orm';
import { chain, isWanted, next, onTheWay, start, way } from './funnel-chain-sql.ts';
import { chainedAt, numberedEvents } from './funnel-events-sql.ts';
import type { FunnelQuestion } from './funnel-question.ts';
import {
  came,
  chainOfRun,
  endOf,
  excludedBefore,
  fitsAt,
  marks,
  passage,
  passageNames,
  place,
  type Run,
  runsOf,
  sourceOf,
} from './held-runs-sql.ts';
import { completed, firstStep, laterStep, reached, who } from './ordered-funnel-sql.ts';
import { barredAt, FITS, hasExclusions, LEADS, reachedNames, step, whoCame } from './step-rows-sql.ts';

/**
 * The steps of an ordered funnel with `hold`. Up to the first step of touchpoints, nothing is held yet, and the
 * funnel runs over all events. From there on it runs over the touchpoints in their lanes. Conversions go with every
 * lane, so they are not copied into lanes, but looked up.
 *
 * The touchpoints from which one can be reached are those between two positions that grow with it. The window
 * of the latest of them is the one that ends last. So running maxima over the lane decide.
 *
 * Needs: the step `sold`. Gives: the steps that `funnelSteps` lists, and others.
 */
export function heldFunnel(question: FunnelQuestion): SQL {
  const runs = runsOf(question);
  const [{ from = 1 } = {}] = runs;
  const ks = question.steps.map((_, i) => i + 1);
  const atFirst = ks.slice(0, from);
  const parts = [
    numberedEvents(question),
    ...marks(question),
    firstStep(question),
    who(1),
    ...atFirst.slice(1).flatMap((k) => [...laterStep(question, k), who(k)]),
    ...runs.flatMap((run) => forward(question, run)),
    reached(ks),
    ...runs.toReversed().map((run) => backward(question, run)),
    ...atFirst
      .slice(0, -1)
      .toReversed()
      .map((k) => onTheWay(question, k)),
    start(sql`select * from ${way(1)}`),
    ...atFirst.slice(1).map((k) => next(k, way(k))),
    ...runs.map((run) => chosen(question, run)),
    chainedAt(placesOf(atFirst, runs)),
    ...(question.count === 'completions' ? [completed(ks)] : []),
  ];
  return sql.join(parts, sql`, `);
}

const passed = ({ from }: Run) => sql.identifier(`passed_${from}`);
const chosenIn = ({ from }: Run) => sql.identifier(`chosen_${from}`);

/** The columns of a touchpoint that are kept. Needs: rows of its step. Gives: a list of names. */
function columnsOf(question: FunnelQuestion, { from }: Run): Name[] {
  if (runsOf(question)[0]?.from === from) return reachedNames(question);
  const names = ['entity', 'lane', 'pos', 'start_pos', 'until_at'];
  return [...names, ...(hasExclusions(question) ? ['before_pos'] : [])].map((name) => sql.identifier(name));
}

/** Needs: nothing. Gives: a list of columns or expressions. */
const list = (names: readonly (Name | SQL)[]) =>
  sql.join(
    names.map((name) => sql`${name}`),
    sql`, `,
  );

/**
 * A run: its conversions, and the next touchpoints.
 *
 * Needs: the step `step_k` of the run's touchpoint. Gives: a list of steps: `passed_k`, with the columns of `passage`;
 * `step_k`, `who_k` and `size_k` of the further steps.
 */
function forward(question: FunnelQuestion, run: Run): SQL[] {
  const rows = sql`select * from ${step(run.from)}`;
  return [
    sql`${passed(run)} as materialized (${passage(question, run, rows, list(columnsOf(question, run)))}
    )`,
    ...run.steps.flatMap((k) => [
      sql`${step(k)} as (
      select entity, ${came(k)} as pos, start_pos from ${passed(run)} where ${came(k)} is not null
    )`,
      who(k),
    ]),
    ...(run.to === null ? [] : [nextTouchpoints(question, run, run.to), who(run.to)]),
  ];
}

/**
 * The touchpoints that a run leads to: the last one before them in their lane that leads on far enough decides.
 *
 * Needs: the steps `passed_k` and `who_(to−1)`. Gives: the step of `to`, with the columns `entity, lane, pos,
 * start_pos, until_at`, with exclusions also `barred` and `before_pos`, the last excluded position before it.
 */
function nextTouchpoints(question: FunnelQuestion, run: Run, to: number): SQL {
  const end = endOf(run);
  const extra = (columns: SQL) => (hasExclusions(question) ? sql`, ${columns}` : sql``);
  const latestLast = extra(sql`max(last_pos) over earlier as latest_last_pos`);
  const isFarEnough = hasExclusions(question) ? sql` and latest_last_pos >= before_pos` : sql``;
  return sql`${step(to)} as materialized (
      select entity, lane, pos, latest_pos as start_pos, latest_until_at as until_at${extra(sql`barred, before_pos`)}
      from (
        select *, max(start_pos) over earlier as latest_pos, max(until_at) over earlier as latest_until_at${latestLast}
        from (
          select entity, lane, pos, at, ${FITS} as role, null::int as start_pos, null::timestamptz as until_at${extra(
            sql`${barredAt(question, to)} as barred, ${excludedBefore(question, to)} as before_pos,
            null::int as last_pos`,
          )}
          from ${sourceOf(question)}
          where ${fitsAt(question, to)} and entity in (select entity from ${whoCame(to - 1)})
          union all
          select entity, lane, ${end.first}, null, ${LEADS}, start_pos, until_at${extra(sql`null, null, ${end.last}`)}
          from ${passed(run)}
          where ${end.first} is not null
        ) merged
        window earlier as (partition by entity, lane order by pos, role rows unbounded preceding)
      ) placed
      where role = ${FITS} and at <= latest_until_at${isFarEnough}
    )`;
}

/**
 * The touchpoints at the start of a run from which the entity's last step is possible, with the earliest position
 * `finish_pos` at which it is complete. The first touchpoint after the run from which it is possible decides.
 *
 * Needs: the steps `reached`, `passed_k`, and `way_(to)`. Gives: the step `way_k`, with the columns of `passed_k`,
 * `level`, `finish_pos`, `next_pos` and `next_before`; for the first run also `finish_at`.
 */
function backward(question: FunnelQuestion, run: Run): SQL {
  const { from, to, steps } = run;
  const isFirst = runsOf(question)[0]?.from === from;
  const isWantedHere = isWanted(question, from);
  const rows = sql`
          select p.*, r.level
          from ${passed(run)} p
          join reached r on r.entity = p.entity${isWantedHere ? sql`` : sql` and r.level > ${from}::int`}`;
  const isPossible = hasExclusions(question) ? sql` and ${endOf(run).last} >= next_before` : sql``;
  const finishes = [
    ...(isWantedHere ? [sql`when level = ${from}::int then pos`] : []),
    ...steps.map((k) => sql`when level = ${k}::int then ${came(k)}`),
    ...(to === null ? [] : [sql`when level >= ${to}::int${isPossible} then next_finish`]),
  ];
  const finished = sql`
      select *, case ${sql.join(
        finishes,
        sql`
          `,
      )} end as finish_pos
      from (${to === null ? rows : seenAhead(question, run, to, rows)}) ahead`;
  if (!isFirst)
    return sql`${way(from)} as materialized (
      select * from (${finished}) finished where finish_pos is not null
    )`;
  return sql`${way(from)} as materialized (
      select f.*, e.at as finish_at
      from (${finished}) f
      join events e on e.entity = f.entity and e.pos = f.finish_pos
      where e.at <= f.until_at
    )`;
}

/**
 * What comes after each touchpoint at the start of a run in its lane.
 *
 * Needs: `rows`, a select of the run's touchpoints with their `level`; the step `way_(to)`. Gives: a select of their
 * columns, `next_finish`, `next_pos` and `next_before`.
 */
function seenAhead(question: FunnelQuestion, run: Run, to: number, rows: SQL): SQL {
  const names = [...columnsOf(question, run), ...passageNames(question, run)];
  const shared = names.map((name) => (['entity', 'lane'].includes(name.value) ? name : sql`null`));
  const before = hasExclusions(question) ? sql`before_pos` : sql`0`;
  return sql`
        select *
        from (
          select *, min(ahead_finish) over later as next_finish, min(ahead_pos) over later as next_pos,
            min(ahead_before) over later as next_before
          from (
            select ${list(names)}, level, ${endOf(run).first} as place, ${LEADS} as role, null::int as ahead_finish,
              null::int as ahead_pos, null::int as ahead_before
            from (${rows}) led
            union all
            select ${list(shared)}, null, pos, ${FITS}, finish_pos, pos, ${before}
            from ${way(to)}
          ) merged
          window later as (partition by entity, lane order by place desc, role desc rows unbounded preceding)
        ) looked
        where role = ${LEADS}`;
}

/**
 * The chain of each entity in a run.
 *
 * Needs: the steps `way_k`, and `chain_k` of the first run or `chosen` of the previous one. Gives: the step `chosen`
 * of this run, with the columns of `chainOfRun`.
 */
function chosen(question: FunnelQuestion, run: Run): SQL {
  const runs = runsOf(question);
  const previous = runs[runs.findIndex(({ from }) => from === run.from) - 1];
  const rows = previous
    ? sql`
        select w.*
        from ${chosenIn(previous)} c
        join ${way(run.from)} w on w.entity = c.entity and w.pos = c.${place(run.from)}`
    : sql`select * from ${chain(run.from)}`;
  return sql`${chosenIn(run)} as materialized (${chainOfRun(question, run, rows)}
    )`;
}

/** Needs: the steps `chain_k` and `chosen`. Gives: a select of `entity, step, pos`, the events of all chains. */
function placesOf(atFirst: readonly number[], runs: readonly Run[]): SQL {
  const each = [
    ...atFirst.map((k) => sql`select entity, ${k}::int as step, pos from ${chain(k)}`),
    ...runs.flatMap((run) =>
      [...run.steps, ...(run.to === null ? [] : [run.to])].map(
        (k) => sql`select entity, ${k}::int, ${place(k)} from ${chosenIn(run)} where ${place(k)} is not null`,
      ),
    ),
  ];
  return sql.join(each, sql` union all `);
}
