import fc from 'fast-check';
import { expect, test } from 'vitest';
import { needWorld, world } from '../support/api.ts';
import { apply, beginHistory, beginning, change, type Lived } from './credit-history.ts';
import { asking, holds, known, LENGTH, RUNS, settings, settingsOf, settles, stop } from './credit-holds.ts';
import { check, ERAS, instantOf, ZONES } from './credit-questions.ts';
import { differingGroups, keep, questionOf, settle, settleSteps, wrongAnswers } from './kept-credit.ts';
import { peopleOf, SLOW_DAYS, slowWrite, writeSlowly } from './slow-writers.ts';

/** Writers at once, while settling goes on and reports are read (ADR 31). */

needWorld();

const WRITERS = 8;

/** Settling and reports that go on until the writers are done. */
async function meanwhile(
  lived: Lived,
  read: (i: number) => Promise<void>,
  writers: readonly Promise<void>[],
): Promise<void> {
  let isOver = false;
  const reading = async () => {
    for (let i = 0; !isOver; i++) await read(i);
  };
  const settling = async () => {
    while (!isOver) {
      await settleSteps(lived.workspace, 20);
      expect(await differingGroups(lived.workspace, 1)).toBe(0);
    }
  };
  const stopping = async () => {
    for (let i = 0; !isOver; i++) await stop(lived, 1 + (i % 6));
  };
  const written = Promise.all(writers).finally(() => {
    isOver = true;
  });
  await Promise.all([written, reading(), settling(), stopping()]);
}

const checks = fc.array(check, { minLength: 30, maxLength: 30, size: 'max' });
const ofEach = <T>(one: fc.Arbitrary<T>, count: number) =>
  fc.array(one, { minLength: WRITERS * count, maxLength: WRITERS * count, size: 'max' });
/** Each takes the next one, until none is left. */
const writing = <T>(all: readonly T[], write: (one: T) => Promise<unknown>) => {
  const queue = all.values();
  return Array.from({ length: WRITERS }, async () => {
    for (const one of queue) await write(one);
  });
};

test('eight writers at once, two settlers of which one is stopped again and again, and a reader', {
  timeout: 7_200_000,
}, async () => {
  const changes = ofEach(
    change.filter(({ kind }) => kind !== 'timezone'),
    LENGTH,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ERAS),
      fc.constantFrom(...ZONES),
      beginning,
      asking,
      changes,
      checks,
      async (era, timezone, items, asked, all, compared) => {
        const lived = await beginHistory(era, timezone, items);
        await settles(lived, asked);
        const reports = compared.map(known(asked));
        const read = (i: number) =>
          holds(lived, reports.slice((2 * i) % 30, ((2 * i) % 30) + 2), 'meanwhile');
        await meanwhile(
          lived,
          read,
          writing(all, (one) => apply(lived, one as never)),
        );
        await settles(lived, asked);
      },
    ),
    { numRuns: Math.ceil(RUNS / 3), ...settings },
  );
});

test.skipIf(world.database !== 'postgres')(
  'eight writers whose transactions stay open for up to 0.6 seconds',
  {
    timeout: 7_200_000,
  },
  async () => {
    const items = { touches: [], conversions: [] };
    const era = ERAS[0] ?? '';
    const range = { from: instantOf(era, SLOW_DAYS.first, 'UTC'), to: instantOf(era, SLOW_DAYS.last, 'UTC') };
    await fc.assert(
      fc.asyncProperty(ofEach(slowWrite, LENGTH), async (all) => {
        const lived = await beginHistory(era, 'UTC', items);
        const people = await peopleOf(lived);
        const asked = [{}, { goals: ['purchase', 'lead'], group_by: ['kind', 'channel'] as const }];
        const questions = asked.map((one) => questionOf(settingsOf(lived), { ...one, ...range }));
        const holding = async (when: string) => expect(await wrongAnswers(questions), when).toEqual([]);
        for (const question of questions) await keep(question);
        await settle(lived.workspace);
        await meanwhile(
          lived,
          () => holding('meanwhile'),
          writing(all, (one) => writeSlowly(lived, people, one)),
        );
        await settle(lived.workspace);
        await holding('settled');
      }),
      { numRuns: Math.ceil(RUNS / 3), ...settings },
    );
  },
);
