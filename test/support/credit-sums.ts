import type { TestWorkspace } from './api.ts';
import { rowsOf } from './tables.ts';

/** Inserts a row into each table of sums of credit, which otherwise only settling does. */
export async function keepSums({ id }: TestWorkspace): Promise<void> {
  const question = '00000000-0000-4000-8000-000000000000';
  for (const [table, columns, values] of [
    ['horizons', 'written_by', 'pg_current_xact_id()'],
    [
      'questions',
      'id, question, goals, timezone, since, asked_on',
      `'${question}', '{}', '{}', 'UTC', now(), now()`,
    ],
    ['days', 'question_id, day, horizon, settings', `'${question}', now(), pg_current_snapshot(), ''`],
    ['months', 'question_id, month, currency, rates', `'${question}', now(), 'USD', ''`],
    [
      'totals',
      'question_id, day, currency, conversions, gross_conversions, attributed, valued, net, gross, attributed_net',
      `'${question}', now(), 'USD', 0, 0, 0, 0, 0, 0, 0`,
    ],
    [
      'cells',
      `question_id, is_month, day, currency, number, dimensions, group_hash, influenced, assisted, new_touches, repeat_gaps,
        repeat_touches, credits, credited_values`,
      `'${question}', false, now(), 'USD', 1, '{x}', 0, 0, 0, 0, '{}', '{}', '{}', '{}'`,
    ],
    ['marks', 'goal, from_at, until_at, is_added, made_by', `'g', now(), now(), false, pg_current_xact_id()`],
  ]) {
    await rowsOf(`insert into credit_${table} (workspace_id, ${columns}) values ($1, ${values})`, [id]);
  }
}
