import { type Name, type SQL, sql } from 'drizzle-orm';
import {
  dimensionsOf,
  EVENT_ORDER,
  EVENT_ORDER_DESC,
  eventsThatFit,
  fitsConversion,
  fitsTouchpoint,
} from './funnel-events-sql.ts';
import type { FunnelExclusion, FunnelQuestion } from './funnel-question.ts';

/** The parts of an ordered funnel's steps: their names, their columns, and the events that they read. */

/** The names of the steps of the statement that belong to step `k` of the funnel. */
export const step = (k: number) => sql.identifier(`step_${k}`);
export const whoCame = (k: number) => sql.identifier(`who_${k}`);
export const sizeOf = (k: number) => sql.identifier(`size_${k}`);
export const merged = (k: number) => sql.identifier(`merged_${k}`);

/**
 * The order of rows at one event: a step's own row, then an exclusion, then a row that leads
 * on. No event precedes itself.
 */
export const FITS = sql`0`;
export const EXCLUDED = sql`1`;
export const LEADS = sql`2`;

/**
 * Whether each step of the funnel reads its events from the tables. That is so for `people` without `hold`;
 * otherwise it reads events that are numbered.
 */
export function isDirect({ count, hold }: FunnelQuestion): boolean {
  return count === 'people' && hold.length === 0;
}

/**
 * Whether there is no exclusion, no `hold` and no completions: chains then depend only on the
 * events of their steps.
 */
export function isPlain(question: FunnelQuestion): boolean {
  return isDirect(question) && !hasExclusions(question);
}

/**
 * The columns of a row besides `entity, at, is_conversion, id`, with the value that stands for none. Rows are
 * sorted many times, so they have only the columns that the query needs. `gap_before` is the gap between
 * exclusions in which the event lies, counted up to the step. `barred` means that an exclusion matches the
 * event itself, so that it can only be the last event of a chain.
 */
const EXTRAS = {
  lane: sql`null::text`,
  pos: sql`null::int`,
  start_pos: sql`null::int`,
  dimensions: sql`null::text[]`,
  barred: sql`false`,
  gap_before: sql`0::bigint`,
} as const;
type Extra = keyof typeof EXTRAS;
type Said = Partial<Record<Extra, SQL>>;

function extrasOf(question: FunnelQuestion): Extra[] {
  return [
    ...(isDirect(question) ? [] : (['pos', 'start_pos'] as const)),
    ...(question.hold.length > 0 ? (['lane'] as const) : []),
    ...(question.breakdown ? (['dimensions'] as const) : []),
    ...(hasExclusions(question) ? (['barred', 'gap_before'] as const) : []),
  ];
}

/** Whether the funnel has exclusions. */
export function hasExclusions({ exclude }: FunnelQuestion): boolean {
  return exclude.length > 0;
}

/** The columns of a row of a step. Needs: rows of a step. Gives: a list of columns. */
export function rowNames(question: FunnelQuestion): SQL {
  return sql.join(
    [sql`entity, at, is_conversion, id`, ...extrasOf(question).map((name) => sql.identifier(name))],
    sql`, `,
  );
}

/** The names of the columns of an event that was reached. */
export function reachedNames(question: FunnelQuestion): Name[] {
  const names = ['entity', 'at', 'is_conversion', 'id', ...extrasOf(question), 'until_at'];
  return names.map((name) => sql.identifier(name));
}

/** The same, with expressions for some of them. Needs: rows of a step. Gives: a list of columns. */
export function rowColumns(question: FunnelQuestion, said: Said = {}): SQL {
  const extras = extrasOf(question).map(
    (name) => sql`${said[name] ?? sql.identifier(name)} as ${sql.identifier(name)}`,
  );
  return sql.join([sql`entity, at, is_conversion, id`, ...extras], sql`, `);
}

/**
 * The columns of an event that was reached: those of a row, and `until_at`, the end of the window of the
 * latest-starting chain to it.
 *
 * Needs: rows of a step. Gives: a list of columns.
 */
export function reachedColumns(question: FunnelQuestion): SQL {
  return sql`${rowColumns(question)}, until_at`;
}

/** The order of events: their numbers, if they have any. Needs: rows of a step. Gives: a list of columns. */
export function orderOf(question: FunnelQuestion): SQL {
  return isDirect(question) ? EVENT_ORDER : sql`pos`;
}

/** The same backward. */
export function orderBackward(question: FunnelQuestion): SQL {
  return isDirect(question) ? EVENT_ORDER_DESC : sql`pos desc`;
}

/** The exclusions that apply between step `k − 1` and step `k`. */
export function exclusionsBefore({ exclude }: FunnelQuestion, k: number): FunnelExclusion[] {
  return exclude.filter(({ after_step, before_step }) => (after_step ?? 1) < k && k <= (before_step ?? k));
}

/**
 * The exclusions among those that a chain's event at step `k − 1` would break too, because it
 * lies within their bounds.
 */
function exclusionsAround(question: FunnelQuestion, k: number): FunnelExclusion[] {
  return exclusionsBefore(question, k).filter(({ after_step }) => (after_step ?? 1) < k - 1);
}

/**
 * An exclusion matches the event itself, which then can only be the last of a chain at step `k`.
 *
 * Needs: the column `excluded`. Gives: a condition.
 */
export function barredAt(question: FunnelQuestion, k: number): SQL {
  return sql`excluded & ${bitsOf(question, exclusionsAround(question, k + 1))}::int <> 0`;
}

