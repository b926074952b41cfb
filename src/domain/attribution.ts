import type { Milestone } from './milestones.ts';
import { DAY_MS } from './time.ts';

/**
 * Attribution models. In each of them a touchpoint's weight depends only on its own journey and the
 * milestones of that journey. The weights of a journey sum to 1.
 */
export const MODELS = [
  'first_touch',
  'last_touch',
  'last_non_direct',
  'linear',
  'time_decay',
  'position_based',
  'j_shaped',
  'inverse_j_shaped',
  'custom',
  'w_shaped',
  'full_path',
] as const;
export type Model = (typeof MODELS)[number];

/** Shares of the first touch, of all touches in between together, and of the last touch. Each at least 0. */
export interface EndShares {
  first: number;
  middle: number;
  last: number;
}

/**
 * The shares of the models that fix them.
 *
 * Source: HubSpot and Adobe for `position_based` (both call it "U"; Marketo's "U" is another model), Adobe
 * for `j_shaped` and `inverse_j_shaped`.
 */
export const END_SHARES = {
  position_based: { first: 0.4, middle: 0.2, last: 0.4 },
  j_shaped: { first: 0.2, middle: 0.2, last: 0.6 },
  inverse_j_shaped: { first: 0.6, middle: 0.2, last: 0.2 },
} as const satisfies Partial<Record<Model, EndShares>>;

/**
 * Shares of the first touch, of each milestone's touch, of the last touch, and of all other touches together.
 */
export interface MilestoneShares {
  first: number;
  milestone: number;
  last: number;
  others: number;
}

/**
 * The shares of the milestone models. In `full_path` the last touch stands for the closed deal.
 *
 * Source: HubSpot and Marketo Measure.
 */
export const MILESTONE_SHARES = {
  w_shaped: { first: 0.3, milestone: 0.3, last: 0, others: 0.1 },
  full_path: { first: 0.225, milestone: 0.225, last: 0.225, others: 0.1 },
} as const satisfies Partial<Record<Model, MilestoneShares>>;

/** Models that need no parameters: neither weights nor milestones. */
export type PlainModel = Exclude<Model, 'custom' | keyof typeof MILESTONE_SHARES>;
export const PLAIN_MODELS = MODELS.filter(
  (model): model is PlainModel => model !== 'custom' && !(model in MILESTONE_SHARES),
);

/** Does any of the models need milestones? */
export function needsMilestones(models: readonly Model[]): boolean {
  return models.some((model) => model in MILESTONE_SHARES);
}

/** A touch of a journey. */
export interface Touch {
  /** Milliseconds since 1970. */
  occurred_at: number;
  channel: string;
  /** The milestones whose touch this is. Each milestone has one touch in a journey, or none. */
  milestones?: readonly Milestone[];
}

/** Parameters of the models. */
export interface ModelSettings {
  /** Days of 86,400 s, 0.1 to 365. */
  half_life_days: number;
  /** For `custom`: each share at least 0, first + last above 0. They are proportions, see `normalise`. */
  weights?: EndShares;
}

/** Default half-life of `time_decay`, in days of 86,400 s. Source: the default of Adobe and Google. */
export const DEFAULT_HALF_LIFE_DAYS = 7;

/**
 * `time_decay` gives 0 to a touch that is more than this number of half-lives older than the newest one.
 * Beyond it `power` in Postgres raises an underflow error.
 */
export const MAX_HALVINGS = 1000;

/**
 * The weight of each touch of one journey under one model. This is the definition: reports compute the same
 * in SQL, and a property test compares the two.
 * @param touches in journey order, oldest first
 * @returns one number from 0 to 1 per touch, in the same order; they sum to 1. Empty for an empty journey.
 * @throws RangeError for `custom` without weights, or with weights whose first and last share are both 0
 */
export function weightsOf(model: Model, touches: readonly Touch[], settings: ModelSettings): number[] {
  const count = touches.length;
  if (count === 0) return [];
  switch (model) {
    case 'first_touch':
      return touches.map((_, i) => (i === 0 ? 1 : 0));
    case 'last_touch':
      return touches.map((_, i) => (i === count - 1 ? 1 : 0));
    case 'last_non_direct': {
      const last = touches.findLastIndex((touch) => touch.channel !== 'direct');
      const credited = last === -1 ? count - 1 : last;
      return touches.map((_, i) => (i === credited ? 1 : 0));
    }
    case 'linear':
      return touches.map(() => 1 / count);
    case 'time_decay':
      return timeDecay(touches, settings.half_life_days);
    case 'custom':
      return byEnds(count, normalise(settings.weights));
    case 'w_shaped':
    case 'full_path':
      return byMilestones(touches, MILESTONE_SHARES[model]);
    default:
      return byEnds(count, END_SHARES[model]);
  }
}

/**
 * 2^(−age / half-life), normalised. Ages count from the newest touch of the journey: this
 * factor cancels out, and it keeps the terms from underflowing. Source: Adobe. Ages of 9, 6, 0
 * and 0 days split 50.00 into 6.92, 9.32, 16.88 and 16.88.
 */
function timeDecay(touches: readonly Touch[], halfLifeDays: number): number[] {
  const newest = Math.max(...touches.map((touch) => touch.occurred_at));
  const terms = touches.map((touch) => {
    const halvings = (newest - touch.occurred_at) / (halfLifeDays * DAY_MS);
    return halvings > MAX_HALVINGS ? 0 : 2 ** -halvings;
  });
  const sum = terms.reduce((a, b) => a + b, 0);
  return terms.map((term) => term / sum);
}

/** Two touches split everything in the proportion of the end shares; a single touch gets everything. */
function byEnds(count: number, shares: EndShares): number[] {
  if (count === 1) return [1];
  const ends = shares.first + shares.last;
  if (count === 2) return [shares.first / ends, shares.last / ends];
  return Array.from({ length: count }, (_, i) => {
    if (i === 0) return shares.first;
    return i === count - 1 ? shares.last : shares.middle / (count - 2);
  });
}

/**
 * A touch that is several of the first touch, a milestone's touch and the last touch gets the sum of their
 * shares. The other touches are those between the first touch and the last one with a share of its own. In
 * `w_shaped` that is the touch of the last milestone, and touches after it get nothing. A share without any
 * touch (a milestone that was not reached, no other touches) is renormalised away, so `w_shaped` without
 * milestones is the first touch.
 * Source: HubSpot, Marketo Measure.
 */
function byMilestones(touches: readonly Touch[], shares: MilestoneShares): number[] {
  const own = touches.map(
    ({ milestones = [] }, i) =>
      (i === 0 ? shares.first : 0) +
      milestones.length * shares.milestone +
      (i === touches.length - 1 ? shares.last : 0),
  );
  const end = own.findLastIndex((share) => share > 0);
  const others = own.filter((share, i) => share === 0 && i < end).length;
  const all = own.map((share, i) => (share === 0 && i < end ? shares.others / others : share));
  const sum = all.reduce((a, b) => a + b, 0);
  return all.map((share) => share / sum);
}

/**
 * Scales custom weights to sum 1. They are proportions: 1,2,1 is the same as 25,50,25.
 * @throws RangeError if there are none, or first + last is not above 0
 */
export function normalise(weights: EndShares | undefined): EndShares {
  if (!weights || weights.first + weights.last <= 0)
    throw new RangeError('custom needs weights with first + last above 0');
  const sum = weights.first + weights.middle + weights.last;
  return { first: weights.first / sum, middle: weights.middle / sum, last: weights.last / sum };
}
