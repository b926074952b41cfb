import fc from 'fast-check';
import { expect, test } from 'vitest';
import { needWorld, runs } from '../support/api.ts';
import { apply, beginHistory, beginning, change, type Lived } from './credit-history.ts';
import { askedOf, type Check, check, ERAS, QUESTIONS, ZONES } from './credit-questions.ts';
import {
  bothAnswers,
  differingGroups,
  inWorkspace,
  keep,
  questionOf,
  type Settings,
  settle,
  settlerIn,
  settleSteps,
  stoppedAfter,
  wrongAnswers,
} from './kept-credit.ts';

/** Reports from sums by day equal the same reports from rows, in every snapshot, whatever happened (ADR 31). */

needWorld();

/** `CREDIT_RUNS=500` for a longer look. */
const RUNS = Number(process.env.CREDIT_RUNS ?? runs(3));

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

const settingsOf = ({ workspace, timezone }: Lived): Settings => ({
  id: workspace.id,
  timezone,
  currency: 'EUR',
});

const reportOf = (lived: Lived, one: Check) =>
  questionOf(settingsOf(lived), askedOf(one, lived.era, lived.timezone));

const whole = (question: number): Check => ({
  question,
  range: 'whole',
  interval: null,
  currency: 'EUR',
  limit: 1000,
});

async function settleSome(lived: Lived, one: Settling): Promise<void> {
  const { workspace } = lived;
  if (one.kind === 'another question') await keep(reportOf(lived, whole(one.question)));
  if (one.kind === 'all') await settle(workspace);
  if (one.kind === 'steps') await settleSteps(workspace, one.steps);
  if (one.kind === 'two settlers') await Promise.all([settleSteps(workspace, 6), settleSteps(workspace, 6)]);
  if (one.kind === 'stopped') await stop(lived, one.statements);
}

/** A step that has something to compute is stopped in the middle. */
async function stop({ workspace }: Lived, statements: number): Promise<void> {
  let isStopped = false;
  const [usual, stopped] = [inWorkspace(workspace), stoppedAfter(workspace, statements)];
  const settler = settlerIn(workspace, {
    ...usual,
    atomic: (all) => {
      if (all.length <= 3 || isStopped) return usual.atomic(all);
      isStopped = true;
      return stopped.atomic(all);
    },
  });
  for (let done = 0; done < 5 && !isStopped; done++) await settler.step().catch(() => false);
}

async function holds(lived: Lived, checks: readonly Check[], when: unknown): Promise<void> {
  const wrong = await wrongAnswers(checks.map((one) => reportOf(lived, one)));
  expect(wrong, JSON.stringify(when)).toEqual([]);
}

/** Keeps and settles all of the questions: every day of the whole range is then read from its sums. */
async function settles(lived: Lived, asked: readonly number[]): Promise<void> {
  const questions = asked.map((question) => reportOf(lived, whole(question)));
  for (const question of questions) await keep(question);
  await settle(lived.workspace);
  await holds(lived, asked.map(whole), 'settled');
  expect(await differingGroups(lived.workspace, 2)).toBe(0);
  for (const [{ sums }] of await bothAnswers(questions)) {
    expect(sums).toMatchObject({ open: 0, raw: 0 });
    expect(sums?.kept).toBeGreaterThan(14);
  }
}

const asking = fc.uniqueArray(fc.nat(QUESTIONS.length - 1), { minLength: 3, maxLength: 4 });
const known = (asked: readonly number[]) => (one: Check) => ({
  ...one,
  question: asked[one.question % asked.length] ?? 0,
});
const settings = {
  seed: Number(process.env.CREDIT_SEED ?? 20261129),
  // A history takes seconds, so it is not made smaller unless somebody asks.
  endOnFailure: process.env.CREDIT_SHRINK === undefined,
};

test(`${RUNS} random histories, after changes and after settling`, { timeout: 7_200_000 }, async () => {
  const rounds = fc.array(round, { minLength: 4, maxLength: 12, size: 'max' });
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

const WRITERS = 8;
/** Of each writer. */
const CHANGES = 12;

test('eight writers at once, two settlers of which one is stopped again and again, and a reader', {
  timeout: 7_200_000,
}, async () => {
  const changes = fc.array(
    change.filter(({ kind }) => kind !== 'timezone'),
    {
      ...{ minLength: WRITERS * CHANGES, maxLength: WRITERS * CHANGES, size: 'max' },
    },
  );
  const checks = fc.array(check, { minLength: 30, maxLength: 30, size: 'max' });
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
        const queue = all.values();
        let isOver = false;
        const write = async () => {
          for (const one of queue) await apply(lived, one as never);
        };
        const read = async () => {
          for (let i = 0; !isOver; i += 2)
            await holds(
              lived,
              [0, 1].map((n) => known(asked)(compared[(i + n) % 30] ?? whole(0))),
              'meanwhile',
            );
        };
        const work = async () => {
          while (!isOver) {
            await settleSteps(lived.workspace, 20);
            expect(await differingGroups(lived.workspace, 1)).toBe(0);
          }
        };
        const stops = async () => {
          for (let i = 0; !isOver; i++) await stop(lived, 1 + (i % 6));
        };
        const others = [read(), work(), stops()];
        await Promise.all(Array.from({ length: WRITERS }, write)).finally(() => {
          isOver = true;
        });
        await Promise.all(others);
        await settles(lived, asked);
      },
    ),
    { numRuns: Math.ceil(RUNS / 3), ...settings },
  );
});
