import { compareBytewise, inJourneyOrder } from './journey.ts';
import type { Counting } from './settings.ts';

/** A touchpoint that names an advocate. */
export interface Referral {
  person_id: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  /** Null if no advocate is known. An advocate who was erased is a nameless person here, and not null. */
  referred_by_person_id: string | null;
  voided: boolean;
}

/** A conversion, of any person and goal. */
export interface AdvocacyConversion {
  id: string;
  person_id: string;
  goal: string;
  /** Milliseconds since 1970. */
  occurred_at: number;
  counting: Counting;
  retracted: boolean;
  /** Net value in the currency of the report; null without a value or without an exchange rate. */
  value: number | null;
}

/** All referrals and conversions of a workspace, in any order. */
export interface AdvocacyLog {
  referrals: readonly Referral[];
  conversions: readonly AdvocacyConversion[];
}

/** Which conversions and referrals the report covers. Times in milliseconds since 1970. */
export interface AdvocacySettings {
  goals: readonly string[];
  /** Half-open: `from` is inside the range, `to` is not. */
  from: number;
  to: number;
  /** Events after this instant are ignored. */
  now: number;
}

/** The figures of one advocate, or of all advocates together. */
export interface Advocacy {
  referred_people: number;
  /** The referred people who converted at or after their referral, until now. */
  converted_people: number;
  /** Net value of all these conversions. */
  value: number;
  /** People whom the referred people referred in turn. */
  second_order_people: number;
}

/** Number and net value of conversions in the range. */
export interface ConversionSums {
  conversions: number;
  value: number;
}

/** The advocacy report. */
export interface AdvocacySummary {
  /** Ordered by `converted_people`, then `referred_people`, both descending, then by id. */
  advocates: (Advocacy & { person_id: string })[];
  /** Each person counts once, however many advocates referred them, and so does each conversion. */
  totals: Advocacy;
  /** All conversions in the range. */
  all: ConversionSums;
  /** Conversions in the range by people who had been referred by then, in the range or before it. */
  word_of_mouth: ConversionSums;
}

/** The first referral of a person by an advocate. */
interface Pair {
  advocate: string;
  person: string;
  at: number;
}

/**
 * The advocacy report over a log. This is the definition; the statement of the report has to agree with it.
 *
 * - A referral is the first touchpoint, of any kind and not voided, of a person that names a
 *   given advocate. The range selects referrals; their consequences count until now. Each of
 *   several advocates of one person gets full credit.
 * - A person who turned out to be the same as the person they referred is not an advocate.
 * - An advocate who was erased remains one nameless advocate.
 * - Second-order people were referred by a referred person, at or after that person's own referral. The
 *   advocate is never one of them, and neither is anybody whom the advocate ever referred.
 * - Retracted conversions are ignored. For a goal that counts once, only the person's first
 *   conversion counts.
 */
export function advocacyOf(log: AdvocacyLog, settings: AdvocacySettings): AdvocacySummary {
  const { from, to } = settings;
  const pairs = pairsOf(log, settings);
  const conversions = countedConversions(log, settings);
  const isInRange = (at: number) => at >= from && at < to;
  const chosen = pairs.filter(({ at }) => isInRange(at));
  const sumsOf = (some: readonly Pair[]): Advocacy => {
    const following = conversions.filter(({ person_id, occurred_at }) =>
      some.some(({ person, at }) => person === person_id && at <= occurred_at),
    );
    return {
      referred_people: new Set(some.map(({ person }) => person)).size,
      converted_people: new Set(following.map(({ person_id }) => person_id)).size,
      value: sumOf(following),
      second_order_people: new Set(some.flatMap((pair) => secondOrder(pair, pairs))).size,
    };
  };
  const advocates = [...Map.groupBy(chosen, ({ advocate }) => advocate)].map(([person_id, own]) => ({
    person_id,
    ...sumsOf(own),
  }));
  const all = conversions.filter(({ occurred_at }) => isInRange(occurred_at));
  const told = all.filter(({ person_id, occurred_at }) =>
    pairs.some(({ person, at }) => person === person_id && at <= occurred_at),
  );
  return {
    advocates: advocates.toSorted(inReportOrder),
    totals: sumsOf(chosen),
    all: { conversions: all.length, value: sumOf(all) },
    word_of_mouth: { conversions: told.length, value: sumOf(told) },
  };
}

function pairsOf({ referrals }: AdvocacyLog, { now }: AdvocacySettings): Pair[] {
  const pairs: Pair[] = [];
  for (const { person_id, referred_by_person_id, occurred_at: at, voided } of referrals) {
    if (voided || at > now || referred_by_person_id === null || referred_by_person_id === person_id) continue;
    const known = pairs.find(
      ({ advocate, person }) => advocate === referred_by_person_id && person === person_id,
    );
    if (known) known.at = Math.min(known.at, at);
    else pairs.push({ advocate: referred_by_person_id, person: person_id, at });
  }
  return pairs;
}

function secondOrder({ advocate, person, at }: Pair, pairs: readonly Pair[]): string[] {
  const own = pairs.filter((pair) => pair.advocate === advocate).map((pair) => pair.person);
  return pairs
    .filter((next) => next.advocate === person && next.at >= at)
    .map((next) => next.person)
    .filter((next) => next !== advocate && !own.includes(next));
}

function countedConversions({ conversions }: AdvocacyLog, { goals, now }: AdvocacySettings) {
  const held = conversions
    .filter(({ goal, retracted, occurred_at }) => goals.includes(goal) && !retracted && occurred_at <= now)
    .toSorted(inJourneyOrder);
  const isFirst = (one: AdvocacyConversion) =>
    held.find(({ person_id, goal }) => person_id === one.person_id && goal === one.goal) === one;
  return held.filter((one) => one.counting === 'every' || isFirst(one));
}

function sumOf(conversions: readonly AdvocacyConversion[]): number {
  return conversions.reduce((sum, { value }) => sum + (value ?? 0), 0);
}

function inReportOrder(a: Advocacy & { person_id: string }, b: Advocacy & { person_id: string }): number {
  return (
    b.converted_people - a.converted_people ||
    b.referred_people - a.referred_people ||
    compareBytewise(a.person_id, b.person_id)
  );
}
