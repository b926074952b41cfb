import {
  campaignAt,
  DAY_MS,
  HOUR_MS,
  inOfficeHours,
  isWildWeek,
  MINUTE_MS,
  nextNewsletter,
} from './calendar.ts';
import type { Network } from './cast.ts';
import { addTouchpoint, type Life, type Story } from './diary.ts';
import type { Random } from './random.ts';
import { pageOf, type VisitOrigin } from './website.ts';

/** Topics that people write about, with their average sentiment. */
const TOPICS = [
  ['pricing', 0.05],
  ['route quality', 0.5],
  ['driver app', 0.35],
  ['integrations', 0.15],
  ['comparison', 0.1],
  ['feature request', 0],
  ['outage', -0.6],
] as const;

type Kind = 'mention' | 'comment' | 'message' | 'reply';
type Identities = Record<string, string>;

const WILD_THREAD = 'reddit-thread-we-cut-31-percent-of-our-miles';

/** How the team responds on each network. Minutes to a response: the median within office hours. */
const CARE = {
  x: { kind: 'mention', answered: 0.85, minutes: 35 },
  linkedin: { kind: 'comment', answered: 0.8, minutes: 150 },
  reddit: { kind: 'comment', answered: 0.6, minutes: 260 },
  discord: { kind: 'message', answered: 0.92, minutes: 20 },
} as const;

/** The result of a thread: its last message, and whether it got a response. */
export interface ThreadEnd {
  at: number;
  answered: boolean;
}

/** A thread: the person writes, the company may respond, and sometimes the person continues. */
export function talk(story: Story, life: Life, network: Network, at: number): ThreadEnd {
  const { random, calendar } = story;
  const { email, handles, interest } = life.member;
  const care = CARE[network];
  const isWild = network === 'reddit' && isWildWeek(calendar, at);
  const thread = openThread(story, network, isWild);
  const handle = { [network]: handles[network] };
  const theySay = (when: number, kind: Kind, person: Identities) => {
    const sentiment = feeling(random, thread.mood);
    addTouchpoint(story, { at: when, person, kind, direction: 'inbound', ...thread.fields, sentiment });
  };
  const weSay = (when: number) =>
    addTouchpoint(story, {
      at: when,
      person: handle,
      kind: 'reply',
      direction: 'outbound',
      ...thread.fields,
    });
  theySay(at, care.kind, handle);
  // The team cannot keep up during the wild week.
  const [odds, slower] = isWild ? [0.25, 3] : [care.answered, 1];
  if (!random.chance(odds)) return { at, answered: false };
  let last = inOfficeHours(at + random.wait(care.minutes * slower, 1) * MINUTE_MS, random);
  weSay(last);
  for (let turn = 0; turn < 2 && random.chance(0.2 + interest * 0.3); turn++) {
    last += random.wait(90, 1) * MINUTE_MS;
    // The e-mail address links a handle to a customer.
    theySay(last, 'reply', random.chance(interest * 0.5) ? { ...handle, email } : handle);
    last = inOfficeHours(last + random.wait(care.minutes, 0.8) * MINUTE_MS, random);
    weSay(last);
  }
  return { at: last, answered: true };
}

function openThread(story: Story, network: Network, isWild: boolean) {
  story.threads += 1;
  const id = isWild ? WILD_THREAD : `${network}-thread-${story.threads}`;
  const [topic, mood] = isWild ? (['route quality', 0.6] as const) : story.random.pick(TOPICS);
  return { mood, fields: { ...on(network), conversation: { id, topic } } };
}

function on(network: Network) {
  return { channel: network, source: `${network}.com`, medium: 'social' };
}

function feeling(random: Random, mood: number): number {
  return Math.round(Math.min(Math.max(random.normal(mood, 0.25), -1), 1) * 100) / 100;
}

