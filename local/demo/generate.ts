import { arrivalIn, atDaytime, DAY_MS, type StoryCalendar, storyCalendar } from './calendar.ts';
import { castMember } from './cast.ts';
import { closeStory, type DemoData, type DemoGoal, openStory } from './diary.ts';
import { comeThroughPartner, liveThrough, ORIGINS } from './lives.ts';
import { type Random, randomFrom } from './random.ts';

/** The inputs of a data set: the same inputs give the same data set. */
export interface DemoSettings {
  /** Any whole number. */
  seed: number;
  /** The end of the story, a midnight in UTC; it begins 365 days before. */
  until: Date;
}

const PEOPLE = 1_360;
/** People who arrive on Reddit in the wild week, in addition to the others. */
const WILD_WEEK_PEOPLE = 110;
/** People who buy through a partner: the company has no touchpoint with them. */
const PARTNER_PEOPLE = 24;

const GOALS: DemoGoal[] = [
  { key: 'follow', name: 'Follows us', kind: 'cultivation', match: { touchpoints: [{ kind: ['follow'] }] } },
  {
    key: 'newsletter',
    name: 'Reads the newsletter',
    kind: 'cultivation',
    counting: 'once',
    match: { touchpoints: [{ kind: ['subscribe'] }] },
  },
  {
    key: 'demo',
    name: 'Saw a demo',
    kind: 'conversion',
    stage: 'consideration',
    match: { touchpoints: [{ kind: ['demo'] }] },
  },
  {
    key: 'signup',
    name: 'Signed up for the free trial',
    kind: 'conversion',
    stage: 'trial',
    counting: 'once',
  },
  { key: 'purchase', name: 'Bought a plan', kind: 'conversion', stage: 'purchase', lookback_days: 90 },
];

/**
 * A year of an invented company, Larkhollow, which sells route planning to delivery companies: threads, a newsletter,
 * visits, demos, sign-ups, purchases and refunds of about 1,500 invented people.
 */
export function generateDemo({ seed, until }: DemoSettings): DemoData {
  const random = randomFrom(seed);
  const calendar = storyCalendar(until);
  const story = openStory(random, calendar);
  for (let index = 0; index < PEOPLE; index++) {
    liveThrough(story, castMember(index, random), random.weighted(ORIGINS), arrivalIn(calendar, random));
  }
  for (let index = 0; index < WILD_WEEK_PEOPLE; index++) {
    liveThrough(story, castMember(PEOPLE + index, random), 'reddit', wildArrival(calendar, random));
  }
  for (let index = 0; index < PARTNER_PEOPLE; index++) {
    const member = castMember(PEOPLE + WILD_WEEK_PEOPLE + index, random);
    comeThroughPartner(story, member, arrivalIn(calendar, random));
  }
  return closeStory(story, GOALS);
}

/** Most of these times are in the first two days of the week. */
function wildArrival({ wildWeekAt }: StoryCalendar, random: Random): number {
  return atDaytime(wildWeekAt + Math.min(Math.floor(random.wait(1.2, 0.9)), 6) * DAY_MS, random);
}
