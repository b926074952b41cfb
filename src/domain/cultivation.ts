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

/** A touchpoint of one person. */
export interface CultivationTouchpoint {
  id: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  channel: string;
  voided: boolean;
}

/** A conversion of one person, on a goal of either kind. */
export interface CultivationConversion {
  id: string;
  goal: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  counting: Counting;
  retracted: boolean;
  /** Net value in the currency of the report; null without a value or without an exchange rate. */
  value: number | null;
}

/** All touchpoints and conversions of one person, in any order. */
export interface PersonLog {
  touchpoints: readonly CultivationTouchpoint[];
  conversions: readonly CultivationConversion[];
}

/** Parameters of the landmark analysis. Times in milliseconds since 1970. */
export interface LandmarkSettings {
  /** A conversion of one of these goals is the outcome. No goal is in both lists. */
  goals: readonly string[];
  cultivation_goals: readonly string[];
  /** The range of first touchpoints, half-open: `from` is inside, `to` is not. */
  from: number;
  to: number;
  /** Days of 86,400 s from the first touchpoint to the landmark. */
  landmark_days: number;
  /** Days of 86,400 s from the landmark to the end of the outcome period. */
  horizon_days: number;
  /** Events after this instant are ignored. */
  now: number;
}

/** Why a person is in neither arm. */
export const LEFT_OUT_OF_ARMS = ['converted_before_landmark', 'short_follow_up'] as const;
export type LeftOutOfArms = (typeof LEFT_OUT_OF_ARMS)[number];

/** One person in the landmark analysis. */
export interface Landmark {
  /** The channel of the first touchpoint. */
  channel: string;
  /** The cultivation goals reached by the landmark. */
  cultivated_by: string[];
  /** Null if the person is in one of the arms. */
  left_out: LeftOutOfArms | null;
  /** Whether a conversion lies between landmark and horizon. */
  converted: boolean;
  /** Net value of the conversions between landmark and horizon. */
  value: number;
  /** From the landmark on; null if the landmark is in the future, or the person converted by the landmark. */
  follow_up: FollowUp | null;
}

/**
 * Places one person in the landmark analysis. This is the definition; the statement of the
 * report has to agree with it.
 *
 * - The first touchpoint is the first one of any kind that is not voided. The landmark is
 *   `landmark_days` after it.
 * - A person who converted on one of `goals` at or before the landmark is left out as
 *   `converted_before_landmark`. Conversions before the first touchpoint count too. Later
 *   events cannot change this.
 * - A person who was observed for less than `horizon_days` after the landmark is left out as
 *   `short_follow_up`, unless the first reason applies.
 * - A person is cultivated who reached one of `cultivation_goals` at or before the landmark.
 * - The outcome is a conversion after the landmark and up to the horizon, which is included.
 * - Retracted conversions are ignored. For a goal that counts once, only the person's first
 *   conversion counts.
 * @returns null if the first touchpoint lies outside the range, or there is none
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

/**
 * The cultivation goals that the person has reached by now; none if the person has converted,
 * and so left the pool.
 */
export function poolOf(log: PersonLog, settings: LandmarkSettings): string[] {
  const { goals, now } = settings;
  return countedConversions(log, goals, now).length > 0 ? [] : reachedBy(log, settings, now);
}

/** The first touchpoint at or before `now` that is not voided, by time, then by id; null without one. */
export function firstTouchpoint({ touchpoints }: PersonLog, now: number): CultivationTouchpoint | null {
  const seen = touchpoints.filter(({ voided, occurred_at }) => !voided && occurred_at <= now);
  return seen.toSorted(inJourneyOrder)[0] ?? null;
}

function reachedBy(log: PersonLog, { cultivation_goals, now }: LandmarkSettings, at: number): string[] {
  const reached = countedConversions(log, cultivation_goals, Math.min(at, now));
  return cultivation_goals.filter((key) => reached.some(({ goal }) => goal === key));
}

/** The conversions of the goals that count, up to and including an instant, oldest first. */
function countedConversions({ conversions }: PersonLog, goals: readonly string[], until: number) {
  const held = conversions
    .filter(({ goal, retracted, occurred_at }) => goals.includes(goal) && !retracted && occurred_at <= until)
    .toSorted(inJourneyOrder);
  return held.filter(
    ({ goal, counting }, i) => counting === 'every' || held.findIndex((other) => other.goal === goal) === i,
  );
}

/** The sums of one arm. `people`, `converted` and `value` cover the people with complete follow-up. */
export interface ArmSums {
  people: number;
  converted: number;
  value: number;
  /**
   * Kaplan–Meier over everyone past the landmark. People without a conversion are censored at
   * the horizon or now.
   */
  median_seconds: number | null;
}

/** The figures of one arm in the report. */
export interface ArmFigures extends Rate {
  people: number;
  converted: number;
  /** Net value over all people of the arm; null for an empty arm. */
  value_per_person: number | null;
  /** Days of 86,400 s from the landmark; null if fewer than half convert by the horizon. */
  median_days: number | null;
}

/** The same figures for both arms. */
export interface Arms<A> {
  cultivated: A;
  uncultivated: A;
}

/** Sums the people of one arm. */
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
 * The sums of the two arms. Cultivated people are those who reached `goal`, or any cultivation goal if it is
 * omitted. Uncultivated people are those who reached none, whichever goal is given.
 */
export function armsOf(people: readonly Landmark[], goal?: string): Arms<ArmSums> {
  const reached = ({ cultivated_by }: Landmark) =>
    goal === undefined ? cultivated_by.length > 0 : cultivated_by.includes(goal);
  return {
    cultivated: armOf(people.filter(reached)),
    uncultivated: armOf(people.filter(({ cultivated_by }) => cultivated_by.length === 0)),
  };
}

/**
 * Evidence is low with fewer people in an arm: the log intervals are wider than any difference
 * one could act on.
 */
export const MIN_ARM_PEOPLE = 30;
/** The same for conversions, in both arms together. */
export const MIN_CONVERTED = 5;

/** Both arms with their rates, and the comparison between them; a row of the report. */
export interface ArmComparison {
  arms: Arms<ArmFigures>;
  risk_ratio: Comparison;
  odds_ratio: Comparison;
  risk_difference: Comparison;
  /**
   * An arm has fewer than `MIN_ARM_PEOPLE` people, or both together have fewer than
   * `MIN_CONVERTED` conversions.
   */
  low_evidence: boolean;
}

/** Compares cultivated with uncultivated people. Figures that an empty arm leaves undetermined are null. */
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
