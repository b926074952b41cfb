import { inJourneyOrder } from './journey.ts';
import type { Counting } from './settings.ts';
import { STAGES, type Stage } from './touchpoint-fields.ts';

/** The stages that follow each other; advocacy stands beside them. */
export const LIFECYCLE_STAGES = [
  'conversation',
  'consideration',
  'trial',
  'purchase',
  'loyalty',
] as const satisfies readonly Stage[];
export type LifecycleStage = (typeof LIFECYCLE_STAGES)[number];

/** Times in milliseconds since 1970. */
export interface LifecycleTouchpoint {
  id: string;
  occurred_at: number;
  person_id: string;
  /** Null also where the advocate was erased. */
  referred_by_person_id: string | null;
  direction: string | null;
  stage: Stage | null;
  voided: boolean;
}

export interface LifecycleConversion {
  id: string;
  occurred_at: number;
  person_id: string;
  goal: string;
  /** What the goal says of itself now; so a goal that changes its stage changes the past too. */
  goal_stage: Stage | null;
  counting: Counting;
  retracted: boolean;
}

export interface LifecycleLog {
  touchpoints: readonly LifecycleTouchpoint[];
  conversions: readonly LifecycleConversion[];
}

/** `from` is null where the person had no stage yet. */
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
 * Every move of one person, oldest first.
 *
 * - A touchpoint makes `trial` or `consideration` if that is its `stage`, else `conversation` if it is inbound, else
 *   nothing. Other values of its `stage` make nothing: a purchase is a conversion, not talk of one.
 * - A conversion makes `trial` or `consideration` if that is its goal's stage. Of goals of the stage `purchase`,
 *   whichever they are, the first conversion makes `purchase` and the second `loyalty`; of a goal that counts
 *   `once` only the first counts, so it takes another goal to make `loyalty`. Other goals make nothing.
 * - Voided touchpoints and retracted conversions make nothing, at no time: the past is told as it is known now.
 * - The furthest stage never falls. An event moves the person if it makes a stage further than that; stages in
 *   between are skipped, and count as reached.
 * - `advocacy` is made by the first touchpoint of somebody else that names the person as the advocate. It moves the
 *   person from the furthest stage of that moment, which stays what it is. A touchpoint of the kind `referral`
 *   without an advocate makes none.
 * - Events are in the order of everything: by time, touchpoints before conversions, then by id compared bytewise.
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

/** The furthest of the five stages after these moves. */
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

/** One stage, as it stands at the end of the range. */
export interface LifecycleRow {
  stage: Stage;
  people: number;
  reached: number;
  rate_from_previous: number | null;
}

/**
 * The six rows from the people who are at each stage. Whoever is at one of the five has reached those before it.
 * `advocacy` is counted beside them: its rate is its share of all people, whatever their stage.
 * @param at people whose furthest stage it is; of `advocacy`, the advocates
 * @param everyone also those without a stage
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
