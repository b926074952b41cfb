import { DatabaseUnreachable, type DatabaseUse, openDatabases, UNSAFE_ROLE } from '../db/client.ts';
import {
  REPORT_SLOTS,
  REPORT_TIMEOUT_MS,
  type ReportRequest,
  ReportTooSlow,
  TOKEN_REPORT_TIMEOUT_MS,
  TooManyReports,
} from '../db/report-call.ts';
import { unstorable } from '../domain/json.ts';
import { authenticate, authenticateRoot } from './authenticate.ts';
import { authorize } from './authorize.ts';
import { readJson } from './body.ts';
import type { Caller, Narrowing } from './caller.ts';
import type { Config } from './config.ts';
import { ApiError, problemResponse } from './errors.ts';
import { type Format, formatWanted, isFresh, render, weakEtag } from './formats.ts';
import { keepingKey, secretsOf } from './identity-keys.ts';
import { checkItem } from './item-errors.ts';
import { notingUse } from './last-used.ts';
import {
  type AnyOperation,
  type Context,
  REPORT_ERRORS,
  type Reply,
  type WorkspaceContext,
} from './operation.ts';
import { corsHeaders, requireOrigin } from './origins.ts';
import { readQuery } from './query.ts';
import { rateLimitHeaders, requireRate } from './rate-limit.ts';
import { countsOf, type Seen } from './request-log.ts';
import { sha256 } from './secrets.ts';
import { streamResponse } from './stream.ts';

/** Keeps the isolate alive until a promise settles. */
export type Later = (work: Promise<unknown>) => void;

/** Serves one request with one operation: the caller, the input, the handler, the response. */
export async function serve(
  operation: AnyOperation,
  request: Request,
  rawParams: Record<string, string>,
  options: { config: Config; now: Date; requestId: string; seen: Seen; later: Later },
): Promise<Response> {
  const { config, now, requestId, seen, later } = options;
  const databases = openDatabases(config.database_url);
  Object.assign(seen, { route: operation.path, database: databases.use });
  const context: Context = { request, request_id: requestId, now, config, databases };
  const url = new URL(request.url);
  let response: Response;
  let caller: Caller | null = null;
  let timing: Reply<unknown>['timing'] = {};
  try {
    caller = await callerOf(operation, context);
    if (caller) {
      Object.assign(seen, { workspace_id: caller.workspace.id, key_id: caller.key_id });
      await requireRate(caller, config.rate_limiter);
      authorize(caller, operation, request);
    }
    const query = readQuery(operation.query, url.searchParams);
    const body = operation.readsBodyAs ? undefined : await readBody(operation, request);
    const params = operation.params.safeParse(rawParams);
    // An id that cannot exist has the same response as one that does not.
    if (!params.success || unstorable(rawParams).length > 0)
      throw new ApiError('not_found', 'No resource has this id.');
    const full = caller ? await contextOf(caller, context, operation, body) : context;
    const reply = await operation.handle(full, { params: params.data, query, body });
    if ('pieces' in reply) {
      const { response: streamed, ended } = streamResponse(
        operation.success.status,
        reply.pieces,
        request.signal,
      );
      seen.ended = ended.catch((error) => logFailure(error, requestId));
      response = streamed;
    } else {
      seen.counts = countsOf(reply.body);
      timing = reply.timing;
      if (reply.afterwards) later(reply.afterwards().catch((error) => logFailure(error, requestId)));
      response = await respond(
        operation,
        request,
        reply.status ?? operation.success.status,
        reply.body,
        query,
        caller?.narrowing ?? null,
      );
    }
  } catch (error) {
    if (error instanceof ApiError) seen.counts = countsOf(error.members);
    response = errorResponse(error, url.pathname, requestId, operation.access === 'read');
  }
  // The number of calls would tell a page whether an item was stored before.
  if (caller?.kind !== 'publishable')
    response.headers.set('server-timing', serverTiming(databases.use, timing));
  if (caller) addCallerHeaders(response, request, caller);
  return response;
}

function serverTiming({ calls, duration_ms }: DatabaseUse, timing: Reply<unknown>['timing'] = {}): string {
  const more = Object.entries(timing).map(([name, description]) => `${name};desc="${description}"`);
  return [`db;dur=${duration_ms.toFixed(1)};desc="calls=${calls}"`, ...more].join(', ');
}

/** The caller, if the operation requires a key; null for public operations and for the root key. */
async function callerOf(operation: AnyOperation, context: Context): Promise<Caller | null> {
  const { request, config, now, databases } = context;
  if (operation.access === 'public') return null;
  if (operation.access !== 'root') return authenticate(request, databases.lookup(), { now, config });
  await authenticateRoot(request, config.root_key);
  requireOrigin(request, { allowed_origins: null });
  return null;
}

async function contextOf(
  caller: Caller,
  { databases, ...rest }: Context,
  operation: AnyOperation,
  body: unknown,
): Promise<WorkspaceContext> {
  const { workspace } = caller;
  const { secrets, unkept } = await secretsOf(rest.config, workspace.id, caller.identity_keys);
  const isReport = REPORT_ERRORS.some((code) => operation.errors.includes(code));
  const request = isReport ? await reportRequest(caller, rest.request, body) : undefined;
  const used = notingUse(databases.inWorkspace(workspace.id, request), caller, rest.now);
  const database = keepingKey(used, workspace.id, unkept);
  return { ...rest, database, caller, workspace, secrets };
}

