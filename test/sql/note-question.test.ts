import { expect, test } from 'vitest';
import { openDatabases } from '../../src/db/client.ts';
import type { KeptQuestion } from '../../src/stats/kept/kept-question.ts';
import { MAX_KEPT_QUESTIONS, noteQuestion } from '../../src/stats/kept/note-question-sql.ts';
import { needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

/** Which questions of a workspace are kept (ADR 31). */

needWorld();

const question = (lookback_days: number, where: KeptQuestion['where'] = {}): KeptQuestion => ({
  version: 1,
  goals: ['purchase'],
  group_by: ['channel'],
  timezone: 'UTC',
  scope: 'person',
  lookback_days,
  half_life_days: 7,
  weights: null,
  milestones: null,
  where,
  where_conversion: {},
  only_with_journey: false,
});

/** Asks for a question once. */
async function ask({ id }: TestWorkspace, asked: KeptQuestion, from = '2025-06-01T00:00:00Z') {
  await openDatabases(world.connectionString)
    .inWorkspace(id)
    .once(noteQuestion(id, { question: asked, from }));
}

async function askOften(workspace: TestWorkspace, asked: KeptQuestion): Promise<void> {
  await ask(workspace, asked);
  await ask(workspace, asked);
}

/** The lookbacks of the kept questions. */
async function keptOf({ id }: TestWorkspace): Promise<number[]> {
  const rows = await rowsOf(
    `select (question ->> 'lookback_days')::int as days from credit_questions
     where workspace_id = $1 and kept_at is not null order by 1`,
    [id],
  );
  return rows.map(({ days }) => Number(days));
}

test('a question is kept from its second request on, and covers the earliest range', async () => {
  const workspace = await TestWorkspace.make();
  await ask(workspace, question(1));
  expect(await keptOf(workspace)).toEqual([]);
  await ask(workspace, question(1), '2025-05-20T00:00:00Z');
  await ask(workspace, question(1), '2025-06-20T00:00:00Z');
  expect(await keptOf(workspace)).toEqual([1]);
  const [row] = await rowsOf(
    'select since::text, asked, usable_from from credit_questions where workspace_id = $1',
    [workspace.id],
  );
  expect(row).toEqual({ since: '2025-05-20', asked: 3, usable_from: null });
});

test('a further question takes the place of one of its kind that was not asked today', {
  timeout: 60_000,
}, async () => {
  const workspace = await TestWorkspace.make();
  const days = Array.from({ length: MAX_KEPT_QUESTIONS }, (_, i) => i + 1);
  for (const one of days) await askOften(workspace, question(one));
  await askOften(workspace, question(100));
  expect(await keptOf(workspace)).toEqual(days);
  await askOften(workspace, question(101, { channel: ['x'] }));
  expect(await keptOf(workspace)).toEqual([...days, 101]);

  await rowsOf(
    `update credit_questions set asked_on = asked_on - 1
     where workspace_id = $1 and question ->> 'lookback_days' in ('3', '101')`,
    [workspace.id],
  );
  await ask(workspace, question(100));
  expect(await keptOf(workspace)).toEqual([...days.filter((one) => one !== 3), 100, 101]);
});
