import { type Name, type SQL, sql } from 'drizzle-orm';
import type { FunnelQuestion } from './funnel-question.ts';
import { barredAt, bitsOf, exclusionsBefore, hasExclusions } from './step-rows-sql.ts';

/*
 * The steps of conversions that follow a touchpoint in an ordered funnel with `hold`. Conversions go with every held
 * value, so what follows a touchpoint depends only on its position. From step to step, the conversions that a
 * touchpoint leads to lie between a first and a last one: every conversion between them that may be in a chain at
 * all. Both come later if the touchpoint does. So two positions per touchpoint and step take the place of all pairs.
 */

/** A step of touchpoints, and the steps of conversions up to the next step of touchpoints, or the last step. */
export interface Run {
  from: number;
  steps: readonly number[];
  /** The next step of touchpoints. */
  to: number | null;
}

/** The runs from the first step of touchpoints on. */
export function runsOf({ steps }: FunnelQuestion): Run[] {
  const ofTouchpoints = steps.flatMap((filter, i) => ('touchpoint' in filter ? [i + 1] : []));
  return ofTouchpoints.map((from, i) => {
    const to = ofTouchpoints[i + 1] ?? null;
    const length = (to ?? steps.length + 1) - from - 1;
    return { from, to, steps: Array.from({ length }, (_, j) => from + 1 + j) };
  });
}

/** All steps of conversions that follow a step of touchpoints. */
const soldSteps = (question: FunnelQuestion) => runsOf(question).flatMap(({ steps }) => steps);

/** The bits of the exclusions that apply before step `k`. */
const bitsBefore = (question: FunnelQuestion, k: number) => bitsOf(question, exclusionsBefore(question, k));

/** The name of a column: the last excluded event before this one, by the bits of the exclusions. */
const before = (bits: number) => sql.identifier(`before_${bits}`);

/** The name of a column: the event fits step `k`, whatever exclusions lie before it. */
const fits = (k: number) => sql.identifier(`fits_${k}`);

/** The names of columns of a touchpoint at the start of a run, for each step `k` of the run. */
export const came = (k: number) => sql.identifier(`came_${k}`);
const first = (k: number) => sql.identifier(`first_${k}`);
const last = (k: number) => sql.identifier(`last_${k}`);

/** Whether fitting step `k` depends on what came before: an exclusion could cut it off from every previous step. */
function isCut(question: FunnelQuestion, k: number): boolean {
  return soldSteps(question).includes(k - 1) && exclusionsBefore(question, k).length > 0;
}

/** The event can be at step `k` of a chain. Needs: rows of `sourceOf`. Gives: a condition. */
export function fitsAt(question: FunnelQuestion, k: number): SQL {
  return isCut(question, k) ? sql`${fits(k)}` : sql`steps & ${2 ** (k - 1)}::int <> 0`;
}

/** The event can be at step `k` and be followed by another. Needs: rows of `sourceOf`. Gives: a condition. */
function leadsAt(question: FunnelQuestion, k: number): SQL {
  const condition = fitsAt(question, k);
  return hasExclusions(question) ? sql`${condition} and not (${barredAt(question, k)})` : condition;
}

/** The last excluded event before a touchpoint at step `k`, or 0. Needs: rows of `sourceOf`. Gives: an expression. */
export function excludedBefore(question: FunnelQuestion, k: number): SQL {
  const bits = bitsBefore(question, k);
  return bits === 0 ? sql`0` : sql`${before(bits)}`;
}

/** The step of the statement from which events are read. */
export const sourceOf = (question: FunnelQuestion) =>
  markedBits(question).length > 0 ? sql`marked` : sql`events`;

/** The bits of the exclusions that touchpoints and cut steps look back for. */
function markedBits(question: FunnelQuestion): number[] {
  const ks = question.steps.map((_, i) => i + 1).filter((k) => isCut(question, k));
  const bits = [...ks, ...runsOf(question).flatMap(({ to }) => to ?? [])].map((k) => bitsBefore(question, k));
  return [...new Set(bits)].filter((one) => one !== 0);
}

/**
 * The events with what exclusions do to them, and the lists through which runs find conversions.
 *
 * Needs: the step `events`. Gives: a list of steps: `marked`, with the columns `before` and `fits`, if any are needed;
 * `marks`, one row per entity, if conversions follow a touchpoint.
 */
