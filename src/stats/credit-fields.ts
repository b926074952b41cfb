import * as z from 'zod';
import { DEFAULT_HALF_LIFE_DAYS, type EndShares, MODELS, needsMilestones } from '../domain/attribution.ts';
import type { Interval } from '../domain/time.ts';
import { ApiError } from '../http/errors.ts';
import { GoalKey } from '../http/fields.ts';
import type { CreditQuestion } from './credit-question.ts';
import {
  type GroupedJourneyQuestion,
  JourneyQuery,
  type JourneysAsked,
  journeyEcho,
  journeyQuestionOf,
} from './journey-fields.ts';
import type { ReportContext } from './report.ts';

/** Query parameters of all reports that give credit: the models, and their parameters. */

const Weights = z
  .array(z.string().nullable())
  .length(3, 'Send three numbers: first, middle, last')
  .transform((parts, context): EndShares => {
    const [first, middle, last] = parts.map((part) => Number(part || Number.NaN));
    const shares = { first: first ?? Number.NaN, middle: middle ?? Number.NaN, last: last ?? Number.NaN };
    const fine = Object.values(shares).every((share) => Number.isFinite(share) && share >= 0 && share <= 1e6);
    if (fine && shares.first + shares.last > 0) return shares;
    context.addIssue({
      code: 'custom',
      message: 'Send three numbers from 0 to 1000000, first + last above 0',
    });
    return z.NEVER;
  })
  .meta({
    type: 'array',
    items: { type: 'number' },
    description:
      'For `custom`: the shares of the first touch, of all touches in between, and of the last touch. They are normalised to sum 1.',
    example: [1, 2, 1],
  });

const Milestones = z
  .array(GoalKey)
  .length(2, 'Name two goals: lead, opportunity')
  .refine(([lead, opportunity]) => lead !== opportunity, 'Name two different goals')
  .transform(([lead = '', opportunity = '']) => ({ lead, opportunity }))
  .meta({
    type: 'array',
    items: { type: 'string' },
    minItems: 2,
    maxItems: 2,
    description:
      "For `w_shaped` and `full_path`: the keys of the lead goal and of the opportunity goal. A milestone is the first unretracted conversion of its goal inside the journey's window. Its touch is the journey's last touch at or before it; without one, the share is renormalised away.",
    example: ['lead', 'opportunity'],
  });

/** Query parameters that decide the weights of a journey. */
export const ModelQuery = z.object({
  models: z
    .array(z.enum(MODELS))
    .min(1)
    .default(['linear'])
    .meta({ description: 'Attribution models, side by side.', example: ['linear', 'time_decay'] }),
  half_life_days: z
    .number()
    .min(0.1)
    .max(365)
    .default(DEFAULT_HALF_LIFE_DAYS)
    .meta({ description: 'For `time_decay`: the half-life in days of 86,400 s.' }),
  weights: Weights.optional(),
  milestones: Milestones.optional(),
  ...JourneyQuery.shape,
});

/** Checks the rules that involve several parameters. @throws ApiError invalid_request */
export function checkModelQuery(
  query: Pick<z.output<typeof ModelQuery>, 'models' | 'weights' | 'milestones'>,
): void {
  const fail = (pointer: string, detail: string) =>
    new ApiError('invalid_request', detail, { errors: [{ pointer, detail }] });
  const isCustom = query.models.includes('custom');
  if (isCustom && !query.weights) throw fail('?weights', 'The model custom needs weights=first,middle,last.');
  if (!isCustom && query.weights)
    throw fail('?weights', 'weights apply to the model custom only; add it to models, or leave weights out.');
  const isByMilestones = needsMilestones(query.models);
  if (isByMilestones && !query.milestones)
    throw fail('?milestones', 'The models w_shaped and full_path need milestones=lead,opportunity.');
  if (!isByMilestones && query.milestones)
    throw fail(
      '?milestones',
      'milestones apply to the models w_shaped and full_path only; add one to models, or leave milestones out.',
    );
  if (new Set(query.models).size < query.models.length)
    throw fail('?models', 'Name each model in models once.');
}

/** The effective query, with the settings of the workspace and the clock. @throws ApiError invalid_request */
export function creditQuestionOf(
  query: JourneysAsked & z.output<typeof ModelQuery> & { interval?: Interval | undefined },
  context: ReportContext,
): CreditQuestion & GroupedJourneyQuestion {
  checkModelQuery(query);
  return {
    ...journeyQuestionOf(query, context),
    models: query.models,
    settings: { half_life_days: query.half_life_days, weights: query.weights },
    milestones: query.milestones ?? null,
    interval: query.interval ?? null,
  };
}

/** The effective query as the report echoes it. */
export function creditEcho(question: CreditQuestion & GroupedJourneyQuestion): Record<string, unknown> {
  const { models, settings, milestones, interval } = question;
  return {
    ...journeyEcho(question),
    models,
    half_life_days: settings.half_life_days,
    ...(settings.weights && { weights: settings.weights }),
    ...(milestones && { milestones: Object.values(milestones) }),
    interval,
  };
}
