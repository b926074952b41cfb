import type { SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Database } from '../db/client.ts';
import type { ReportName } from '../domain/settings.ts';
import {
  type AnyOperation,
  type Input,
  type Operation,
  operation,
  type WorkspaceContext,
} from '../http/operation.ts';
import { narrowInput } from './narrow-input.ts';

/** Everything that a report depends on besides its input and the database. */
export type ReportContext = Pick<WorkspaceContext, 'workspace' | 'caller' | 'now'>;

/**
 * A report in three steps. `parse` and `shape` are pure; between them lies one round trip, in which all statements run in
 * one transaction and so in one snapshot.
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
  /** Absent: everything is asked by parameters. */
  body?: B | undefined;
  schema: R;
  /** The effective question, with defaults applied. @throws ApiError invalid_request */
  parse(input: Input<P, Q, B>, context: ReportContext): Question;
  /** Planner settings of this report, sent before its statements. */
  settings?: readonly SQL[];
  statements(question: Question): SQL[];
  /**
   * @param answers the row of each statement, in order: a statement of a report answers in one row
   * @throws ApiError unknown_goal or not_found, which only the database knows
   */
  shape(answers: Answers, question: Question, context: ReportContext): z.output<R>;
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

/** A report whose types are erased, as the registry holds it. */
export type AnyReport = Report;

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

/** The statements of a report for one input, as they are sent; the input is narrowed to the caller's rows first. */
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

/** Runs a report: parse, one round trip, shape. */
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
  context: ReportContext & { database: Database },
): Promise<z.output<R>> {
  const { question, statements } = reportStatements(report, input, context);
  const results = await context.database.report(statements);
  const answers = results.slice(report.settings?.length ?? 0).map(([row]) => row);
  return report.shape(answers as unknown as Answers, question, context);
}

/** What a route of a report says beside what the report itself knows. */
type Described<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, R extends z.ZodType> = Omit<
  Operation<P, Q, B, R>,
  'access' | 'report' | 'params' | 'query' | 'body' | 'success' | 'handle'
> & { success: Omit<Operation<P, Q, B, R>['success'], 'status' | 'schema'> };

/** The route of a report. */
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
    handle: async (context, input) => ({ body: await runReport(report, input, context) }),
  });
}
