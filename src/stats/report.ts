import type { SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Database } from '../db/client.ts';
import type { ReportName } from '../domain/settings.ts';
import type { Config } from '../http/config.ts';
import type { Reply } from '../http/operation.ts';
import {
  type AnyOperation,
  type Input,
  type Operation,
  operation,
  type WorkspaceContext,
} from '../http/operation.ts';
import { type AskedSums, afterSums } from './kept/after-sums.ts';
import { narrowInput } from './narrow-input.ts';

/** Everything that a report depends on, besides its input and the database. */
export type ReportContext = Pick<WorkspaceContext, 'workspace' | 'caller' | 'now'>;

/**
 * A report in three steps: `parse`, the statements, `shape`. `parse` and `shape` are pure. Between them is
 * one round trip: all statements run in one transaction, and so read one snapshot.
 */
export interface Report<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
  Question = unknown,
  Answers extends readonly unknown[] = readonly unknown[],
> {
  name: ReportName;
  params: P;
  query: Q;
  /** Absent if the report takes only query parameters. */
  body?: B | undefined;
  schema: R;
  /** Computes the effective query, with defaults applied. @throws ApiError invalid_request */
  parse(input: Input<P, Q, B>, context: ReportContext): Question;
  /** Planner settings, sent before the statements. */
  settings?: readonly SQL[];
  statements(question: Question): SQL[];
  /**
   * Shapes the answer into the response.
   * @param answers one row per statement, in order: every statement of a report returns one row
   * @throws ApiError unknown_goal or not_found, which depend on stored data
   */
  shape(answers: Answers, question: Question, context: ReportContext): z.output<R>;
  /** Present if the report reads kept sums. */
  sums?: {
    /** The statements to send if the answers cannot be shaped; null if they can. */
    again(answers: Answers, question: Question): SQL[] | null;
    used(answers: Answers, question: Question): AskedSums | null;
  };
}

/** Infers the types of a report from its parts. */
export function defineReport<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
  Question,
  Answers extends readonly unknown[],
>(report: Report<P, Q, B, R, Question, Answers>): Report<P, Q, B, R, Question, Answers> {
  return report;
}

/** A report with its types erased, as the registry holds it. */
export type AnyReport = Report;

/** Erases the types of a report. */
export function erased<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
  Question,
  Answers extends readonly unknown[],
>(report: Report<P, Q, B, R, Question, Answers>): AnyReport {
  return report as unknown as AnyReport;
}

/**
 * The effective query of a report and the statements to send, after the narrowing of the caller is applied.
 */
export function reportStatements<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
  Question,
  Answers extends readonly unknown[],
>(
  report: Report<P, Q, B, R, Question, Answers>,
  input: Input<P, Q, B>,
  context: ReportContext,
): { question: Question; statements: SQL[] } {
  const question = report.parse(narrowInput(report, input, context.caller.narrowing), context);
  return { question, statements: [...(report.settings ?? []), ...report.statements(question)] };
}

/**
 * Runs a report: parse, one round trip, shape. A report from kept sums needs a second round trip if it turns out to have
 * more groups than it shows.
 */
export async function runReport<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
  Question,
  Answers extends readonly unknown[],
>(
  report: Report<P, Q, B, R, Question, Answers>,
  input: Input<P, Q, B>,
  context: ReportContext & { database: Database; config: Config },
): Promise<Reply<z.output<R>>> {
  const { question, statements } = reportStatements(report, input, context);
  const ask = async (asked: SQL[]) => {
    const results = await context.database.report(asked);
    return results.slice(report.settings?.length ?? 0).map(([row]) => row) as unknown as Answers;
  };
  const first = await ask(statements);
  const again = report.sums?.again(first, question);
  const answers = again ? await ask([...(report.settings ?? []), ...again]) : first;
  const body = report.shape(answers, question, context);
  const used = report.sums?.used(first, question);
  return { body, ...(used && afterSums(used, context)) };
}

/** The parts of a report's operation that the report itself does not define. */
type Described<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType> = Omit<
  Operation<P, Q, B, R>,
  'access' | 'report' | 'params' | 'query' | 'body' | 'success' | 'handle'
> & { success: Omit<Operation<P, Q, B, R>['success'], 'status' | 'schema'> };

/** The operation that serves a report. */
export function reportOperation<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
  Question,
  Answers extends readonly unknown[],
>(report: Report<P, Q, B, R, Question, Answers>, description: Described<P, Q, B, R>): AnyOperation {
  const { name, params, query, body, schema } = report;
  const { success, ...rest } = description;
  return operation({
    ...rest,
    access: 'read',
    report: name,
    params,
    query,
    ...(body && { body }),
    success: { ...success, status: 200, schema },
    handle: (context, input) => runReport(report, input, context),
  });
}
