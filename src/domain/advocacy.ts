import { compareBytewise, inJourneyOrder } from './journey.ts';
import type { Counting } from './settings.ts';

/** A touchpoint that names an advocate. Times in milliseconds since 1970. */
export interface Referral {
  person_id: string;
  occurred_at: number;
  /** Null where the advocate was erased. */
  referred_by_person_id: string | null;
  voided: boolean;
}

export interface AdvocacyConversion {
  id: string;
  person_id: string;
  goal: string;
  occurred_at: number;
  counting: Counting;
  retracted: boolean;
  /** Net, in the currency of the report; null without a value or a rate. */
  value: number | null;
}

export interface AdvocacyLog {
  referrals: readonly Referral[];
  conversions: readonly AdvocacyConversion[];
}

export interface AdvocacySettings {
  goals: readonly string[];
  /** Inclusive, and not inclusive. */
  from: number;
  to: number;
  /** What happened later is not known yet. */
  now: number;
}

/** One advocate, or all of them. */
export interface Advocacy {
  referred_people: number;
  /** Those of them with a conversion at the referral or after it, until now. */
  converted_people: number;
  /** Of these conversions. */
  value: number;
  second_order_people: number;
}

/** Conversions of the range. */
export interface ConversionSums {
  conversions: number;
  value: number;
}

export interface AdvocacySummary {
  /** The most converted first, then the most referred, then by id. */
  advocates: (Advocacy & { person_id: string })[];
  /** Everyone counts once, whoever and however many referred them; and so does every conversion. */
  totals: Advocacy;
  all: ConversionSums;
  /** Those of them by people who had been referred by then, whenever that was. */
  word_of_mouth: ConversionSums;
}

/** The advocate referred the person, first then. */
interface Pair {
  advocate: string;
  person: string;
  at: number;
}

/**
 * What advocates brought.
 *
 * - A referral is the first touchpoint of a person that names somebody else as the advocate, of any kind, not voided.
 *   The report is of referrals in the range; what followed counts until now. Several advocates of one person are
 *   each credited in full.
 * - Who turned out to be the very person they referred is no advocate; who was erased is not known to have been one.
 * - Second-order people are those whom the referred referred in turn, at or after their own referral. The advocate is
 *   none of them, nor is anybody whom the advocate ever referred.
 * - Retracted conversions never happened; of a goal that counts once only the first counts.
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
