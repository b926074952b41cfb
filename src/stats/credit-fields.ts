import * as z from 'zod';
import { DEFAULT_HALF_LIFE_DAYS, type EndShares, MODELS, needsMilestones } from '../domain/attribution.ts';
import type { Interval } from '../domain/time.ts';
import { ApiError } from '../http/errors.ts';
import { GoalKey } from '../http/fields.ts';
import type { CreditQuestion } from './credit-sql.ts';
import {
  type GroupedJourneyQuestion,
  JourneyQuery,
  type JourneysAsked,
  journeyEcho,
  journeyQuestionOf,
} from './journey-fields.ts';
import type { ReportContext } from './report.ts';

/** Query parameters of everything that gives credit: which models, and what they need. */

const Weights = z
  .array(z.string().nullable())
  .length(3, 'Send three numbers: first, middle, last')
  .transform((parts, context): EndShares => {
    const [first, middle, last] = parts.map((part) => Number(part || Number.NaN));
    const shares = { first: first ?? Number.NaN, middle: middle ?? Number.NaN, last: last ?? Number.NaN };
    const fine = Object.values(shares).every((share) => Number.isFinite(share) && share >= 0 && share <= 1e6);
    if (fine && shares.first + shares.last > 0) return shares;
    context.addIssue({ code: 'custom', message: 'Three numbers from 0 to 1000000, first + last above 0' });
    return z.NEVER;
  })
  .meta({
    type: 'array',
    items: { type: 'number' },
    description:
      'For `custom`: shares of the first touch, of all between, and of the last; normalised to sum 1.',
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
      "For `w_shaped` and `full_path`: the goals that are the lead and the opportunity. A milestone's touch is the journey's last at or before the first unretracted conversion of that goal inside the journey's window; without one, its share is renormalised away.",
    example: ['lead', 'opportunity'],
  });

/** What decides the weights of a journey. */
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
    .meta({ description: 'For `time_decay`.' }),
  weights: Weights.optional(),
  milestones: Milestones.optional(),
  ...JourneyQuery.shape,
});

/** Rules that no single parameter can break. */
export function checkModelQuery(
  query: Pick<z.output<typeof ModelQuery>, 'models' | 'weights' | 'milestones'>,
): void {
  const fail = (pointer: string, detail: string) =>
    new ApiError('invalid_request', detail, { errors: [{ pointer, detail }] });
  const isCustom = query.models.includes('custom');
  if (isCustom && !query.weights) throw fail('?weights', 'The model custom needs weights=first,middle,last.');
  if (!isCustom && query.weights)
    throw fail('?weights', 'weights are for the model custom; add it to models.');
  const isByMilestones = needsMilestones(query.models);
  if (isByMilestones && !query.milestones)
    throw fail('?milestones', 'The models w_shaped and full_path need milestones=lead,opportunity.');
  if (!isByMilestones && query.milestones)
    throw fail('?milestones', 'milestones are for the models w_shaped and full_path; add one to models.');
  if (new Set(query.models).size < query.models.length) throw fail('?models', 'Name each of models once.');
}

/** The question with what the workspace and the clock have to say. */
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

/** The question as it is echoed, defaults filled in. */
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
