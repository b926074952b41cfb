import fc from 'fast-check';
import { test } from 'vitest';
import type { EventFilter } from '../../src/domain/funnel.ts';
import { needWorld, runs } from '../support/api.ts';
import {
  anyQuestion,
  compareAll,
  GOALS,
  instant,
  type Log,
  log,
  type Question,
  touch,
} from './funnel-cases.ts';

needWorld();

const RUNS = runs(14);
const FUNNELS_PER_LOG = 12;

/** Logs in which exclusions and holds matter most: few kinds, and exclusions of the kinds of the steps. */
const kinds = fc.subarray(['mention', 'reply', 'other'], { minLength: 1, maxLength: 2 });
const ofKinds = kinds.map((kind): EventFilter => ({ touchpoint: { kind } }));
const narrowTouch = touch.map((sample) => ({
  ...sample,
  person: sample.person === 'c' ? 'b' : 'a',
  kind: sample.kind === 'click' ? 'mention' : sample.kind,
}));
const narrowQuestion = fc
  .tuple(anyQuestion, fc.array(ofKinds, { minLength: 3, maxLength: 4 }))
  .chain(([question, steps]) =>
    fc
      .array(
        fc.record({
          filter: kinds.map((kind): EventFilter => ({ touchpoint: { kind, campaign: ['spring'] } })),
          after_step: fc.constantFrom<number | undefined>(undefined, 1, 2),
          before_step: fc.constantFrom<number | undefined>(undefined, 2, 3, 4),
        }),
        { minLength: 1, maxLength: 2 },
      )
      .map((exclude) => ({
        ...question,
        steps,
        exclude,
        order: question.order === 'any' ? ('any' as const) : ('ordered' as const),
        hold: question.hold.length > 1 ? ['channel'] : [],
        window_seconds: 2 * 86_400,
      })),
  );
const narrowLog = fc.record({
  touches: fc.array(narrowTouch, { minLength: 20, maxLength: 40, size: 'max' }),
  conversions: fc.constant([] as Log['conversions']),
});

/** Held values with conversions between the touchpoints, of many people, and exclusions between some of the steps. */
const heldLog: fc.Arbitrary<Log> = fc.record({
  touches: fc.array(
    fc.record({
      person: fc.integer({ min: 1, max: 8 }).map((n) => `p${n}`),
      account: fc.constant(null),
      occurred_at: instant,
      kind: fc.constantFrom('mention', 'mention', 'mention', 'reply', 'other'),
      channel: fc.constantFrom('x', 'x', 'email'),
      campaign: fc.constantFrom('spring', 'spring', null),
    }),
    { minLength: 60, maxLength: 90, size: 'max' },
  ),
  conversions: fc.array(
    fc.record({
      person: fc.integer({ min: 1, max: 8 }).map((n) => `p${n}`),
      account: fc.constant(null),
      occurred_at: instant,
      goal: fc.constantFrom(...GOALS),
      value: fc.constantFrom(10, 25),
      retracted: fc.constant(false),
    }),
    { minLength: 40, maxLength: 60, size: 'max' },
  ),
});
const mention: EventFilter = { touchpoint: { kind: ['mention'] } };
const sold: EventFilter = { conversion: { goal: ['purchase'] } };
const excludedEvent: EventFilter[] = [
  { touchpoint: { kind: ['other'] } },
  { touchpoint: { kind: ['reply'] } },
  { conversion: { goal: ['lead'] } },
];
const heldQuestion = fc
  .tuple(
    anyQuestion,
    fc.constantFrom<EventFilter[]>(
      [mention, sold, mention],
      [mention, mention, sold, mention],
      [mention, sold, sold, mention],
      [mention, sold, sold, mention, sold],
    ),
    fc.constantFrom<string[]>(['channel'], ['campaign', 'channel']),
    fc.array(
      fc.record({
        filter: fc.constantFrom(...excludedEvent),
        after_step: fc.constantFrom(1, 2, 3),
        before_step: fc.constantFrom<number | undefined>(undefined, 2, 3, 4),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  )
  .map(
    ([question, steps, hold, exclude]): Question => ({
      ...question,
      steps,
      hold,
      exclude,
      order: 'ordered',
      scope: 'person',
      window_seconds: Math.max(question.window_seconds, 2 * 86_400),
    }),
  );

/** Some entities with so many events that they are not joined, and some with few. */
const busyQuestion = fc.tuple(anyQuestion, fc.array(ofKinds, { minLength: 2, maxLength: 4 })).map(
  ([question, steps]): Question => ({
    ...question,
    steps,
    order: 'ordered',
    count: 'people',
    hold: [],
    exclude: [],
  }),
);
const busyLog = fc.record({
  touches: fc.array(narrowTouch, { minLength: 60, maxLength: 100, size: 'max' }),
  conversions: fc.constant([] as Log['conversions']),
});

for (const [name, logs, questions] of [
  ['of every kind', log, anyQuestion],
  ['full of exclusions', narrowLog, narrowQuestion],
  ['of held values', heldLog, heldQuestion],
  ['of busy people', busyLog, busyQuestion],
] as const) {
  test(`funnels ${name} in SQL equal the definition in the domain on random logs with many ties`, {
    timeout: 300_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        logs,
        fc.array(questions, { minLength: FUNNELS_PER_LOG, maxLength: FUNNELS_PER_LOG }),
        compareAll,
      ),
      { numRuns: RUNS, seed: 20260404, endOnFailure: true },
    );
  });
}