/** A visit to the website, whose channel the API derives. `via`: the network of the clicked link. */
export function visit(story: Story, life: Life, at: number, origin: VisitOrigin, via: Network = 'x'): void {
  const { random, calendar } = story;
  const page = pageOf(origin, { random, via, campaign: campaignAt(calendar, at) });
  const browser = browserOf(story, life, at);
  // Links that the team posts in a thread contain a reference to the person they were posted for.
  const isTracked = origin === 'organic_social' && random.chance(0.6);
  const person = isTracked ? { ...browser, [via]: life.member.handles[via] } : browser;
  addTouchpoint(story, { at, person, kind: 'visit', direction: 'inbound', ...page });
  if (random.chance(0.3)) {
    const url = 'https://larkhollow.example/pricing';
    const viewAt = at + random.integer(20, 400) * 1000;
    addTouchpoint(story, { at: viewAt, person: browser, kind: 'view', url, stage: 'consideration' });
  }
}

/** The identities that a browser sends, including the account while the person is logged in. */
function browserOf({ random }: Story, { member, signedUpAt }: Life, at: number): Record<string, string> {
  const anonymous_id = random.pick(member.anonymous_ids);
  const isLoggedIn = signedUpAt !== undefined && at > signedUpAt && random.chance(0.6);
  return isLoggedIn ? { anonymous_id, user_id: member.user_id } : { anonymous_id };
}

export function follow(story: Story, life: Life, network: Network, at: number): void {
  const person = { [network]: life.member.handles[network] };
  addTouchpoint(story, { at, person, kind: 'follow', direction: 'inbound', ...on(network) });
}

export function applaud(story: Story, life: Life, network: Network, at: number): void {
  const person = { [network]: life.member.handles[network] };
  const kind = story.random.chance(0.8) ? 'like' : 'share';
  addTouchpoint(story, { at, person, kind, direction: 'inbound', ...on(network) });
}

/** A form on the website: from then on the browser and the address are one person. */
export function subscribe(story: Story, life: Life, at: number): void {
  if (life.subscribedAt !== undefined) return;
  life.subscribedAt = at;
  const { email, anonymous_ids } = life.member;
  const person = { email, anonymous_id: story.random.pick(anonymous_ids) };
  const where = { source: 'newsletter', medium: 'email', url: 'https://larkhollow.example/newsletter' };
  addTouchpoint(story, { at, person, kind: 'subscribe', direction: 'inbound', ...where });
}

/** The weekly newsletter, from the subscription until the person loses interest. */
export function readNewsletter(story: Story, life: Life): void {
  const { random, calendar } = story;
  const { email, interest } = life.member;
  let readiness = 0.22 + 0.3 * interest;
  let sentAt = life.subscribedAt === undefined ? calendar.until : nextNewsletter(life.subscribedAt);
  while (sentAt < calendar.until && readiness > 0.08) {
    const issue = Math.floor((sentAt - calendar.from) / (7 * DAY_MS)) + 1;
    const letter = { source: 'newsletter', medium: 'email', campaign: `issue-${issue}`, person: { email } };
    if (random.chance(readiness)) {
      const openedAt = sentAt + Math.min(random.wait(5, 1.3), 140) * HOUR_MS;
      addTouchpoint(story, { at: openedAt, kind: 'email_open', direction: 'outbound', ...letter });
      if (random.chance(0.15)) {
        const clickedAt = openedAt + random.integer(10, 200) * 1000;
        addTouchpoint(story, { at: clickedAt, kind: 'email_click', direction: 'inbound', ...letter });
      }
    }
    readiness *= 0.955;
    sentAt += 7 * DAY_MS;
  }
}

/** A demo of half an hour, or a call; both take place in office hours and are logged under the address. */
export function meet(story: Story, life: Life, kind: 'demo' | 'call', at: number): void {
  const person = { email: life.member.email };
  const direction = kind === 'call' ? 'outbound' : 'inbound';
  const when = inOfficeHours(at, story.random);
  addTouchpoint(story, { at: when, person, kind, channel: kind, direction, stage: 'consideration' });
}

/** A customer recommended the product. */
export function recommend(story: Story, life: Life, at: number): void {
  const person = { email: life.member.email };
  const where = { channel: 'word_of_mouth', source: 'customer', medium: 'recommendation' };
  addTouchpoint(story, { at, person, kind: 'referral', direction: 'inbound', ...where });
}

export function useTrial(story: Story, life: Life, at: number): void {
  const person = { user_id: life.member.user_id };
  addTouchpoint(story, { at, person, kind: 'event', stage: 'trial', properties: { name: 'route planned' } });
}
