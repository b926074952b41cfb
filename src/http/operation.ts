import type * as z from 'zod';
import type { Database, Databases } from '../db/client.ts';
import type { ReportName, Scope } from '../domain/settings.ts';
import type { BodyFormat } from './body.ts';
import type { Caller, WorkspaceSettings } from './caller.ts';
import type { Config } from './config.ts';
import type { ErrorCode } from './errors.ts';
import type { WorkspaceSecrets } from './secrets.ts';

/** What every handler gets. The clock is an argument. */
export interface Context {
  request: Request;
  request_id: string;
  now: Date;
  config: Config;
  databases: Databases;
}

/** A handler behind a key also gets who calls. The workspace comes from the key, and from nowhere else. */
export interface WorkspaceContext extends Omit<Context, 'databases'> {
  /** Sees the rows of this workspace, and no others. */
  database: Database;
  caller: Caller;
  workspace: WorkspaceSettings;
  secrets: WorkspaceSecrets;
}

/** What storing items needs to know of who sent them and when, whether they come in a request or from the queue. */
export type RecordContext = Pick<WorkspaceContext, 'now' | 'database' | 'caller' | 'workspace' | 'secrets'>;

/** Who may call: anybody, the holder of the root key, or a key with the scope. */
export type Access = 'public' | 'root' | Scope;

export interface Input<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  params: z.output<P>;
  query: z.output<Q>;
  body: z.output<B>;
}

/** `rows` is the table of the body, for operations that also answer as CSV and NDJSON. */
export interface Reply<R> {
  status?: number;
  body: R;
}

export interface SuccessResponse<R extends z.ZodType> {
  status: 200 | 201;
  description: string;
  schema: R;
  example: z.input<R>;
}

export interface Operation<
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
  C = unknown,
> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As in OpenAPI, with `{id}` for a parameter. */
  path: string;
  /** The name of the generated client's function. */
  id: string;
  tag: string;
  summary: string;
  description: string;
  access: Access;
  params: P;
  query: Q;
  /** Absent: there is no body. */
  body?: B | undefined;
  bodyExample?: z.input<B> | undefined;
  /** The formats in which the handler itself reads the body, where a body is not parsed at once. */
  readsBodyAs?: readonly BodyFormat[] | undefined;
  success: SuccessResponse<R>;
  /** Other statuses that answer with the same shape. */
  alsoAnswers?: Record<number, string> | undefined;
  errors: readonly ErrorCode[];
  /** The name by which read tokens open it; its query or body is narrowed before the handler sees it. */
  report?: ReportName | undefined;
  /** What a publishable key may do as well. */
  takesPublishableKeys?: true | undefined;
  /** Where `data` is a table, the answer is also to be had as CSV and NDJSON. */
  isTable?: boolean | undefined;
  /** Answers carry a weak ETag, and 304 when it still fits. */
  isCacheable?: boolean | undefined;
  handle(context: C, input: Input<P, Q, B>): Promise<Reply<z.output<R>>>;
}

/** What any route with a body can answer when the body cannot be read or does not fit. */
export const BODY_ERRORS = [
  'malformed_json',
  'too_deep',
  'body_too_large',
  'unsupported_media_type',
  'invalid_request',
] as const satisfies readonly ErrorCode[];

/** An operation that needs a key with a scope. */
export function operation<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
>(definition: Operation<P, Q, B, R, WorkspaceContext> & { access: Scope }): AnyOperation {
  return definition as unknown as AnyOperation;
}

/** An operation for the holder of the root key, or for anybody. */
export function openOperation<
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
>(definition: Operation<P, Q, B, R, Context> & { access: 'public' | 'root' }): AnyOperation {
  return definition as unknown as AnyOperation;
}

/** What the application mounts and the document describes: the types of one operation, forgotten. */
export type AnyOperation = Operation<
  z.ZodObject,
  z.ZodObject,
  z.ZodType,
  z.ZodType,
  Context | WorkspaceContext
>;
