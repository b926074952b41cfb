import fc from 'fast-check';
import { test } from 'vitest';
import { needWorld } from '../support/api.ts';
import { apply, beginHistory, beginning, change, type Lived } from './credit-history.ts';
import {
  asking,
  holds,
  known,
  LENGTH,
  RUNS,
  reportOf,
  settings,
  settles,
  stop,
  whole,
} from './credit-holds.ts';
import { check, ERAS, QUESTIONS, ZONES } from './credit-questions.ts';
import { keep, settle, settleSteps } from './kept-credit.ts';

/** Reports from sums by day equal the same reports from rows, in every snapshot, whatever happened (ADR 31). */

needWorld();

/** How much is settled between changes. */
const settling = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'none' as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'all' as const }) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 4 }).map((steps) => ({ kind: 'steps' as const, steps })),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 6 }).map((statements) => ({ kind: 'stopped' as const, statements })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'two settlers' as const }) },
  {
    weight: 1,
    arbitrary: fc
      .nat(QUESTIONS.length - 1)
      .map((question) => ({ kind: 'another question' as const, question })),
  },
);
type Settling = typeof settling extends fc.Arbitrary<infer T> ? T : never;

/** Changes, reports, settling, reports. */
const round = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  settling,
  checks: fc.array(check, { minLength: 4, maxLength: 4 }),
});

async function settleSome(lived: Lived, one: Settling): Promise<void> {
  const { workspace } = lived;
  if (one.kind === 'another question') await keep(reportOf(lived, whole(one.question)));
  if (one.kind === 'all') await settle(workspace);
  if (one.kind === 'steps') await settleSteps(workspace, one.steps);
  if (one.kind === 'two settlers') await Promise.all([settleSteps(workspace, 6), settleSteps(workspace, 6)]);
  if (one.kind === 'stopped') await stop(lived, one.statements);
}

test(`${RUNS} random histories, after changes and after settling`, { timeout: 7_200_000 }, async () => {
  const rounds = fc.array(round, { minLength: 4, maxLength: LENGTH, size: 'max' });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ERAS),
      fc.constantFrom(...ZONES),
      beginning,
      asking,
      rounds,
      async (era, timezone, items, asked, all) => {
        const lived = await beginHistory(era, timezone, items);
        await settles(lived, asked);
        for (const { changes, settling: some, checks } of all) {
          for (const one of changes) await apply(lived, one as never);
          const reports = checks.map(known(asked));
          await holds(lived, reports.slice(2), changes);
          // A question of another zone is another question.
          if (changes.some(({ kind }) => kind === 'timezone')) await settles(lived, asked);
          await settleSome(lived, some);
          await holds(lived, reports.slice(0, 2), { changes, some });
        }
        await settles(lived, asked);
      },
    ),
    { numRuns: RUNS, ...settings },
  );
});