/** Sets the headers of every response to a known caller, errors included: a page cannot read an error without them. */
function addCallerHeaders({ headers, status }: Response, request: Request, caller: Caller): void {
  headers.append('vary', 'authorization, origin');
  const more = {
    ...corsHeaders(request, caller),
    ...rateLimitHeaders(status === 429 && !headers.has('retry-after')),
  };
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
}

/** The rules of a report for this request. The same request has the same question, whatever the time. */
async function reportRequest({ narrowing }: Caller, request: Request, body: unknown): Promise<ReportRequest> {
  const { pathname, search } = new URL(request.url);
  return {
    question: await sha256(JSON.stringify([pathname, search, body ?? null, narrowing])),
    timeout_ms: narrowing ? TOKEN_REPORT_TIMEOUT_MS : REPORT_TIMEOUT_MS,
    signal: request.signal,
  };
}

async function readBody(operation: AnyOperation, request: Request): Promise<unknown> {
  if (!operation.body) return undefined;
  const checked = checkItem(operation.body, await readJson(request), '');
  if ('data' in checked) return checked.data;
  throw new ApiError('invalid_request', 'The body is invalid; see `errors`.', { errors: checked.errors });
}

async function respond(
  operation: AnyOperation,
  request: Request,
  status: number,
  body: unknown,
  query: { format?: Format; [name: string]: unknown },
  narrowing: Narrowing | null,
): Promise<Response> {
  const format = operation.isTable ? formatWanted(query.format, request.headers.get('accept')) : 'json';
  const { text, mediaType } = render(body as Record<string, never>, format, operation.success.schema);
  const headers = new Headers({ 'content-type': mediaType });
  if (operation.isTable || operation.isCacheable) headers.set('vary', 'accept');
  const next = (body as { next_cursor?: string | null }).next_cursor;
  if (next) headers.set('link', `<${nextPage(request.url, next)}>; rel="next"`);
  if (operation.isCacheable) {
    // Equal bodies of two narrowings have different tags, so that no copy of one answers for the other.
    const etag = await weakEtag(JSON.stringify(narrowing) + text);
    headers.set('etag', etag);
    headers.set('cache-control', 'private, no-cache');
    if (isFresh(request.headers.get('if-none-match'), etag)) {
      headers.delete('content-type');
      return new Response(null, { status: 304, headers });
    }
  }
  return new Response(text, { status, headers });
}

function nextPage(url: string, cursor: string): string {
  const next = new URL(url);
  next.searchParams.set('cursor', cursor);
  return next.pathname + next.search;
}

/** The error that a caller gets for a failure that is not theirs. */
function worldError(error: unknown, isRead: boolean): ApiError {
  if (error instanceof ReportTooSlow) {
    const what = error.ran
      ? `The report ran for ${error.timeout_ms / 1000} s and was cancelled.`
      : 'The same report was cancelled less than a minute ago, because it took too long.';
    const detail = `${what} Request a shorter range, or fewer goals, models, dimensions or steps.`;
    return new ApiError('report_too_slow', detail);
  }
  if (error instanceof TooManyReports) {
    const detail = `The workspace runs ${REPORT_SLOTS} reports at a time, and all of them are busy. Wait for the time in \`Retry-After\`, or request several figures in one report.`;
    return new ApiError('too_many_reports', detail);
  }
  if (error instanceof DatabaseUnreachable) {
    const detail = isRead
      ? 'The database did not answer. Try again.'
      : 'The database did not answer, so the items may or may not be stored. Send them again with the same ids.';
    return new ApiError('database_unavailable', detail);
  }
  return new ApiError('internal_error', 'The error is logged under the request id.');
}

/** Mistakes of the caller are shown as they are. Any other error is logged once and shown as a fixed text. */
function errorResponse(error: unknown, instance: string, requestId: string, isRead: boolean): Response {
  if (error instanceof ApiError) return problemResponse(error, instance, requestId);
  logFailure(error, requestId);
  if ((error as { sqlstate?: string }).sqlstate === UNSAFE_ROLE) {
    const detail = 'The role in force in the database bypasses row level security; see SECURITY.md.';
    return problemResponse(new ApiError('misconfigured', detail), instance, requestId);
  }
  return problemResponse(worldError(error, isRead), instance, requestId);
}

/** Writes one line about an error that is not the caller's. */
function logFailure(error: unknown, requestId: string): void {
  const name = error instanceof Error ? error.name : typeof error;
  const sqlstate = (error as { sqlstate?: string }).sqlstate;
  // Only parts that cannot hold data: messages of drivers and engines may quote values.
  const stack = error instanceof Error ? error.stack?.split('\n').slice(1, 6).join('\n') : undefined;
  console.error(JSON.stringify({ level: 'error', request_id: requestId, error: name, sqlstate, stack }));
}
