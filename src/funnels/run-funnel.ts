import { type Database, HASH_JOINS, type Row } from '../db/client.ts';
import type { FunnelDefinition } from '../domain/funnel-definition.ts';
import { previousRange, type ReportRange, type TimeRange } from '../domain/time.ts';
import type { WorkspaceSettings } from '../http/caller.ts';
import { ApiError } from '../http/errors.ts';
import { moneyOf } from '../stats/journey-fields.ts';
import { rangeOf } from '../stats/range-fields.ts';
import type { FunnelAnswer, FunnelExclusion, FunnelFilter, FunnelQuestion } from './funnel-question.ts';
import type { FunnelBody, FunnelExclude, FunnelStep } from './funnel-schema.ts';
import { funnelStatement } from './funnel-sql.ts';

/** Converts a funnel, as sent or saved, to the effective query that the statements take. */

type SentRange = Pick<FunnelBody, 'from' | 'to' | 'range' | 'timezone'>;

/**
 * The range of a funnel, as in a query string, but errors point into the body. @throws ApiError
 * invalid_request
 */
export function rangeInBody(body: SentRange, workspace: WorkspaceSettings, now: Date): ReportRange {
  try {
    return rangeOf(body, workspace.timezone, now);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const errors = error.errors?.map(({ pointer, detail }) => ({
      pointer: pointer.replace(/^\?/, '/'),
      detail,
    }));
    throw new ApiError(error.code, error.message, { errors });
  }
}

/** The effective query of a funnel for a range. */
export function questionOf(
  definition: FunnelDefinition,
  { from, to }: TimeRange,
  workspace: WorkspaceSettings,
): FunnelQuestion {
  const { steps, exclude, breakdown, currency, order, window_seconds, entry, count, scope, hold } =
    definition;
  return {
    ...moneyOf(currency ?? undefined, workspace),
    from: from.toISOString(),
    to: to.toISOString(),
    steps: steps.map(filterOf),
    order,
    window_seconds,
    entry,
    count,
    scope,
    hold,
    exclude: exclude.map(exclusionOf),
    breakdown: breakdown ?? null,
  };
}

function filterOf({ touchpoint, conversion }: FunnelStep | FunnelExclude): FunnelFilter {
  if (touchpoint) return { touchpoint };
  return { conversion: { goal: [...new Set(conversion?.goal)] } };
}

function exclusionOf(exclude: FunnelExclude): FunnelExclusion {
  const { after_step = null, before_step = null } = exclude;
  return { ...filterOf(exclude), after_step, before_step };
}

/** The same query for the previous period, without groups. */
export function previousOf(question: FunnelQuestion, range: ReportRange): FunnelQuestion {
  const { from, to } = previousRange(range);
  return { ...question, from: from.toISOString(), to: to.toISOString(), breakdown: null };
}

/** One answer per query, in one round trip. */
export async function runFunnels(
  database: Database,
  questions: readonly FunnelQuestion[],
): Promise<FunnelAnswer[]> {
  const statements = questions.map(funnelStatement);
  const [, ...answers] = await database.report<[Row, ...FunnelAnswer[]]>([HASH_JOINS, ...statements]);
  return answers.flat();
}

/** The goals that steps and exclusions name, without repeats. */
export function goalsNamed({ steps, exclude }: Pick<FunnelDefinition, 'steps' | 'exclude'>): string[] {
  return [...new Set([...steps, ...exclude].flatMap(({ conversion }) => conversion?.goal ?? []))];
}

/**
 * Rejects goals that do not exist, with a pointer to every place that names one. @throws
 * ApiError unknown_goal
 */
export function refuseUnknownStepGoals(
  { steps, exclude }: Pick<FunnelDefinition, 'steps' | 'exclude'>,
  known: readonly string[],
): void {
  const errors = Object.entries({ steps, exclude }).flatMap(([list, filters]) =>
    filters.flatMap(({ conversion }, i) => {
      const unknown = (conversion?.goal ?? []).filter((goal) => !known.includes(goal));
      if (unknown.length === 0) return [];
      const detail = `Unknown goal ${unknown.join(', ')}; list the goals at /v1/goals.`;
      return [{ pointer: `/${list}/${i}/conversion/goal`, detail }];
    }),
  );
  if (errors.length > 0)
    throw new ApiError('unknown_goal', errors.map(({ detail }) => detail).join(' '), { errors });
}
