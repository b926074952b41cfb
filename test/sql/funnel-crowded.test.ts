import fc from 'fast-check';
import { test } from 'vitest';
import { needWorld, runs } from '../support/api.ts';
import { anyQuestion, compareAll, DAY_MS, filter, type Log, type Question, START } from './funnel-cases.ts';

needWorld();

/** Entities with hundreds of events at a few instants: where work could grow with the product of two of them. */

const instant = fc.integer({ min: 0, max: 7 }).map((days) => START + days * DAY_MS);
const one = { person: fc.constantFrom('a', 'a', 'a', 'b'), account: fc.constantFrom('acme', null) };
const touch = fc.record({
  ...one,
  occurred_at: instant,
  kind: fc.constantFrom('mention', 'reply', 'click', 'other'),
  channel: fc.constantFrom('x', 'email'),
  campaign: fc.constantFrom('spring', 'autumn', null),
  content: fc.integer({ min: 0, max: 60 }).map((n) => (n === 0 ? null : `banner-${n}`)),
});
const conversion = fc.record({
  ...one,
  occurred_at: instant,
  goal: fc.constantFrom('purchase', 'lead'),
  value: fc.constantFrom(10, null),
  retracted: fc.constantFrom(...Array.from({ length: 15 }, (_, i) => i === 0)),
});
const crowdedLog: fc.Arbitrary<Log> = fc.record({
  touches: fc.array(touch, { minLength: 120, maxLength: 200, size: 'max' }),
  conversions: fc.array(conversion, { minLength: 40, maxLength: 60, size: 'max' }),
});

/** Funnels of touchpoints and conversions in every sequence, which hold one of few values, of many, or nothing. */
const crowdedQuestion = fc
  .tuple(
    anyQuestion,
    fc.array(filter, { minLength: 2, maxLength: 5 }),
    fc.constantFrom<string[]>([], ['campaign'], ['content'], ['content']),
    fc.constantFrom(1, 86_400, 2 * 86_400),
  )
  .map(([question, steps, hold, window_seconds]): Question => ({ ...question, steps, hold, window_seconds }));

test('funnels of crowded entities in SQL equal the definition in the domain', {
  timeout: 300_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(crowdedLog, fc.array(crowdedQuestion, { minLength: 16, maxLength: 16 }), compareAll),
    { numRuns: runs(5), seed: 20260711, endOnFailure: true },
  );
});
