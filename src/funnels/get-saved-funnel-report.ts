import * as z from 'zod';
import type { FunnelDefinition } from '../domain/funnel-definition.ts';
import { intervalsOf, type LocalInterval } from '../domain/intervals.ts';
import { INTERVALS, type TimeRange } from '../domain/time.ts';
import type { Narrowing } from '../http/caller.ts';
import { ApiError } from '../http/errors.ts';
import { Currency } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation, REPORT_ERRORS } from '../http/operation.ts';
import { narrowedFunnel } from '../stats/narrow-input.ts';
import { NamedRangeQuery, rangeOf } from '../stats/range-fields.ts';
import { retentionWarning } from '../stats/warnings.ts';
import { savedReportExample } from './funnel-examples.ts';
import { FunnelReport } from './funnel-report-schema.ts';
import { type Breakdown, breakdownMistakes } from './funnel-rules.ts';
import { BreakdownBy, FunnelKey, MAX_STEPS } from './funnel-schema.ts';
import { questionOf } from './run-funnel.ts';
import { runSavedFunnel } from './run-saved-funnel.ts';
import { breakdownOf, funnelEcho, rateWarnings, rowsOf, totalsOf } from './shape-funnel.ts';
import { stepNames } from './step-names.ts';

/** Each interval is a statement of its own. */
const MAX_INTERVALS = 100;

const SavedReportQuery = z.object({
  ...NamedRangeQuery.shape,
  breakdown: BreakdownBy.optional().meta({
    description: "One to three fields of touchpoints, instead of the funnel's own breakdown.",
    example: ['channel'],
  }),
  at_step: z.number().int().min(1).max(MAX_STEPS).optional().meta({
    description:
      "The step whose event decides the group; default 1 with `breakdown`, else the funnel's own step.",
  }),
  interval: z
    .enum(INTERVALS)
    .optional()
    .meta({
      description: `One funnel per local day, ISO week or month in which chains begin, at most ${MAX_INTERVALS}, without groups.`,
    }),
  currency: Currency.optional().meta({
    description: "Currency of all values; default the funnel's, else the workspace's.",
  }),
  ...FormatQuery.shape,
});
type SavedReportQuery = z.output<typeof SavedReportQuery>;

export const getSavedFunnelReport = operation({
  method: 'get',
  path: '/v1/funnels/{key}/report',
  id: 'getSavedFunnelReport',
  tag: 'Funnels',
  summary: 'How far people get in a saved funnel',
  description:
    'The report of a saved funnel for a range. With `interval`, each interval, cut to the range, is a funnel of its own over the chains that begin in it. An entity that begins in two intervals is in both, so intervals need not add up to `totals`, which cover the whole range. `interval` and `breakdown` exclude each other, and `interval` omits the breakdown of the saved funnel.',
  access: 'read',
  report: 'funnel',
  params: z.object({ key: FunnelKey }),
  query: SavedReportQuery,
  success: { status: 200, description: 'The report.', schema: FunnelReport, example: savedReportExample },
  errors: ['invalid_request', 'not_found', ...REPORT_ERRORS],
  isTable: true,
  isCacheable: true,
  handle: async ({ database, workspace, now, caller }, { params, query }) => {
    const range = rangeOf(query, workspace.timezone, now);
    const intervals = intervalsAsked(query, range);
    const saved = await runSavedFunnel(database, { workspaceId: workspace.id, key: params.key }, (funnel) =>
      [range, ...(intervals ?? [])].map((part) =>
        questionOf(definitionAsked(funnel, query, caller.narrowing), part, workspace),
      ),
    );
    const definition = definitionAsked(saved.definition, query, caller.narrowing);
    const question = questionOf(definition, range, workspace);
    const [whole, ...answers] = saved.answers;
    if (!whole) throw new Error('the report has one row per query');
    const names = stepNames(definition);
    const rows = rowsOf(whole.cells, names);
    const byInterval = intervals?.flatMap(({ start }, i) =>
      rowsOf(answers[i]?.cells ?? [], names).map((row) => ({ interval: start, ...row })),
    );
    const asked = { timezone: range.timezone, interval: query.interval ?? null };
    return {
      body: {
        query: funnelEcho(question, definition, asked),
        observational: true as const,
        totals: totalsOf(rows, question.currency),
        data: byInterval ?? rows,
        ...breakdownOf(question, whole, names),
        warnings: [
          ...rateWarnings([whole, ...answers], question.currency),
          ...retentionWarning(question.from, workspace, now),
        ],
      },
    };
  },
});

function intervalsAsked(
  { interval, breakdown }: SavedReportQuery,
  range: TimeRange & { timezone: string },
): LocalInterval[] | null {
  if (!interval) return null;
  if (breakdown)
    throw refusal([{ pointer: '?interval', detail: 'Send `interval` or `breakdown`, not both.' }]);
  const intervals = intervalsOf(range, interval, range.timezone);
  if (intervals.length <= MAX_INTERVALS) return intervals;
  const detail = `At most ${MAX_INTERVALS} intervals, and the range has ${intervals.length}; send a longer interval or a shorter range.`;
  throw refusal([{ pointer: '?interval', detail }]);
}

/**
 * The saved funnel with the changes of the query, narrowed for the caller. @throws ApiError
 * invalid_request or forbidden
 */
function definitionAsked(
  whole: FunnelDefinition,
  query: SavedReportQuery,
  narrowing: Narrowing | null,
): FunnelDefinition {
  const saved = narrowedFunnel(whole, narrowing);
  const definition = { ...saved, currency: query.currency ?? saved.currency };
  const breakdown = query.interval ? null : breakdownAsked(saved, query);
  if (query.at_step !== undefined && !breakdown)
    throw refusal([
      {
        pointer: '?at_step',
        detail: '`at_step` belongs to a breakdown; send `breakdown` too, or leave it out.',
      },
    ]);
  const mistakes = breakdown ? breakdownMistakes(breakdown, saved) : [];
  if (mistakes.length === 0) return { ...definition, breakdown };
  throw refusal(
    mistakes.map(({ path, message }) => ({
      pointer: path[0] === 'at_step' ? '?at_step' : '?breakdown',
      detail: `${message}.`,
    })),
  );
}

function breakdownAsked(
  { breakdown: own }: FunnelDefinition,
  { breakdown: by, at_step }: SavedReportQuery,
): Breakdown | null {
  if (by) return { by, at_step: at_step ?? 1 };
  return own ? { ...own, at_step: at_step ?? own.at_step } : null;
}

function refusal(errors: { pointer: string; detail: string }[]): ApiError {
  const detail = `The query does not fit: ${errors.map((e) => `${e.pointer} ${e.detail}`).join(' ')}`;
  return new ApiError('invalid_request', detail, { errors });
}
