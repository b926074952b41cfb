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

/** A refund: in full (a retraction), or in part (a restatement, `value` being what is left). */
export interface DemoAdjustment {
  id: string;
  conversion_id: string;
  kind: 'retraction' | 'restatement';
  value?: number;
  occurred_at: string;
}

/** A data set, each list oldest first; the fields are those of the API. */
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

/** What the people of the story do, in the order in which it is made up. */
export interface Story {
  random: Random;
  calendar: StoryCalendar;
  touchpoints: TouchpointDraft[];
  conversions: ConversionDraft[];
  adjustments: AdjustmentDraft[];
  /** Threads so far; numbers the next one. */
  threads: number;
}

/** One person and what the company can know of them by now. */
export interface Life {
  member: Member;
  signedUpAt: number | undefined;
  subscribedAt: number | undefined;
}

export function openStory(random: Random, calendar: StoryCalendar): Story {
  return { random, calendar, touchpoints: [], conversions: [], adjustments: [], threads: 0 };
}

/** Writes a touchpoint down; what would happen after the end of the story is left out. */
export function addTouchpoint(story: Story, draft: TouchpointDraft): void {
  if (isInStory(story, draft.at)) story.touchpoints.push(draft);
}

/** The conversion as written down, or undefined after the end of the story. */
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

/** Orders everything by time and numbers it within its kind: `x-0001`, `order-1001`, `refund-01`. */
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
