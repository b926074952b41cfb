import { inJourneyOrder } from './journey.ts';
import {
  type Comparison,
  conversionRate,
  oddsRatio,
  type Rate,
  riskDifference,
  riskRatio,
} from './proportions.ts';
import type { Counting } from './settings.ts';
import { type FollowUp, medianTime } from './survival.ts';
import { DAY_MS } from './time.ts';

/** Times in milliseconds since 1970. */
export interface CultivationTouchpoint {
  id: string;
  occurred_at: number;
  channel: string;
  voided: boolean;
}

export interface CultivationConversion {
  id: string;
  goal: string;
  occurred_at: number;
  counting: Counting;
  retracted: boolean;
  /** Net, in the currency of the report; null without a value or a rate. */
  value: number | null;
}

/** Everything of one person. */
export interface PersonLog {
  touchpoints: readonly CultivationTouchpoint[];
  conversions: readonly CultivationConversion[];
}

export interface LandmarkSettings {
  /** Whose conversion is the outcome. No goal is in both lists. */
  goals: readonly string[];
  cultivation_goals: readonly string[];
  /** Inclusive, and not inclusive: where the first touchpoint lies. */
  from: number;
  to: number;
  landmark_days: number;
  horizon_days: number;
  /** What happened later is not known yet. */
  now: number;
}

export const LEFT_OUT_OF_ARMS = ['converted_before_landmark', 'short_follow_up'] as const;
export type LeftOutOfArms = (typeof LEFT_OUT_OF_ARMS)[number];

/** What the landmark analysis sees of one person. */
export interface Landmark {
  /** Of the first touchpoint. */
  channel: string;
  /** The cultivation goals reached by the landmark. */
  cultivated_by: string[];
  /** Null: in one of the arms. */
  left_out: LeftOutOfArms | null;
  converted: boolean;
  /** Of the conversions between landmark and horizon. */
  value: number;
  /** From the landmark on; null where that lies ahead, or the person converted before. */
  follow_up: FollowUp | null;
}

/**
 * One person as the landmark analysis sees them, or null if their first touchpoint lies outside the range.
 *
 * - The first touchpoint is the first of any kind that is not voided; the landmark is `landmark_days` after it.
 * - Whoever has converted on one of `goals` at the landmark or before, also before the first touchpoint, is left out
 *   as `converted_before_landmark`: nothing that is yet to come can change that. Of the others, whoever has been
 *   followed for less than `horizon_days` from the landmark on is left out as `short_follow_up`.
 * - Cultivated is who has reached one of `cultivation_goals` at the landmark or before.
 * - The outcome is a conversion after the landmark, until the horizon, the end included.
 * - Retracted conversions never happened; of a goal that counts once only the first counts.
 * Source: Anderson, Cain & Gelber 1983, Journal of Clinical Oncology 1:710–719.
 */
export function landmarkOf(log: PersonLog, settings: LandmarkSettings): Landmark | null {
  const { goals, from, to, now } = settings;
  const first = firstTouchpoint(log, now);
  if (!first || first.occurred_at < from || first.occurred_at >= to) return null;
  const landmark = first.occurred_at + settings.landmark_days * DAY_MS;
  const horizon = landmark + settings.horizon_days * DAY_MS;
  const outcomes = countedConversions(log, goals, now);
  const convertedAt = outcomes[0]?.occurred_at ?? Number.POSITIVE_INFINITY;
  const isEarly = convertedAt <= landmark;
  const inWindow = outcomes.filter(({ occurred_at }) => occurred_at > landmark && occurred_at <= horizon);
  const end = Math.min(convertedAt, horizon, now);
  return {
    channel: first.channel,
    cultivated_by: reachedBy(log, settings, landmark),
    left_out: isEarly ? 'converted_before_landmark' : horizon > now ? 'short_follow_up' : null,
    converted: !isEarly && inWindow.length > 0,
    value: inWindow.reduce((sum, { value }) => sum + (value ?? 0), 0),
    follow_up:
      isEarly || landmark > now
        ? null
        : { seconds: (end - landmark) / 1000, converted: convertedAt <= horizon },
  };
}

/** The cultivation goals for which the person is in the pool: reached by now, without any conversion so far. */
export function poolOf(log: PersonLog, settings: LandmarkSettings): string[] {
  const { goals, now } = settings;
  return countedConversions(log, goals, now).length > 0 ? [] : reachedBy(log, settings, now);
}

