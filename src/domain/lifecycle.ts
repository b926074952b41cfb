import { inJourneyOrder } from './journey.ts';
import type { Counting } from './settings.ts';
import { STAGES, type Stage } from './touchpoint-fields.ts';

/** The stages that follow each other, in order. Advocacy is counted beside them. */
export const LIFECYCLE_STAGES = [
  'conversation',
  'consideration',
  'trial',
  'purchase',
  'loyalty',
] as const satisfies readonly Stage[];
export type LifecycleStage = (typeof LIFECYCLE_STAGES)[number];

/** A touchpoint of any person. */
export interface LifecycleTouchpoint {
  id: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  person_id: string;
  /** Null if no advocate is known. An advocate who was erased is a nameless person here, and not null. */
  referred_by_person_id: string | null;
  direction: string | null;
  stage: Stage | null;
  voided: boolean;
}

/** A conversion of any person and goal. */
export interface LifecycleConversion {
  id: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  person_id: string;
  goal: string;
  /** The goal's current stage. Changing the stage of a goal therefore changes past reports too. */
  goal_stage: Stage | null;
  counting: Counting;
  retracted: boolean;
}

/** All touchpoints and conversions of a workspace, in any order. */
export interface LifecycleLog {
  touchpoints: readonly LifecycleTouchpoint[];
  conversions: readonly LifecycleConversion[];
}

/** A move of one person to a stage. `from` is null for the first one. `at` is in milliseconds since 1970. */
export interface Move {
  from: LifecycleStage | null;
  to: Stage;
  at: number;
}

interface StageEvent {
  id: string;
  occurred_at: number;
  /** At one instant touchpoints (0) come before conversions (1). */
  precedence: 0 | 1;
  stage: Stage;
}

/**
 * Every move of one person, oldest first. This is the definition; the statement of the report
 * has to agree with it.
 *
 * - A touchpoint gives the stage `trial` or `consideration` if that is its `stage`. Otherwise
 *   an inbound one gives `conversation`. Other values of its `stage` give nothing: a purchase
 *   is a conversion, not talk about one.
 * - A conversion gives `trial` or `consideration` if that is the stage of its goal. Among all
 *   goals of the stage `purchase` together, the first conversion gives `purchase` and each
 *   later one `loyalty`. For a goal that counts `once` only the first conversion counts, so
 *   `loyalty` then needs another goal. Other goals give nothing.
 * - Voided touchpoints and retracted conversions are ignored throughout: past moves are
 *   computed from present knowledge.
 * - The furthest stage never falls. An event moves the person if its stage is further than that. Stages in
 *   between are skipped, and count as reached.
 * - The first touchpoint of another person that names this one as advocate gives `advocacy`. The move starts
 *   from the furthest stage at that time, which does not change. A touchpoint of the kind `referral` without
 *   an advocate gives nothing.
 * - Events are in the order of time, touchpoints before conversions, id compared bytewise.
 */
export function movesOf(personId: string, log: LifecycleLog): Move[] {
  const events = [...touchpointEvents(personId, log), ...conversionEvents(personId, log)].sort(inOrder);
  const moves: Move[] = [];
  for (const { stage: to, occurred_at: at } of events) {
    const from = furthestStage(moves);
    const isNew =
      to === 'advocacy'
        ? moves.every((move) => move.to !== to)
        : from === null || STAGES.indexOf(to) > STAGES.indexOf(from);
    if (isNew) moves.push({ from, to, at });
  }
  return moves;
}

/** The furthest of the five stages after these moves; null before the first one. */
export function furthestStage(moves: readonly Move[]): LifecycleStage | null {
  return moves.map(({ to }) => to).findLast((to) => to !== 'advocacy') ?? null;
}

function inOrder(a: StageEvent, b: StageEvent): number {
  return a.occurred_at - b.occurred_at || a.precedence - b.precedence || inJourneyOrder(a, b);
}

function touchpointEvents(personId: string, { touchpoints }: LifecycleLog): StageEvent[] {
  return touchpoints.flatMap((touchpoint) => {
    const { id, occurred_at, voided, person_id, referred_by_person_id } = touchpoint;
    if (voided) return [];
    const isReferral = referred_by_person_id === personId && person_id !== personId;
    const stage = person_id === personId ? stageOfTouchpoint(touchpoint) : isReferral ? 'advocacy' : null;
    return stage ? [{ id, occurred_at, precedence: 0 as const, stage }] : [];
  });
}

function stageOfTouchpoint({ direction, stage }: LifecycleTouchpoint): LifecycleStage | null {
  if (stage === 'trial' || stage === 'consideration') return stage;
  return direction === 'inbound' ? 'conversation' : null;
}

function conversionEvents(personId: string, { conversions }: LifecycleLog): StageEvent[] {
  const own = conversions
    .filter(({ person_id, retracted }) => person_id === personId && !retracted)
    .sort(inJourneyOrder);
  const counted = own.filter(
    ({ goal, counting }, i) => counting === 'every' || own.findIndex((other) => other.goal === goal) === i,
  );
  const purchases = counted.filter(({ goal_stage }) => goal_stage === 'purchase');
  return counted.flatMap((conversion) => {
    const stage = stageOfConversion(conversion, purchases.indexOf(conversion));
    const { id, occurred_at } = conversion;
    return stage ? [{ id, occurred_at, precedence: 1 as const, stage }] : [];
  });
}

function stageOfConversion(
  { goal_stage }: LifecycleConversion,
  earlierPurchases: number,
): LifecycleStage | null {
  if (goal_stage === 'trial' || goal_stage === 'consideration') return goal_stage;
  if (goal_stage !== 'purchase') return null;
  return earlierPurchases === 0 ? 'purchase' : 'loyalty';
}

/** One stage at the end of the range. */
export interface LifecycleRow {
  stage: Stage;
  /** People whose furthest stage it is. */
  people: number;
  /** People who have it or a later one. */
  reached: number;
  /** 0 to 1; null for the first stage, or if nobody reached the previous one. */
  rate_from_previous: number | null;
}

/**
 * The six rows, from the number of people at each stage. A person at one of the five stages has
 * reached those before it. `advocacy` is counted beside them: its rate is the advocates' share
 * of all people, at whatever stage.
 * @param at the number of people whose furthest stage it is; for `advocacy`, the number of advocates
 * @param everyone the number of all people, those without a stage included
 */
export function lifecycleRows(
  at: Readonly<Partial<Record<Stage, number>>>,
  everyone: number,
): LifecycleRow[] {
  const reachedOf = (i: number) =>
    LIFECYCLE_STAGES.slice(i).reduce((sum, stage) => sum + (at[stage] ?? 0), 0);
  const rows = LIFECYCLE_STAGES.map((stage, i) => ({
    stage,
    people: at[stage] ?? 0,
    reached: reachedOf(i),
    rate_from_previous: i === 0 ? null : share(reachedOf(i), reachedOf(i - 1)),
  }));
  const advocates = at.advocacy ?? 0;
  const rate_from_previous = share(advocates, everyone);
  return [...rows, { stage: 'advocacy', people: advocates, reached: advocates, rate_from_previous }];
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
