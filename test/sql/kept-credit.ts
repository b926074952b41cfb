import { neon } from '@neondatabase/serverless';
import { sql } from 'drizzle-orm';
import {
  type AttributionAnswer,
  type AttributionQuestion,
  attributionStatement,
  type GroupRow,
} from '../../src/attribution/attribution-sql.ts';
import { attributionFrom } from '../../src/attribution/kept-attribution-sql.ts';
import { type Database, openDatabases, underReach } from '../../src/db/client.ts';
import { compile } from '../../src/db/dialect.ts';
import { REPORT_SETTINGS } from '../../src/db/report-call.ts';
import { PLAIN_MODELS } from '../../src/domain/attribution.ts';
import { checkDay, sampleDays } from '../../src/stats/kept/check-credit-sql.ts';
import type { ChosenSums } from '../../src/stats/kept/chosen-sums.ts';
import { type KeptQuestion, keptQuestionOf } from '../../src/stats/kept/kept-question.ts';
import { noteQuestion } from '../../src/stats/kept/note-question-sql.ts';
import { settlerOf, waitForOthers } from '../../src/stats/kept/settle-credit.ts';
import { world } from '../support/api.ts';

/** Reports from kept sums beside the same reports from rows, in one snapshot. */

const TIMEOUT_MS = 300_000;
const SETTLING_MS = 90_000;

/** What of a question differs from the plain one. */
export type Asked = Partial<Omit<AttributionQuestion, 'workspace_id' | 'kept'>>;

/** The settings of a workspace that questions depend on. */
export interface Settings {
  id: string;
  timezone: string;
  currency: string;
}

/** Credit for purchases by channel under all models that need no parameters, in euros. */
export function questionOf({ id, timezone, currency }: Settings, asked: Asked): AttributionQuestion {
  const plain: Omit<AttributionQuestion, 'kept'> = {
    workspace_id: id,
    currency: 'EUR',
    workspace_currency: currency,
    workspace_timezone: timezone,
    goals: ['purchase'],
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
    lookback_days: null,
    scope: 'person',
    policy: 'reuse',
    where: {},
    where_conversion: {},
    models: PLAIN_MODELS,
    settings: { half_life_days: 7 },
    milestones: null,
    group_by: ['channel'],
    interval: null,
    timezone,
    limit: 1000,
    ...asked,
  };
  return { ...plain, kept: keptQuestionOf(plain) };
}

/** The sums of a question, which has some. */
export function keptOf({ kept }: AttributionQuestion): KeptQuestion {
  if (kept === null) throw new Error('the sums of this question cannot be kept');
  return kept;
}

export const inWorkspace = ({ id }: { id: string }): Database =>
  openDatabases(world.connectionString, TIMEOUT_MS).inWorkspace(id);

/** Notes that a question was asked. */
export async function note(question: AttributionQuestion): Promise<void> {
  const asked = { question: keptOf(question), from: question.from };
  await inWorkspace({ id: question.workspace_id }).atomic(noteQuestion(question.workspace_id, asked));
}

/** Keeps the sums of a question: it is noted as asked twice. */
export async function keep(question: AttributionQuestion): Promise<void> {
  for (const _ of [1, 2]) await note(question);
}

/** The answers of the steps of settling. */
interface Watched {
  database: Database;
  status: string;
}

function watched(workspace: { id: string }): Watched {
  const database = inWorkspace(workspace);
  const watch: Watched = {
    status: '',
    database: {
      ...database,
      atomic: async (statements) => {
        const rows = await database.atomic(statements);
        const [last] = rows.at(-1) as [{ answer: { status: string } }];
        watch.status = last.answer.status;
        return rows as never;
      },
    },
  };
  return watch;
}

export const settlerIn = (workspace: { id: string }, database = inWorkspace(workspace)) =>
  settlerOf(database, workspace.id, { question_id: null, min_age_seconds: 0 });

/** Settles until nothing is left. Transactions of other databases of the server hold it up as well. */
export async function settle(workspace: { id: string }): Promise<void> {
  const started = performance.now();
  const watch = watched(workspace);
  do {
    const settler = settlerIn(workspace, watch.database);
    while (await settler.step()) if (settler.isWaiting()) await waitForOthers();
    if (performance.now() - started > SETTLING_MS) throw new Error('another transaction does not end');
  } while (watch.status === 'waiting' || watch.status === 'busy');
}

/** At most so many steps. */
export async function settleSteps(workspace: { id: string }, steps: number): Promise<void> {
  const settler = settlerIn(workspace);
  for (let done = 0; done < steps; done++) if (!(await settler.step())) return;
}