/** The first touchpoint so far: by time, then by id. */
export function firstTouchpoint({ touchpoints }: PersonLog, now: number): CultivationTouchpoint | null {
  const seen = touchpoints.filter(({ voided, occurred_at }) => !voided && occurred_at <= now);
  return seen.toSorted(inJourneyOrder)[0] ?? null;
}

function reachedBy(log: PersonLog, { cultivation_goals, now }: LandmarkSettings, at: number): string[] {
  const reached = countedConversions(log, cultivation_goals, Math.min(at, now));
  return cultivation_goals.filter((key) => reached.some(({ goal }) => goal === key));
}

/** Those of the goals that count, up to and including an instant, oldest first. */
function countedConversions({ conversions }: PersonLog, goals: readonly string[], until: number) {
  const held = conversions
    .filter(({ goal, retracted, occurred_at }) => goals.includes(goal) && !retracted && occurred_at <= until)
    .toSorted(inJourneyOrder);
  return held.filter(
    ({ goal, counting }, i) => counting === 'every' || held.findIndex((other) => other.goal === goal) === i,
  );
}

/** The sums of one arm. `people`, `converted` and `value` are of those with a whole horizon. */
export interface ArmSums {
  people: number;
  converted: number;
  value: number;
  /** Kaplan–Meier over everyone past the landmark; those who did not convert are censored at the horizon or now. */
  median_seconds: number | null;
}

/** An arm as it is reported. */
export interface ArmFigures extends Rate {
  people: number;
  converted: number;
  /** Null of nobody. */
  value_per_person: number | null;
  /** Days of 86,400 s from the landmark on; null where fewer than half convert until the horizon. */
  median_days: number | null;
}

export interface Arms<A> {
  cultivated: A;
  uncultivated: A;
}

export function armOf(people: readonly Landmark[]): ArmSums {
  const compared = people.filter(({ left_out }) => left_out === null);
  return {
    people: compared.length,
    converted: compared.filter(({ converted }) => converted).length,
    value: compared.reduce((sum, { value }) => sum + value, 0),
    median_seconds: medianTime(people.flatMap(({ follow_up }) => follow_up ?? [])),
  };
}

/**
 * The two arms. Cultivated are those who reached the goal, or any goal if none is named; uncultivated, whatever is
 * named, those who reached none.
 */
export function armsOf(people: readonly Landmark[], goal?: string): Arms<ArmSums> {
  const reached = ({ cultivated_by }: Landmark) =>
    goal === undefined ? cultivated_by.length > 0 : cultivated_by.includes(goal);
  return {
    cultivated: armOf(people.filter(reached)),
    uncultivated: armOf(people.filter(({ cultivated_by }) => cultivated_by.length === 0)),
  };
}

/** Below either, chance alone moves the figures by more than what they tell. */
export const MIN_ARM_PEOPLE = 30;
/** Of both arms together. */
export const MIN_CONVERTED = 5;

/** The arms with their rates, and one against the other, as a row of the report has them. */
export interface ArmComparison {
  arms: Arms<ArmFigures>;
  risk_ratio: Comparison;
  odds_ratio: Comparison;
  risk_difference: Comparison;
  /** An arm has fewer than `MIN_ARM_PEOPLE` people, or both together fewer than `MIN_CONVERTED` conversions. */
  low_evidence: boolean;
}

/** Cultivated against uncultivated; what an empty arm leaves unknown is null. */
export function compareArms({ cultivated, uncultivated }: Arms<ArmSums>): ArmComparison {
  return {
    arms: { cultivated: figuresOf(cultivated), uncultivated: figuresOf(uncultivated) },
    risk_ratio: riskRatio(cultivated, uncultivated),
    odds_ratio: oddsRatio(cultivated, uncultivated),
    risk_difference: riskDifference(cultivated, uncultivated),
    low_evidence:
      Math.min(cultivated.people, uncultivated.people) < MIN_ARM_PEOPLE ||
      cultivated.converted + uncultivated.converted < MIN_CONVERTED,
  };
}

function figuresOf(arm: ArmSums): ArmFigures {
  const { people, converted, value, median_seconds } = arm;
  return {
    people,
    converted,
    ...conversionRate(arm),
    value_per_person: people === 0 ? null : value / people,
    median_days: median_seconds === null ? null : (median_seconds * 1000) / DAY_MS,
  };
}
