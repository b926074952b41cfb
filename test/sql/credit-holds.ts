import fc from 'fast-check';
import { expect } from 'vitest';
import { runs } from '../support/api.ts';
import type { Lived } from './credit-history.ts';
import { askedOf, type Check, QUESTIONS } from './credit-questions.ts';
import {
  bothAnswers,
  differingGroups,
  inWorkspace,
  keep,
  questionOf,
  type Settings,
  settle,
  settlerIn,
  stoppedAfter,
  wrongAnswers,
} from './kept-credit.ts';

/** What has to hold of a workspace that lives through a history. */

/** `CREDIT_RUNS=200` for a longer look, at histories that are twice as long. */
const { CREDIT_RUNS } = process.env;
export const RUNS = Number(CREDIT_RUNS ?? runs(4));
export const LENGTH = CREDIT_RUNS === undefined ? 6 : 12;

export const settingsOf = ({ workspace, timezone }: Lived): Settings => ({
  id: workspace.id,
  timezone,
  currency: 'EUR',
});

export const reportOf = (lived: Lived, one: Check) =>
  questionOf(settingsOf(lived), askedOf(one, lived.era, lived.timezone));

export const whole = (question: number): Check => ({
  question,
  range: 'whole',
  interval: null,
  currency: 'EUR',
  limit: 1000,
});

/** A step that has something to compute is stopped in the middle. */
export async function stop({ workspace }: Lived, statements: number): Promise<void> {
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

export async function holds(lived: Lived, checks: readonly Check[], when: unknown): Promise<void> {
  const wrong = await wrongAnswers(checks.map((one) => reportOf(lived, one)));
  expect(wrong, JSON.stringify(when)).toEqual([]);
}

/** Keeps and settles all of the questions: every day of the whole range is then read from its sums. */
export async function settles(lived: Lived, asked: readonly number[]): Promise<void> {
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

export const asking = fc.uniqueArray(fc.nat(QUESTIONS.length - 1), { minLength: 3, maxLength: 4 });
export const known = (asked: readonly number[]) => (one: Check) => ({
  ...one,
  question: asked[one.question % asked.length] ?? 0,
});
export const settings = {
  seed: Number(process.env.CREDIT_SEED ?? 20261129),
  // A history takes seconds, so it is not made smaller unless somebody asks.
  endOnFailure: process.env.CREDIT_SHRINK === undefined,
};