export function marks(question: FunnelQuestion): SQL[] {
  const prior = sql`prior as (partition by entity order by pos rows between unbounded preceding and 1 preceding)`;
  const bits = markedBits(question);
  const excluded = bits.map(
    (one) => sql`,
        coalesce(max(pos) filter (where excluded & ${one}::int <> 0) over prior, 0) as ${before(one)}`,
  );
  const base = sql`select *${sql.join(excluded)} from events window ${prior}`;
  const marked = question.steps
    .map((_, i) => i + 1)
    .filter((k) => isCut(question, k))
    .reduce(
      (rows, k) => sql`
      select *, steps & ${2 ** (k - 1)}::int <> 0
        and coalesce(
          max(pos) filter (where ${leadsAt(question, k - 1)}) over prior >= ${excludedBefore(question, k)}, false
        ) as ${fits(k)}
      from (${rows}) led
      window ${prior}`,
      base,
    );
  return [
    ...(bits.length > 0 ? [sql`marked as materialized (${marked}\n    )`] : []),
    ...(soldSteps(question).length > 0 ? [lists(question)] : []),
  ];
}

/** A mark of events: a name, and the condition of the events that have it. */
interface Mark {
  name: string;
  condition: SQL;
}

const fitting = (k: number) => `fits_${k}`;
const leading = (k: number) => `leads_${k}`;
const barring = (bits: number) => `excluded_${bits}`;

function marksOf(question: FunnelQuestion): Mark[] {
  const ks = soldSteps(question);
  const bits = [...new Set(ks.map((k) => bitsBefore(question, k)))].filter((one) => one !== 0);
  return [
    ...ks.map((k) => ({ name: fitting(k), condition: fitsAt(question, k) })),
    ...(hasExclusions(question)
      ? ks.map((k) => ({ name: leading(k), condition: leadsAt(question, k) }))
      : []),
    ...bits.map((one) => ({ name: barring(one), condition: sql`excluded & ${one}::int <> 0` })),
  ];
}

const counts = (mark: string) => sql.identifier(`counts_${mark}`);
const places = (mark: string) => sql.identifier(`places_${mark}`);

/**
 * The times of an entity's events by position; for each mark, the positions that have it, and by position the number
 * of those so far. Lists without a null are read at any place at once.
 *
 * Needs: the step of `sourceOf`. Gives: the step `marks`.
 */
function lists(question: FunnelQuestion): SQL {
  const all = marksOf(question);
  const numbers = all.map(
    ({ name, condition }) => sql`,
          (count(*) filter (where ${condition}) over so_far)::int as ${counts(name)},
          ${condition} as ${places(name)}`,
  );
  const columns = all.map(
    ({ name }) => sql`,
        array_agg(${counts(name)}) as ${counts(name)},
        array_agg(pos) filter (where ${places(name)}) as ${places(name)}`,
  );
  return sql`marks as materialized (
      select entity, array_agg(at) as times${sql.join(columns)}
      from (
        select entity, pos, at${sql.join(numbers)}
        from ${sourceOf(question)}
        window so_far as (partition by entity order by pos rows unbounded preceding)
        order by entity, pos
      ) sorted
      group by entity
    )`;
}

/** The first marked position after another one. Needs: a row of `marks`. Gives: an expression, null for none. */
function nextOf(mark: string, position: SQL): SQL {
  return sql`${places(mark)}[${counts(mark)}[${position}] + 1]`;
}

/** The last marked position up to another one. Needs: a row of `marks`. Gives: an expression, null for none. */
function lastOf(mark: string, position: SQL): SQL {
  return sql`${places(mark)}[${counts(mark)}[${position}]]`;
}

/** The columns of `passage`. The last pair of them is where the next touchpoint of the lane is looked for. */
export function passageNames(question: FunnelQuestion, { from, steps }: Run): Name[] {
  const ends = hasExclusions(question) ? [first, last] : [first];
  return [...steps.map(came), ...ends.flatMap((end) => [from, ...steps].map(end))];
}

/** Where a run ends. Gives: the names of the first and the last position. */
export function endOf({ from, steps }: Run) {
  const k = steps.at(-1) ?? from;
  return { first: first(k), last: last(k) };
}

/**
 * What follows each touchpoint at the start of a run: at each step, the first conversion that completes it within the
 * window (`came`), and the first and the last one that can be followed by another step.
 *
 * Needs: `rows`, a select with `entity, pos, until_at` and `barred`; the step `marks` if the run has steps. Gives: a
 * select of the columns of `rows`, in which `columns` are kept, and those of `passageNames`.
 */