/** The bits of exclusions in the column `excluded`. */
export function bitsOf({ exclude }: FunnelQuestion, exclusions: readonly FunnelExclusion[]): number {
  return exclusions.reduce((sum, one) => sum + 2 ** exclude.indexOf(one), 0);
}

/**
 * The condition that later steps read only entities that reached the previous step. The second step reads all
 * events: if many entities begin, most of those that could do the second step are among them, and looking
 * each one up costs more than sorting the others along.
 *
 * Needs: for k > 2 the step `who_(k−1)`. Gives: a condition per entity.
 */
function narrowedBy(k: number): Narrowing {
  return k <= 2 ? () => sql`true` : isAmong(whoCame(k - 1));
}

/** A condition on an entity. */
type Narrowing = (entity: SQL) => SQL;

/**
 * The entity is in a step. Needs: `entities`, a step with the column `entity`. Gives: a condition per entity.
 */
function isAmong(entities: Name): Narrowing {
  return (entity) => sql`${entity} in (select entity from ${entities})`;
}

/**
 * The events that match the filter of step `k`, as rows that are not reached yet.
 *
 * Needs: the step `events`, or else `sold` if the filter matches conversions; for k > 1 also `who_(k−1)` and
 * `size_(k−1)`. Gives: a select with the columns of `rowColumns`.
 * @param among the entities to read; default those that reached the previous step
 */
export function fittingRows(question: FunnelQuestion, k: number, among?: Among): SQL {
  const filter = question.steps[k - 1];
  if (!filter) throw new Error('no such step');
  const around = exclusionsAround(question, k + 1);
  const nothingYet = { start_pos: EXTRAS.start_pos, gap_before: EXTRAS.gap_before };
  if (!isDirect(question)) {
    return sql`
            select ${rowColumns(question, { ...nothingYet, barred: barredAt(question, k) })}
            from events
            where steps & ${2 ** (k - 1)}::int <> 0 and ${narrowedBy(k)(sql`entity`)}`;
  }
  const { breakdown } = question;
  const more = [
    ...(breakdown
      ? [
          {
            name: sql`dimensions`,
            ofTouchpoint: breakdown.at_step === k ? dimensionsOf(breakdown.by) : EXTRAS.dimensions,
            ofConversion: EXTRAS.dimensions,
          },
        ]
      : []),
    ...(hasExclusions(question)
      ? [
          {
            name: sql`barred`,
            ofTouchpoint: anyOf(around.map(fitsTouchpoint)),
            ofConversion: anyOf(around.map(fitsConversion)),
          },
        ]
      : []),
  ];
  const narrowed = among ? isAmong(among.entities) : narrowedBy(k);
  const before = among ?? { entities: whoCame(k - 1), events: sql`select events from ${sizeOf(k - 1)}` };
  const ways = k > 1 && question.scope === 'person' ? waysFrom(before, narrowed) : [narrowed];
  const rows = ways.map(
    (narrowed) => sql`
            select ${rowColumns(question, nothingYet)}
            from (${eventsThatFit(question, filter, more, narrowed)}) fits`,
  );
  return sql.join(rows, sql` union all `);
}

/**
 * Some of the entities that reached a step: a step of the statement with their ids, and their
 * number of events there.
 */
export interface Among {
  entities: Name;
  events: SQL;
}

/**
 * Up to this number of events at a step, looking up each entity is faster than reading all that
 * matches the next step.
 */
const FEW = 2000;

/**
 * Two ways from entities that reached the previous step to their events: one by one if they are
 * few, else all at once. Only one of the two runs. The planner cannot choose, because it does
 * not know how many entities reached the step. The choice counts events and not entities, so
 * that a few entities with many events do not count as few.
 *
 * Needs: the step `entities` of `Among`. Gives: two conditions per entity.
 */
function waysFrom({ entities, events }: Among, allAtOnce: Narrowing): Narrowing[] {
  const few = sql`(${events}) <= ${FEW}::int`;
  return [
    (entity) => sql`${few} and ${entity} = any (array(select entity from ${entities}))`,
    (entity) => sql`not ${few} and ${allAtOnce(entity)}`,
  ];
}

/** One of the conditions holds. Needs: the aliases that they name. Gives: a condition. */
function anyOf(conditions: readonly SQL[]): SQL {
  return conditions.length === 0 ? sql`false` : sql`(${sql.join([...conditions], sql` or `)}) is true`;
}

/**
 * The events that match exclusions before step `k`, as rows.
 *
 * Needs: the step `events`, or else `sold` if an exclusion matches conversions; for k > 2 also `who_(k−1)`.
 * Gives: a select with the columns of `rowColumns`.
 */
export function excludedRows(question: FunnelQuestion, k: number): SQL {
  const exclusions = exclusionsBefore(question, k);
  if (!isDirect(question)) {
    return sql`
            select ${rowColumns(question, { ...EXTRAS, pos: sql`pos` })}
            from events
            where excluded & ${bitsOf(question, exclusions)}::int <> 0 and ${narrowedBy(k)(sql`entity`)}`;
  }
  const each = exclusions.map(
    (filter) => sql`
            select ${rowColumns(question, EXTRAS)}
            from (${eventsThatFit(question, filter, [], narrowedBy(k))}) fits`,
  );
  return sql.join(each, sql` union all `);
}
