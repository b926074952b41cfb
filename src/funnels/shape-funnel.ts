import type { FunnelDefinition } from '../domain/funnel-definition.ts';
import { roundAmount } from '../domain/money.ts';
import { groupOut } from '../stats/journey-fields.ts';
import { missingRateWarning, type Warning } from '../stats/warnings.ts';
import type { FunnelAnswer, FunnelCell, FunnelQuestion } from './funnel-question.ts';
import type { FunnelReport, FunnelRow } from './funnel-report-schema.ts';
import { nameOf } from './step-names.ts';

/** Shapes the rows of the database into the response. */

const NOBODY: Omit<FunnelCell, 'step'> = {
  count: 0,
  value: 0,
  previous_median: null,
  previous_p90: null,
  start_median: null,
  start_p90: null,
};

/** One row per name. A step that nobody reached has no cell. */
export function rowsOf(cells: readonly FunnelCell[], names: readonly string[]): FunnelRow[] {
  const found = names.map((_, i) => cells.find(({ step }) => step === i + 1) ?? NOBODY);
  return names.map((name, i) => {
    const cell = found[i] ?? NOBODY;
    return {
      step: i + 1,
      name,
      count: cell.count,
      rate_from_start: rate(cell.count, found[0]?.count ?? 0),
      rate_from_previous: i === 0 ? null : rate(cell.count, found[i - 1]?.count ?? 0),
      value: roundAmount(cell.value),
      seconds_from_previous: { median: cell.previous_median, p90: cell.previous_p90 },
      seconds_from_start: { median: cell.start_median, p90: cell.start_p90 },
    };
  });
}

function rate(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

export function totalsOf(rows: readonly FunnelRow[], currency: string): FunnelReport['totals'] {
  const [started, completed] = [rows[0]?.count ?? 0, rows.at(-1)?.count ?? 0];
  const value = roundAmount(rows.reduce((sum, row) => sum + row.value, 0));
  return { currency, started, completed, rate: rate(completed, started), value };
}

/** The groups in the order of the database, largest first; nothing without a breakdown. */
export function breakdownOf(
  question: FunnelQuestion,
  answer: FunnelAnswer,
  names: readonly string[],
): Pick<FunnelReport, 'breakdown'> {
  const { breakdown } = question;
  if (!breakdown) return {};
  return {
    breakdown: answer.groups.map(({ dimensions, other, cells }) => ({
      group: other || dimensions === null ? null : groupOut(breakdown.by, dimensions),
      ...(other && { other: true as const }),
      steps: rowsOf(cells, names),
    })),
  };
}

/** The effective query as the report echoes it. `asked` holds the fields that the statement does not need. */
export function funnelEcho(
  {
    workspace_id: _,
    workspace_currency: _currency,
    workspace_timezone: _timezone,
    ...question
  }: FunnelQuestion,
  definition: FunnelDefinition,
  asked: Record<string, unknown>,
): Record<string, unknown> {
  const steps = question.steps.map((filter, i) => {
    const step = definition.steps[i];
    return { ...(step && { name: nameOf(step) }), ...filter };
  });
  return { ...question, ...asked, steps };
}

/**
 * A warning with the largest number of conversions without an exchange rate among the parts of the report.
 */
export function rateWarnings(answers: readonly FunnelAnswer[], currency: string): Warning[] {
  const most = Math.max(0, ...answers.map(({ lacks_rate }) => lacks_rate));
  return most > 0 ? [missingRateWarning(most, currency)] : [];
}