export function passage(question: FunnelQuestion, run: Run, rows: SQL, columns: SQL): SQL {
  const { from, steps } = run;
  const start = hasExclusions(question) ? sql`case when not barred then pos end` : sql`pos`;
  const names = sql.join(
    passageNames(question, run).map((name) => sql`${name}`),
    sql`, `,
  );
  const both = hasExclusions(question)
    ? sql`${start} as ${first(from)}, ${start} as ${last(from)}`
    : sql`${start} as ${first(from)}`;
  if (steps.length === 0) return sql`select ${columns}, ${both} from (${rows}) s`;
  const opened = sql`
        select s.*, ${both}, ${listNames(question)}
        from (${rows}) s
        join marks m on m.entity = s.entity`;
  const passed = steps.reduce((inner, k) => passedTo(question, k, inner), opened);
  return sql`
      select ${columns}, ${names}
      from (${passed}) passed`;
}

/** The lists of an entity. Needs: `m`, a row of `marks`. Gives: a list of columns. */
function listNames(question: FunnelQuestion): SQL {
  const each = marksOf(question).map(({ name }) => sql`, m.${counts(name)}, m.${places(name)}`);
  return sql`m.times${sql.join(each)}`;
}

/**
 * One step of a run further. Each is evaluated once for all that use it (`offset 0`).
 *
 * Needs: `rows`, a select with the columns up to the previous step. Gives: a select with those of step `k` too.
 */
function passedTo(question: FunnelQuestion, k: number, rows: SQL): SQL {
  const fit = nextOf(fitting(k), sql`${first(k - 1)}`);
  const inTime = sql`times[${fit}] <= until_at`;
  if (!hasExclusions(question))
    return sql`
        select *, case when ${inTime} then ${fit} end as ${came(k)}, ${fit} as ${first(k)}
        from (${rows}
        offset 0) before`;
  const bits = bitsBefore(question, k);
  const end = sql`cardinality(times)`;
  const stop = bits === 0 ? end : sql`coalesce(${nextOf(barring(bits), sql`${last(k - 1)}`)}, ${end})`;
  const lead = nextOf(leading(k), sql`${first(k - 1)}`);
  return sql`
        select *, case when ${fit} <= ${stop} and ${inTime} then ${fit} end as ${came(k)},
          case when ${lead} <= ${stop} then ${lead} end as ${first(k)},
          case when ${lead} <= ${stop} then ${lastOf(leading(k), stop)} end as ${last(k)}
        from (${rows}
        offset 0) before`;
}

/**
 * The conversions of a run that are in the chain: each the earliest from which the next event of the chain is
 * reached.
 *
 * Needs: `rows`, a select of one touchpoint per entity with the columns of `passage`, `level`, the number of steps to
 * reach, and `next_pos` and `next_before`, the next touchpoint and what is excluded before it. Gives: a select of
 * `entity` and a `place` per step of the run, and for the step after it.
 */
export function chainOfRun(question: FunnelQuestion, { steps, to }: Run, rows: SQL): SQL {
  const end = to === null ? sql`` : sql`, case when level >= ${to}::int then next_pos end as ${place(to)}`;
  if (steps.length === 0) return sql`select entity${end} from (${rows}) touched`;
  const opened = sql`
        select t.*, ${listNames(question)}${end}
        from (${rows}) t
        join marks m on m.entity = t.entity`;
  const chosen = steps.toReversed().reduce((inner, k) => {
    const bits = bitsBefore(question, k + 1);
    const following =
      k + 1 === to ? sql`next_before` : sql`coalesce(${lastOf(barring(bits), sql`${place(k + 1)} - 1`)}, 0)`;
    const earliest =
      bits === 0 ? sql`${first(k)}` : nextOf(leading(k), sql`greatest(${first(k)}, ${following}) - 1`);
    const onward = k === question.steps.length ? sql`` : sql` when level > ${k}::int then ${earliest}`;
    return sql`
        select *, case when level = ${k}::int then ${came(k)}${onward} end as ${place(k)}
        from (${inner}
        offset 0) after`;
  }, opened);
  const ks = to === null ? steps : [...steps, to];
  return sql`
      select entity, ${sql.join(
        ks.map((k) => sql`${place(k)}`),
        sql`, `,
      )}
      from (${chosen}) chosen`;
}

/** The name of the column with the position of the chain's event at step `k`. */
export const place = (k: number) => sql.identifier(`place_${k}`);
