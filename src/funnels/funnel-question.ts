import type { FunnelEntry, FunnelOrder } from '../domain/funnel.ts';
import type { FunnelCount } from '../domain/funnel-report.ts';
import type { ReportScope } from '../domain/settings.ts';
import type { Dimension, Where } from '../domain/touchpoint-fields.ts';
import type { MoneyQuestion } from '../stats/fx-sql.ts';

/**
 * The events that a step or an exclusion matches: touchpoints by their fields, or conversions by their goals.
 */
export type FunnelFilter = { touchpoint: Where } | { conversion: { goal: readonly string[] } };

/** An exclusion with its bounds. Steps count from 1; null stands for the first and the last step. */
export type FunnelExclusion = FunnelFilter & { after_step: number | null; before_step: number | null };

/**
 * A funnel with its defaults applied, as the statements take it. The domain's `FunnelRules` is
 * the definition.
 */
export interface FunnelQuestion extends MoneyQuestion {
  /** Instants, RFC 3339 in UTC. The first matched event lies in `[from, to)`. */
  from: string;
  to: string;
  steps: readonly FunnelFilter[];
  order: FunnelOrder;
  window_seconds: number;
  entry: FunnelEntry;
  count: FunnelCount;
  scope: ReportScope;
  hold: readonly Dimension[];
  exclude: readonly FunnelExclusion[];
  breakdown: { by: readonly Dimension[]; at_step: number } | null;
}

/** One step of a funnel, or of one group of it. Seconds are null if no chain reached the step. */
export interface FunnelCell {
  step: number;
  count: number;
  value: number;
  previous_median: number | null;
  previous_p90: number | null;
  start_median: number | null;
  start_p90: number | null;
}

/**
 * A group. `dimensions` null: entities that did not reach the step of the breakdown. `other`:
 * groups beyond the limit.
 */
export interface FunnelGroupRow {
  dimensions: (string | null)[] | null;
  other: boolean;
  cells: FunnelCell[];
}

/** The one row of the report. Steps that nobody reached have no cell. */
export interface FunnelAnswer {
  /** The goals that exist, among those of the funnel. */
  goals: string[] | null;
  cells: FunnelCell[];
  groups: FunnelGroupRow[];
  /** Matched conversions of chains whose value could not be converted to the currency. */
  lacks_rate: number;
}

/** `reached`: reached the step. `dropped`: reached the previous step, and no further one. */
export const FUNNEL_STATES = ['reached', 'dropped'] as const;
export type FunnelState = (typeof FUNNEL_STATES)[number];

/** One row of the list: a person, or with `scope=account` an account or a person without one. */
export interface FunnelEntityRow {
  account_id: string | null;
  person_id: string | null;
}
