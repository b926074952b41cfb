import { type Name, type SQL, sql } from 'drizzle-orm';
import { dimensionsOf, eventsThatFit, fitsConversion, fitsTouchpoint } from './funnel-events-sql.ts';
import type { FunnelExclusion, FunnelQuestion } from './funnel-question.ts';

/** What the steps of an ordered funnel are made of: their names, their columns, and the events that they read. */

export const step = (k: number) => sql.identifier(`step_${k}`);
export const whoCame = (k: number) => sql.identifier(`who_${k}`);
export const sizeOf = (k: number) => sql.identifier(`size_${k}`);
export const merged = (k: number) => sql.identifier(`merged_${k}`);

/** At one event: the step's own row first, then an exclusion, then what leads on: an event never precedes itself. */
export const FITS = sql`0`;
export const EXCLUDED = sql`1`;
export const LEADS = sql`2`;

/** `people` without `hold` reads each step from its table; the rest reads events that are numbered, in lanes. */
export function isDirect({ count, hold }: FunnelQuestion): boolean {
  return count === 'people' && hold.length === 0;
}

/** Nothing is excluded, held or counted more than once: chains need no events but those of their steps. */
export function isPlain(question: FunnelQuestion): boolean {
  return isDirect(question) && !hasExclusions(question);
}

/** What chains stay within. */
export function chainKeys(question: FunnelQuestion): SQL {
  return isDirect(question) ? sql`entity` : sql`entity, lane`;
}

/**
 * What a row of a step has beside `entity, at, is_conversion, id`, and what stands there where it means nothing. Rows
 * are sorted many times, so they have no more than the question needs. `gap_before` is the gap between exclusions in
 * which the event lies, counted up to the step; `barred`, that an exclusion fits the event itself, so that it can only
 * be the last of a chain.
 */
const EXTRAS = {
  lane: sql`''::text`,
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
    ...(isDirect(question) ? [] : (['lane', 'pos', 'start_pos'] as const)),
    ...(question.breakdown ? (['dimensions'] as const) : []),
    ...(hasExclusions(question) ? (['barred', 'gap_before'] as const) : []),
  ];
}

export function hasExclusions({ exclude }: FunnelQuestion): boolean {
  return exclude.length > 0;
}

/** The names of a row's columns. */
export function rowNames(question: FunnelQuestion): SQL {
  return sql.join(
    [sql`entity, at, is_conversion, id`, ...extrasOf(question).map((name) => sql.identifier(name))],
    sql`, `,
  );
}

/** The columns of a row, each as it is or as said. */
export function rowColumns(question: FunnelQuestion, said: Said = {}): SQL {
  const extras = extrasOf(question).map(
    (name) => sql`${said[name] ?? sql.identifier(name)} as ${sql.identifier(name)}`,
  );
  return sql.join([sql`entity, at, is_conversion, id`, ...extras], sql`, `);
}

/** A row of a step that was reached: its columns, and `until_at`, the end of the window of the chain to it that starts latest. */
export function reachedColumns(question: FunnelQuestion): SQL {
  return sql`${rowColumns(question)}, until_at`;
}

/** Exclusions that apply between the step before `k` and `k`. */
export function exclusionsBefore({ exclude }: FunnelQuestion, k: number): FunnelExclusion[] {
  return exclude.filter(({ after_step, before_step }) => (after_step ?? 1) < k && k <= (before_step ?? k));
}

/** Those among them that an event of the chain at the step before `k` would break as well, lying inside. */
function exclusionsAround(question: FunnelQuestion, k: number): FunnelExclusion[] {
  return exclusionsBefore(question, k).filter(({ after_step }) => (after_step ?? 1) < k - 1);
}

function bitsOf({ exclude }: FunnelQuestion, exclusions: readonly FunnelExclusion[]): number {
  return exclusions.reduce((sum, one) => sum + 2 ** exclude.indexOf(one), 0);
}

/**
 * Later steps read the entities that came to the one before, and nobody else. Not the second: where many begin, most of
 * those who could do its step have, and to look each up costs more than to sort the others along.
 */
function narrowedBy(k: number): Narrowing {
  return k <= 2 ? () => sql`true` : isAmong(whoCame(k - 1));
}

/** A condition on an entity. */
type Narrowing = (entity: SQL) => SQL;

function isAmong(entities: Name): Narrowing {
  return (entity) => sql`${entity} in (select entity from ${entities})`;
}

/**
 * The events that fit the filter at step `k`, as rows that nothing leads to yet.
 * @param among the entities whose events they are: those who came to the step before, if absent
 */
export function fittingRows(question: FunnelQuestion, k: number, among?: Among): SQL {
  const filter = question.steps[k - 1];
  if (!filter) throw new Error('no such step');
  const around = exclusionsAround(question, k + 1);
  const nothingYet = { start_pos: EXTRAS.start_pos, gap_before: EXTRAS.gap_before };
  if (!isDirect(question)) {
    const barred = sql`excluded & ${bitsOf(question, around)}::int <> 0`;
    return sql`
            select ${rowColumns(question, { ...nothingYet, barred })}
            from laned
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

/** Some who came to a step: their names `(entity)`, and how many events they have there. */
export interface Among {
  entities: Name;
  events: SQL;
}

/** Events at a step up to which it is quicker to look each entity up than to read all that fits the next. */
const FEW = 2000;

/**
 * From some who came to the step before to their events: one by one where they are few, and else all at once. The
 * planner cannot tell which, not knowing how many came; only one of the two runs. It counts events, not people, so that
 * a few people with many events are not few.
 */
function waysFrom({ entities, events }: Among, allAtOnce: Narrowing): Narrowing[] {
  const few = sql`(${events}) <= ${FEW}::int`;
  return [
    (entity) => sql`${few} and ${entity} = any (array(select entity from ${entities}))`,
    (entity) => sql`not ${few} and ${allAtOnce(entity)}`,
  ];
}

/** One of the conditions holds. */
function anyOf(conditions: readonly SQL[]): SQL {
  return conditions.length === 0 ? sql`false` : sql`(${sql.join([...conditions], sql` or `)}) is true`;
}

/** The events that exclusions before step `k` fit, as rows. */
export function excludedRows(question: FunnelQuestion, k: number): SQL {
  const exclusions = exclusionsBefore(question, k);
  if (!isDirect(question)) {
    const { lane: _, ...empty } = EXTRAS;
    return sql`
            select ${rowColumns(question, empty)}
            from laned
            where excluded & ${bitsOf(question, exclusions)}::int <> 0 and ${narrowedBy(k)(sql`entity`)}`;
  }
  const each = exclusions.map(
    (filter) => sql`
            select ${rowColumns(question, EXTRAS)}
            from (${eventsThatFit(question, filter, [], narrowedBy(k))}) fits`,
  );
  return sql.join(each, sql` union all `);
}
