import { expect } from 'vitest';
import type { AttributionQuestion } from '../../src/attribution/attribution-sql.ts';
import type { ChosenSums } from '../../src/stats/chosen-sums.ts';
import { TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { bothAnswers, keep, keptOf, questionOf, settle, wrongAnswers } from './kept-credit.ts';
import type { OpenSession } from './open-session.ts';

/** A workspace with one person, whose sums of January 2026 are settled. */

export const RULES = { question_id: null, min_age_seconds: 0 };
export const at = (day: number, hour = 12) => new Date(Date.UTC(2026, 0, day, hour)).toISOString();
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

/** A touchpoint on 2 January and a purchase on the 10th, whose sums are settled. */
export async function openShop(): Promise<Shop> {
  const workspace = await TestWorkspace.make({ currency: 'EUR', timezone: 'UTC' });
  await workspace.goal('purchase');
  await workspace.load('touchpoints', [touch('t2', 2)]);
  await workspace.load('conversions', [sale('c10', 10)]);
  const question = questionOf({ id: workspace.id, timezone: 'UTC', currency: 'EUR' }, {});
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

/** The sums of January, as a step chooses them. */
export async function januaryOf({ question, workspace }: Shop): Promise<ChosenSums> {
  const [row] = await rowsOf(`select id from credit_questions where workspace_id = $1 and question <> '{}'`, [
    workspace.id,
  ]);
  return {
    question_id: String(row?.id),
    question: keptOf(question),
    currency: 'EUR',
    first_day: '2026-01-01',
    last_day: '2026-01-31',
  };
}

/** The days whose sums the report uses; the January of the question has 31. */
export async function keptDays({ question }: Shop): Promise<number | undefined> {
  const [answers] = await bothAnswers([question]);
  return answers?.[0].sums?.kept;
}
