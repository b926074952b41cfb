import { expect } from 'vitest';
import type { AttributionQuestion } from '../../src/attribution/attribution-sql.ts';
import { DAY_MS } from '../../src/domain/time.ts';
import type { ChosenSums } from '../../src/stats/kept/chosen-sums.ts';
import { beginSettling } from '../../src/stats/kept/settle-credit-sql.ts';
import { TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { bothAnswers, keep, keptOf, questionOf, settle, wrongAnswers } from './kept-credit.ts';
import { type OpenSession, openSession } from './open-session.ts';

/** A workspace with one person, whose sums of 31 days are settled. Days of late, because all up to today are settled. */

export const RULES = { question_id: null, min_age_seconds: 0 };

const START_MS = Math.floor(Date.now() / DAY_MS - 40) * DAY_MS;
const DAYS = 31;
/** Noon of a day, counted from 1. */
export const at = (day: number) => new Date(START_MS + (day - 0.5) * DAY_MS).toISOString();
const dateOf = (day: number) => at(day).slice(0, 10);
export const person = { user_id: 'u' };
export const touch = (id: string, day: number, channel = 'x') => ({
  ...{ id, kind: 'mention', channel, person, occurred_at: at(day) },
});
export const sale = (id: string, day: number) => ({
  id,
  goal: 'purchase',
  person,
  value: 10,
  occurred_at: at(day),
});

export interface Shop {
  workspace: TestWorkspace;
  question: AttributionQuestion;
  personId: string;
}

/** The credit of all days. */
export const questionIn = ({ id }: { id: string }): AttributionQuestion =>
  questionOf(
    { id, timezone: 'UTC', currency: 'EUR' },
    { from: `${dateOf(1)}T00:00:00Z`, to: `${dateOf(DAYS + 1)}T00:00:00Z` },
  );

/** A touchpoint on day 2 and a purchase on day 10, whose sums are settled. */
export async function openShop(): Promise<Shop> {
  const workspace = await TestWorkspace.make({ currency: 'EUR', timezone: 'UTC' });
  await workspace.goal('purchase');
  await workspace.load('touchpoints', [touch('t2', 2)]);
  await workspace.load('conversions', [sale('c10', 10)]);
  const question = questionIn(workspace);
  await keep(question);
  await settle(workspace);
  const { body } = await workspace.post('/v1/people/lookup', { person });
  return { workspace, question, personId: body.id };
}

export const addTouch = (session: OpenSession, { workspace, personId }: Shop, id: string, day: number) =>
  session.run(
    `insert into touchpoints (workspace_id, id, person_id, occurred_at, kind, channel) values ($1, $2, $3, $4, 'mention', 'email')`,
    ...[workspace.id, id, personId, at(day)],
  );

export const addSale = (session: OpenSession, { workspace, personId }: Shop, id: string, day: number) =>
  session.run(
    `insert into conversions (workspace_id, id, goal, person_id, occurred_at, value, currency) values ($1, $2, 'purchase', $3, $4, 10, 'EUR')`,
    ...[workspace.id, id, personId, at(day)],
  );

export const agrees = async ({ question }: Shop, when: string) =>
  expect(await wrongAnswers([question, { ...question, interval: 'day' }]), when).toEqual([]);

/** The sums of all days, as a step chooses them. */
export async function allDaysOf({ question, workspace }: Shop): Promise<ChosenSums> {
  const [row] = await rowsOf(`select id from credit_questions where workspace_id = $1 and question <> '{}'`, [
    workspace.id,
  ]);
  return {
    question_id: String(row?.id),
    question: keptOf(question),
    currency: 'EUR',
    first_day: dateOf(1),
    last_day: dateOf(DAYS),
  };
}

/** The days whose sums the report uses, 31 at most. */
export async function keptDays({ question }: Shop): Promise<number | undefined> {
  const [answers] = await bothAnswers([question]);
  return answers?.[0].sums?.kept;
}

/** Begins a step of settling, once all transactions have ended that run elsewhere on the server. */
export async function beginStep(workspace: { id: string }): Promise<OpenSession> {
  for (let tries = 0; tries < 600; tries++) {
    const step = await openSession(workspace);
    const [row] = await step.run(beginSettling(workspace.id));
    if (row?.status === 'ready') return step;
    await step.rollBack();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('another transaction does not end');
}
