import { atDaytime, DAY_MS, HOUR_MS } from './calendar.ts';
import { type Member, NETWORKS, type Network } from './cast.ts';
import { addAdjustment, addConversion, type ConversionDraft, type Life, type Story } from './diary.ts';
import {
  applaud,
  follow,
  meet,
  readNewsletter,
  recommend,
  subscribe,
  talk,
  useTrial,
  visit,
} from './episodes.ts';
import type { Random } from './random.ts';
import { VISIT_ORIGINS, type VisitOrigin } from './website.ts';

interface Plan {
  plan: string;
  value: number;
}

/** Yearly prices in USD, and the relative frequency of each plan. */
const PLANS: [Plan, number][] = [
  [{ plan: 'starter', value: 348 }, 5],
  [{ plan: 'team', value: 1188 }, 4],
  [{ plan: 'business', value: 4788 }, 1],
];

export type Origin = VisitOrigin | Network | 'word_of_mouth';

/** How people first hear of the company. */
export const ORIGINS: [Origin, number][] = [
  ['x', 19],
  ['linkedin', 15],
  ['reddit', 8],
  ['discord', 7],
  ['organic_search', 17],
  ['paid_search', 9],
  ['paid_social', 7],
  ['referral', 5],
  ['ai_assistant', 4],
  ['direct', 4],
  ['word_of_mouth', 5],
];

/** One life: from hearing of the company to losing interest or buying. */
export function liveThrough(story: Story, member: Member, origin: Origin, arrival: number): void {
  const { random, calendar } = story;
  const life: Life = { member, signedUpAt: undefined, subscribedAt: undefined };
  const favourite = NETWORKS.find((network) => network === origin) ?? random.pick(NETWORKS);
  let at = arrive(story, life, origin, arrival);
  const steps = Math.round(member.interest * 9.5);
  for (let step = 0; step < steps; step++) {
    at = atDaytime(at + random.wait(9 - 5 * member.interest, 0.8) * DAY_MS + 12 * HOUR_MS, random);
    if (at >= calendar.until) break;
    if (life.signedUpAt === undefined && step > 0 && random.chance(member.interest * 0.24)) {
      signUp(story, life, at);
      at = decide(story, life, favourite, at);
    } else {
      at = takeStep(story, life, favourite, at);
    }
  }
  readNewsletter(story, life);
}

function arrive(story: Story, life: Life, origin: Origin, at: number): number {
  const network = NETWORKS.find((candidate) => candidate === origin);
  if (network) return talkAndLook(story, life, network, at);
  const visitOrigin = VISIT_ORIGINS.find((candidate) => candidate === origin);
  if (!visitOrigin) recommend(story, life, at - HOUR_MS);
  visit(story, life, at, visitOrigin ?? 'direct');
  return at;
}

/** A thread; people who got a response often visit the website afterwards. */
function talkAndLook(story: Story, life: Life, network: Network, at: number): number {
  const { random } = story;
  const end = talk(story, life, network, at);
  if (!random.chance(end.answered ? 0.6 : 0.2)) return end.at;
  const visitAt = end.at + random.wait(2, 1) * HOUR_MS;
  visit(story, life, visitAt, 'organic_social', network);
  if (random.chance(0.3)) follow(story, life, network, visitAt + HOUR_MS);
  return visitAt;
}

/** One action of a person who is undecided, or already a customer. */
function takeStep(story: Story, life: Life, network: Network, at: number): number {
  const { random } = story;
  const step = random.weighted([
    ['talk', 22],
    ['visit', 34],
    ['subscribe', life.subscribedAt === undefined ? 14 : 0],
    ['follow', 7],
    ['applaud', 16],
    ['talk elsewhere', 7],
  ] as const);
  if (step === 'talk') return talkAndLook(story, life, network, at);
  if (step === 'talk elsewhere') return talkAndLook(story, life, random.pick(NETWORKS), at);
  if (step === 'follow') follow(story, life, network, at);
  if (step === 'applaud') applaud(story, life, network, at);
  if (step === 'subscribe') {
    visit(story, life, at, 'organic_search');
    subscribe(story, life, at + 3 * 60_000);
  }
  if (step === 'visit') visit(story, life, at, returnOrigin(random), network);
  return at;
}

