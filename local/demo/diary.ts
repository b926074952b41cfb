import type * as z from 'zod';
import type { ConversionInput } from '../../src/conversions/conversion-schema.ts';
import type { GoalInput } from '../../src/goals/goal-schema.ts';
import type { TouchpointInput } from '../../src/touchpoints/touchpoint-schema.ts';
import type { StoryCalendar } from './calendar.ts';
import type { Member } from './cast.ts';
import type { Random } from './random.ts';

export type DemoGoal = z.input<typeof GoalInput> & { key: string };
export type DemoTouchpoint = z.input<typeof TouchpointInput> & { id: string; occurred_at: string };
export type DemoConversion = z.input<typeof ConversionInput> & { id: string; occurred_at: string };

/** A refund: in full (a retraction), or in part (a restatement, where `value` is the rest). */
export interface DemoAdjustment {
  id: string;
  conversion_id: string;
  kind: 'retraction' | 'restatement';
  value?: number;
  occurred_at: string;
}

/** A data set, each list oldest first, with the fields of the API. */
export interface DemoData {
  goals: DemoGoal[];
  touchpoints: DemoTouchpoint[];
  conversions: DemoConversion[];
  adjustments: DemoAdjustment[];
}

type WithoutId<T> = Omit<T, 'id' | 'occurred_at'> & { at: number };
export type TouchpointDraft = WithoutId<DemoTouchpoint>;
export type ConversionDraft = WithoutId<DemoConversion>;
export interface AdjustmentDraft extends Pick<DemoAdjustment, 'kind' | 'value'> {
  at: number;
  conversion: ConversionDraft;
}

/** The actions of the people of the story, in the order in which they are generated. */
export interface Story {
  random: Random;
  calendar: StoryCalendar;
  touchpoints: TouchpointDraft[];
  conversions: ConversionDraft[];
  adjustments: AdjustmentDraft[];
  /** The number of threads so far. */
  threads: number;
}

/** One person, with the identities that the company knows so far. */
export interface Life {
  member: Member;
  signedUpAt: number | undefined;
  subscribedAt: number | undefined;
}

export function openStory(random: Random, calendar: StoryCalendar): Story {
  return { random, calendar, touchpoints: [], conversions: [], adjustments: [], threads: 0 };
}

/** Adds a touchpoint, unless it is after the end of the story. */
export function addTouchpoint(story: Story, draft: TouchpointDraft): void {
  if (isInStory(story, draft.at)) story.touchpoints.push(draft);
}

/** Adds a conversion and returns it; undefined after the end of the story. */
export function addConversion(story: Story, draft: ConversionDraft): ConversionDraft | undefined {
  if (!isInStory(story, draft.at)) return undefined;
  story.conversions.push(draft);
  return draft;
}

export function addAdjustment(story: Story, draft: AdjustmentDraft): void {
  if (isInStory(story, draft.at)) story.adjustments.push(draft);
}

function isInStory({ calendar }: Story, at: number): boolean {
  return at >= calendar.from && at < calendar.until;
}

/** Sorts everything by time and numbers it within its kind: `x-0001`, `order-1001`, `refund-01`. */
export function closeStory(story: Story, goals: DemoGoal[]): DemoData {
  const touchpoints = numbered(story.touchpoints, ({ channel, source, kind }) => [
    channel ?? mailOrWeb(source, kind),
    1,
    4,
  ]);
  const conversions = numbered(story.conversions, ({ goal }) =>
    goal === 'purchase' ? ['order', 1001, 4] : [goal, 1, 4],
  );
  const adjustments = numbered(story.adjustments, () => ['refund', 1, 2]);
  const ids = new Map(conversions.map(({ id, draft }) => [draft, id]));
  return {
    goals,
    touchpoints: touchpoints.map(dated),
    conversions: conversions.map(dated),
    adjustments: adjustments.map((entry) => {
      const { conversion, ...adjustment } = dated(entry);
      return { ...adjustment, conversion_id: ids.get(conversion) ?? '' };
    }),
  };
}

function mailOrWeb(source: string | null | undefined, kind: string): string {
  return source === 'newsletter' ? 'mail' : kind === 'event' ? 'app' : 'web';
}

interface Numbered<T> {
  id: string;
  draft: T;
}

function numbered<T extends { at: number }>(
  drafts: readonly T[],
  series: (draft: T) => [prefix: string, first: number, digits: number],
): Numbered<T>[] {
  const counts = new Map<string, number>();
  return drafts
    .toSorted((a, b) => a.at - b.at)
    .map((draft) => {
      const [prefix, first, digits] = series(draft);
      const number = counts.get(prefix) ?? first;
      counts.set(prefix, number + 1);
      return { id: `${prefix}-${String(number).padStart(digits, '0')}`, draft };
    });
}

function dated<T extends { at: number }>({ id, draft }: Numbered<T>) {
  const { at, ...fields } = draft;
  return { id, occurred_at: new Date(at).toISOString(), ...fields };
}