/** A database that stops the step of settling after so many of its statements, and takes them back. */
export function stoppedAfter(workspace: { id: string }, statements: number): Database {
  const database = inWorkspace(workspace);
  return {
    ...database,
    atomic: (all) => database.atomic([...all.slice(0, statements), sql`select 1 / 0`] as never) as never,
  };
}

/** How many groups of some settled days differ from the definition, by the check of the hourly run. */
export async function differingGroups(workspace: { id: string }, days: number): Promise<number> {
  const database = inWorkspace(workspace);
  let differing = 0;
  for (const chosen of await database.query<ChosenSums>(sampleDays(workspace.id, days))) {
    const [, [row]] = await database.atomic<[object, { differing: number }]>([
      REPORT_SETTINGS,
      checkDay(workspace.id, chosen),
    ]);
    differing += row?.differing ?? 0;
  }
  return differing;
}

/** The answers of some questions from sums, each with that from rows, all in one snapshot. */
export async function bothAnswers(
  questions: readonly AttributionQuestion[],
): Promise<[kept: AttributionAnswer, raw: AttributionAnswer][]> {
  const [first] = questions;
  if (first === undefined) return [];
  const reach = { role: 'throughline_app', workspace_id: first.workspace_id } as const;
  const reports = questions.flatMap((one) => [attributionFrom(one), attributionStatement(one)]);
  const driver = neon(world.connectionString);
  const sent = [underReach(reach, TIMEOUT_MS), REPORT_SETTINGS, ...reports]
    .map(compile)
    .map(({ sql: text, params }) => driver.query(text, params));
  const rows = await driver.transaction(sent, { isolationLevel: 'RepeatableRead', readOnly: true });
  const answers = rows.slice(2).map(([row]) => row as AttributionAnswer);
  return questions.map((_, i) => [answerAt(answers, 2 * i), answerAt(answers, 2 * i + 1)]);
}

function answerAt(answers: readonly AttributionAnswer[], i: number): AttributionAnswer {
  const answer = answers[i];
  if (answer === undefined) throw new Error('a report has no answer');
  return answer;
}

const COUNTS = ['touchpoints', 'influenced', 'assisted'] as const;
const TOTALS = ['value', 'gross_value', 'attributed_value'] as const;
const labelOf = ({ interval, dimensions, other }: GroupRow) => JSON.stringify([interval, dimensions, other]);

/** What is different in two answers, as texts. Counts and totals are exact, credit to 1e-9. */
export function differences(kept: AttributionAnswer, raw: AttributionAnswer): string[] {
  const told: string[] = [];
  const tell = (what: string, a: unknown, b: unknown) => told.push(`${what}: ${a} from sums, ${b} from rows`);
  const byLabel = new Map(kept.groups.map((row) => [labelOf(row), row]));
  if (kept.groups.length !== byLabel.size) tell('rows of one group', kept.groups.length, byLabel.size);
  for (const row of raw.groups) {
    const label = labelOf(row);
    const sum = byLabel.get(label);
    byLabel.delete(label);
    for (const name of COUNTS)
      if (sum?.[name] !== row[name]) tell(`${label} ${name}`, sum?.[name], row[name]);
    for (const name of ['credits', 'values'] as const)
      row[name].forEach((wanted, i) => {
        const found = sum?.[name][i] ?? Number.NaN;
        if (!(Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted))))
          tell(`${label} ${name} of model ${i}`, found, wanted);
      });
  }
  for (const label of byLabel.keys()) tell(label, 'a group', 'none');
  const exact = (answer: AttributionAnswer) =>
    JSON.stringify(
      answer.totals.map((row) => ({
        ...row,
        ...Object.fromEntries(TOTALS.map((name) => [name, plain(row[name])])),
      })),
    );
  if (exact(kept) !== exact(raw)) tell('totals', exact(kept), exact(raw));
  return told;
}

/** A decimal without the zeros at its end. */
const plain = (decimal: string) => (decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal);

/** More groups than the report shows: the caller asks again without sums (ADR 31). */
export const isBeyondLimit = ({ groups, sums }: AttributionAnswer, { limit }: AttributionQuestion) =>
  (sums?.kept ?? 0) > 0 && groups.length > limit;

/** What is different between reports from sums and from rows, with the question. */
export async function wrongAnswers(questions: readonly AttributionQuestion[]): Promise<unknown[]> {
  const answers = await bothAnswers(questions);
  return answers.flatMap(([kept, raw], i) => {
    const question = questions[i];
    if (question === undefined || isBeyondLimit(kept, question)) return [];
    const told = differences(kept, raw);
    return told.length === 0 ? [] : [{ told: told.slice(0, 6), sums: kept.sums, question }];
  });
}
