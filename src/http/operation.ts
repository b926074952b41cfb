import type * as z from 'zod';
import type { Database, Databases } from '../db/client.ts';
import type { ReportName, Scope } from '../domain/settings.ts';
import type { BodyFormat } from './body.ts';
import type { Caller, WorkspaceSettings } from './caller.ts';
import type { Config } from './config.ts';
import type { ErrorCode } from './errors.ts';
import type { WorkspaceSecrets } from './secrets.ts';

/** The context of every handler. The clock is part of it. */
export interface Context {
  request: Request;
  request_id: string;
  now: Date;
  config: Config;
  databases: Databases;
}

/** The context of a handler behind a key. The workspace comes from the key, and from nowhere else. */
export interface WorkspaceContext extends Omit<Context, 'databases'> {
  /** Sees the rows of this workspace, and no others. */
  database: Database;
  caller: Caller;
  workspace: WorkspaceSettings;
  secrets: WorkspaceSecrets;
}

/** The part of the context that recording items needs, whether they come in a request or from the queue. */
export type RecordContext = Pick<WorkspaceContext, 'now' | 'database' | 'caller' | 'workspace' | 'secrets'>;

/** The access that an operation requires: none, the root key, or a key with the scope. */
export type Access = 'public' | 'root' | Scope;

export interface Input<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  params: z.output<P>;
  query: z.output<Q>;
  body: z.output<B>;
}

/** The result of a handler. Without `status`, the response has that of `success`. */
export interface Reply<R> {
  status?: number;
  body: R;
  /** Entries of the header `Server-Timing` besides the use of the database: a description by name. */
  timing?: Readonly<Record<string, string>>;
  /** Work that may be lost, for the time after the response. */
  afterwards?: () => Promise<void>;
}

/**
 * The result of a handler whose document may be larger than the memory of the isolate: its JSON text, in pieces. A
 * piece is asked for when the client has read the one before. All errors that the caller can do something about are
 * thrown before the handler returns: once the status is sent, an error can only break the connection.
 */
export interface StreamReply {
  pieces: AsyncGenerator<string, void>;
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
  /** The operation id, which generated clients use as the name of the function. */
  id: string;
  tag: string;
  summary: string;
  description: string;
  access: Access;
  params: P;
  query: Q;
  /** Absent: the request has no body. */
  body?: B | undefined;
  bodyExample?: z.input<B> | undefined;
  /** The formats of a body that the handler reads itself. Absent: the body is parsed before the handler runs. */
  readsBodyAs?: readonly BodyFormat[] | undefined;
  success: SuccessResponse<R>;
  /** Other statuses of responses with the same schema, each with its description. */
  alsoAnswers?: Record<number, string> | undefined;
  errors: readonly ErrorCode[];
  /** The name by which read tokens open it; its query or body is narrowed before the handler sees it. */
  report?: ReportName | undefined;
  /** Set if a publishable key may call it. */
  takesPublishableKeys?: true | undefined;
  /** Set if `data` is a table, which is then also available as CSV and NDJSON. */
  isTable?: boolean | undefined;
  /**
   * Set for a report: its own client may keep responses (`private, no-cache`), which have a weak ETag and are 304 while
   * it matches. Without it no cache stores anything (`no-store`).
   */
  isCacheable?: boolean | undefined;
  handle(context: C, input: Input<P, Q, B>): Promise<Reply<z.output<R>> | StreamReply>;
}

/** The errors of every report. */
export const REPORT_ERRORS = ['report_too_slow', 'too_many_reports'] as const satisfies readonly ErrorCode[];

/** The errors of every route with a body, if the body cannot be read or is invalid. */
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

/** An operation without its own types, as the application mounts it and the document describes it. */
export type AnyOperation = Operation<
  z.ZodObject,
  z.ZodObject,
  z.ZodType,
  z.ZodType,
  Context | WorkspaceContext
>;
