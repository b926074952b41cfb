import type { EntityFunnel, FunnelEvent } from './funnel.ts';
import { compareBytewise } from './journey.ts';

/**
 * `people`: each entity counts once per step. `completions`: once per chain to the step, chains
 * not overlapping.
 */
export const FUNNEL_COUNTS = ['people', 'completions'] as const;
export type FunnelCount = (typeof FUNNEL_COUNTS)[number];

/**
 * Groups are the values of 1 to 3 fields of the event that the entity's chain has at this step,
 * counted from 1.
 */
export interface FunnelBreakdown {
  by: readonly string[];
  at_step: number;
}

/** The settings of a funnel that its rows depend on. */
export interface FunnelReportSettings {
  steps: readonly unknown[];
  count: FunnelCount;
  breakdown?: FunnelBreakdown;
}

/** Exact (`percentile_cont`), in seconds; null if no chain reached the step. */
export interface FunnelSeconds {
  median: number | null;
  p90: number | null;
}

/** One row of a funnel. Steps count from 1. */
export interface StepSummary {
  step: number;
  count: number;
  /** Shares from 0 to 1. Null if the other count is 0; the second is also null at step 1. */
  rate_from_start: number | null;
  rate_from_previous: number | null;
  /** Sum of the values of the conversions that chains have at this step; 0 without any. */
  value: number;
  seconds_from_previous: FunnelSeconds;
  seconds_from_start: FunnelSeconds;
}

/** One value per field of the breakdown; null if the field is empty. */
export type FunnelGroup = readonly (string | null)[];

/** The rows of a funnel, and the rows of each group. */
export interface FunnelSummary {
  steps: StepSummary[];
  /**
   * By count at step 1, descending, then by value, null last. Group null: entities that did not
   * reach `at_step`.
   */
  breakdown: { group: FunnelGroup | null; steps: StepSummary[] }[];
}

/**
 * Summarises what the entities reached into the rows of a funnel.
 *
 * Value, seconds and groups come from the one chain of each entity, also when completions are
 * counted. Everything that an entity reached is in one group, so at each step the counts of the
 * groups sum to the total.
 */
export function summariseFunnel(
  entities: readonly EntityFunnel[],
  { steps, count, breakdown }: FunnelReportSettings,
): FunnelSummary {
  const rows = (some: readonly EntityFunnel[]) => steps.map((_, i) => stepRow(i, some, count));
  if (!breakdown) return { steps: rows(entities), breakdown: [] };
  const came = entities.filter(({ level }) => level > 0);
  const groups = Map.groupBy(came, (entity) => JSON.stringify(groupOf(entity, breakdown)));
  return {
    steps: rows(entities),
    breakdown: [...groups]
      .map(([key, members]) => ({ group: JSON.parse(key) as FunnelGroup | null, steps: rows(members) }))
      .sort((a, b) => (b.steps[0]?.count ?? 0) - (a.steps[0]?.count ?? 0) || compareGroups(a.group, b.group)),
  };
}

function groupOf({ chain }: EntityFunnel, { by, at_step }: FunnelBreakdown): FunnelGroup | null {
  const event = chain[at_step - 1];
  return event ? by.map((field) => (event[field] ?? null) as string | null) : null;
}

function compareGroups(a: FunnelGroup | null, b: FunnelGroup | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const differences = a.map((value, i) => compareValues(value, b[i] ?? null));
  return differences.find((difference) => difference !== 0) ?? 0;
}

function compareValues(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  return compareBytewise(a, b);
}

function stepRow(i: number, entities: readonly EntityFunnel[], count: FunnelCount): StepSummary {
  const reached = countAt(i, entities, count);
  const chains = entities.map(({ chain }) => chain).filter(({ length }) => length > i);
  return {
    step: i + 1,
    count: reached,
    rate_from_start: rate(reached, countAt(0, entities, count)),
    rate_from_previous: i === 0 ? null : rate(reached, countAt(i - 1, entities, count)),
    value: chains.reduce((sum, chain) => sum + amountOf(chain[i]), 0),
    seconds_from_previous: measured(i === 0 ? [] : chains.map((chain) => secondsBetween(chain, i - 1, i))),
    seconds_from_start: measured(chains.map((chain) => secondsBetween(chain, 0, i))),
  };
}

function countAt(i: number, entities: readonly EntityFunnel[], count: FunnelCount): number {
  if (count === 'people') return entities.filter(({ level }) => level > i).length;
  return entities.reduce((sum, { completions }) => sum + (completions[i] ?? 0), 0);
}

function rate(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function amountOf(event: FunnelEvent | undefined): number {
  return event?.type === 'conversion' ? (event.value ?? 0) : 0;
}

function secondsBetween(chain: readonly FunnelEvent[], from: number, to: number): number {
  return ((chain[to]?.occurred_at ?? 0) - (chain[from]?.occurred_at ?? 0)) / 1000;
}

function measured(seconds: readonly number[]): FunnelSeconds {
  return { median: percentileCont(seconds, 0.5), p90: percentileCont(seconds, 0.9) };
}

/** Postgres' `percentile_cont`: linear interpolation between the two nearest ranks. Null for no values. */
export function percentileCont(values: readonly number[], fraction: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(rank)];
  const high = sorted[Math.ceil(rank)];
  return low === undefined || high === undefined ? null : low + (high - low) * (rank - Math.floor(rank));
}
