import fc from 'fast-check';
import { expect, test } from 'vitest';
import { needWorld, world } from '../support/api.ts';
import { apply, beginHistory, beginning, change, type Lived } from './credit-history.ts';
import { asking, holds, known, RUNS, settings, settles, stop, whole } from './credit-holds.ts';
import { type Check, check, ERAS, ZONES } from './credit-questions.ts';
import { differingGroups, settleSteps } from './kept-credit.ts';
import { peopleOf, slowWrite, writeSlowly } from './slow-writers.ts';

/** Writers at once, while settling goes on and reports are read (ADR 31). */

needWorld();

const WRITERS = 8;

/** Settling and reports that go on until the writers are done. */
async function meanwhile(
  lived: Lived,
  reports: readonly Check[],
  writers: readonly Promise<void>[],
): Promise<void> {
  let isOver = false;
  const read = async () => {
    for (let i = 0; !isOver; i += 2)
      await holds(
        lived,
        [0, 1].map((n) => reports[(i + n) % reports.length] ?? whole(0)),
        'meanwhile',
      );
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
  await Promise.all([written, read(), settling(), stopping()]);
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
    12,
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
        await meanwhile(
          lived,
          compared.map(known(asked)),
          writing(all, (one) => apply(lived, one as never)),
        );
        await settles(lived, asked);
      },
    ),
    { numRuns: Math.ceil(RUNS / 3), ...settings },
  );
});

test.skipIf(world.database !== 'postgres')(
  'eight writers whose transactions stay open for up to half a second',
  {
    timeout: 7_200_000,
  },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        beginning,
        asking,
        ofEach(slowWrite, 6),
        checks,
        async (items, asked, all, compared) => {
          const lived = await beginHistory(ERAS[0] ?? '', 'UTC', items);
          const people = await peopleOf(lived);
          await settles(lived, asked);
          await meanwhile(
            lived,
            compared.map(known(asked)),
            writing(all, (one) => writeSlowly(lived, people, one)),
          );
          await settles(lived, asked);
        },
      ),
      { numRuns: Math.ceil(RUNS / 3), ...settings },
    );
  },
);