function returnOrigin(random: Random): VisitOrigin {
  return random.weighted([
    ['direct', 26],
    ['organic_search', 30],
    ['paid_search', 12],
    ['paid_social', 8],
    ['organic_social', 16],
    ['referral', 4],
    ['ai_assistant', 4],
  ] as const);
}

/** The free trial: the browser, the address and the account become one person. */
function signUp(story: Story, life: Life, at: number): void {
  const { email, user_id, anonymous_ids } = life.member;
  const anonymous_id = story.random.pick(anonymous_ids);
  life.signedUpAt = at;
  if (story.random.chance(0.5)) subscribe(story, life, at - 60_000);
  addConversion(story, { at, goal: 'signup', person: { email, user_id, anonymous_id } });
}

/** The weeks of the trial, with or without a purchase; returns the end of the trial. */
function decide(story: Story, life: Life, network: Network, signedUpAt: number): number {
  const { random } = story;
  const { plan, value } = random.weighted(PLANS);
  const days = Math.min(random.wait(17, 0.6), 70);
  const during = (share: number) => atDaytime(signedUpAt + (1 + share * days) * DAY_MS, random);
  const sawDemo = plan !== 'starter' && random.chance(0.6);
  if (sawDemo) meet(story, life, 'demo', during(random.between(0.2, 0.5)));
  if (plan === 'business' || random.chance(0.15)) meet(story, life, 'call', during(random.between(0.5, 0.9)));
  for (let use = random.integer(0, 3); use >= 0; use--) useTrial(story, life, during(random.next()));
  if (random.chance(0.5)) visit(story, life, during(random.next()), returnOrigin(random), network);
  if (random.chance(0.3)) talk(story, life, random.chance(0.4) ? 'discord' : network, during(random.next()));
  const boughtAt = during(1) + HOUR_MS;
  const odds = 0.14 + 0.32 * life.member.interest + (sawDemo ? 0.15 : 0);
  if (random.chance(odds)) buy(story, life.member, boughtAt, { plan, value });
  return boughtAt;
}

function buy(
  story: Story,
  member: Member,
  at: number,
  { plan, value }: { plan: string; value: number },
): void {
  const { random } = story;
  const person = { email: member.email, user_id: member.user_id };
  const order = { goal: 'purchase', person, currency: 'USD' };
  const bought = addConversion(story, { at, ...order, value, properties: { plan } });
  if (bought && random.chance(0.085)) refund(story, bought, value);
  if (random.chance(0.12)) {
    const moreAt = atDaytime(at + random.between(30, 120) * DAY_MS, random);
    addConversion(story, {
      at: moreAt,
      ...order,
      value: value / 2,
      properties: { plan, order: 'more seats' },
    });
  }
}

function refund(story: Story, conversion: ConversionDraft, value: number): void {
  const { random } = story;
  const at = atDaytime(conversion.at + random.between(3, 25) * DAY_MS, random);
  if (random.chance(0.6)) addAdjustment(story, { at, conversion, kind: 'retraction' });
  else
    addAdjustment(story, { at, conversion, kind: 'restatement', value: Math.round(value * 0.5 * 100) / 100 });
}

/** A person whom a reseller signed up; sometimes the reseller also sends the order. */
export function comeThroughPartner(story: Story, member: Member, at: number): void {
  const { random } = story;
  const { email, user_id } = member;
  addConversion(story, { at, goal: 'signup', person: { email, user_id } });
  if (random.chance(0.45))
    buy(story, member, atDaytime(at + random.between(2, 30) * DAY_MS, random), random.weighted(PLANS));
}
