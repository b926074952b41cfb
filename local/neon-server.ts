import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerUnder, type FaultPlan } from './faults.ts';
import type { NeonCall, Reply } from './neon-call.ts';
import {
  type BackendQuery,
  ISOLATION_LEVELS,
  type IsolationLevel,
  isDatabaseError,
  type RawResult,
  type RunOptions,
  type SqlBackend,
} from './sql-backend.ts';

/** The address of the server, and the database that it runs statements on. */
export interface NeonServerOptions {
  backend: SqlBackend;
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /** Called with each well-formed request before it runs. */
  onCall?: (call: NeonCall) => void;
  /** For tests: faults between the Worker and the database. */
  faults?: FaultPlan;
}

/** A running server; closing it leaves the backend open. */
export interface NeonServer {
  port: number;
  /** For `neon()`, with `neonConfig.fetchEndpoint` mapping the loopback host to `http://HOST:PORT/sql`. */
  connectionString: string;
  /** Requests that reached the database so far: a batch counts once. */
  calls(): number;
  /** Statements so far: a batch counts once per statement. */
  queries(): number;
  close(): Promise<void>;
}

/** A malformed request. Neon answers it with 400, like a database error without a code. */
class BadRequest extends Error {}

// Neon's limit on a request and on a response.
const MAX_REQUEST_BYTES = 64 * 1024 * 1024;

// Longer than any client keeps an idle connection (workerd: 5 s), so that the server never closes a connection under a
// request in flight.
const KEEP_ALIVE_MS = 120_000;

// The fields that @neondatabase/serverless copies onto its NeonDbError.
const ERROR_FIELDS = [
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const;

/** Serves Neon's SQL-over-HTTP protocol at `POST /sql`, as used by @neondatabase/serverless 1.x. */
export async function startNeonServer(options: NeonServerOptions): Promise<NeonServer> {
  const { backend, port = 0, host = '127.0.0.1', onCall, faults } = options;
  const count = { calls: 0, queries: 0 };
  const answer = async (request: IncomingMessage, gone: AbortSignal): Promise<Reply | null> => {
    if (request.method !== 'POST' || request.url !== '/sql')
      return problem(404, 'Neon answers POST /sql only');
    const call = readCall(request.headers, await readBody(request));
    count.calls += 1;
    count.queries += call.queries.length;
    onCall?.(call);
    if (!faults) return runCall(backend, call, gone);
    return answerUnder(faults(call), {
      commit: () => runCall(backend, call),
      rollBack: () => runAndRollBack(backend, call),
      abandoned: () => new Promise((resolve) => request.socket.once('close', () => resolve())),
    });
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    // Neon's proxy cancels a statement when its HTTP connection closes.
    const abandoned = new AbortController();
    response.once('close', () => response.writableFinished || abandoned.abort());
    answer(request, abandoned.signal)
      .catch(errorReply)
      .then((reply) => (reply ? send(response, reply) : request.socket.destroy()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    connectionString: `postgres://throughline:local@${host}:${bound}/throughline`,
    calls: () => count.calls,
    queries: () => count.queries,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function runCall(backend: SqlBackend, call: NeonCall, gone?: AbortSignal): Promise<Reply> {
  const results = (await backend.run(call.queries, call.options, gone)).map(neonResult);
  return { status: 200, body: JSON.stringify(call.options.atomic ? { results } : results[0]) };
}

async function runAndRollBack(backend: SqlBackend, { queries, options }: NeonCall): Promise<void> {
  const failing = { query: "do $$ begin raise exception 'rolled back on purpose'; end $$", params: [] };
  await Promise.allSettled([backend.run([...queries, failing], { ...options, atomic: true })]);
}

function neonResult(result: RawResult): RawResult & { rowAsArray: true } {
  return { ...result, rowAsArray: true };
}

/**
 * The driver treats only 400 as an error of the database. Every other status means that the outcome is unknown, which
 * is the case if the connection behind this server broke.
 */
function errorReply(error: unknown): Reply {
  if (error instanceof BadRequest) return problem(400, error.message);
  const message = error instanceof Error ? error.message : String(error);
  if (!isDatabaseError(error)) return problem(502, message);
  const fields: Partial<Record<string, unknown>> = { ...error };
  const known = Object.fromEntries(ERROR_FIELDS.map((name) => [name, fields[name] ?? null]));
  return { status: 400, body: JSON.stringify({ message, ...known }) };
}

function problem(status: number, message: string): Reply {
  return { status, body: JSON.stringify({ message }) };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) throw new BadRequest(`request is larger than ${MAX_REQUEST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readCall(headers: IncomingHttpHeaders, text: string): NeonCall {
  if (!headers['neon-connection-string']) throw new BadRequest('missing header Neon-Connection-String');
  if (headers['neon-raw-text-output'] !== 'true' || headers['neon-array-mode'] !== 'true') {
    throw new BadRequest('only Neon-Raw-Text-Output: true with Neon-Array-Mode: true is served here');
  }
  const body = parseJson(text);
  if (isQuery(body)) return { queries: [readQuery(body)], options: { atomic: false } };
  if (!isObject(body) || !Array.isArray(body.queries) || !body.queries.every(isQuery)) {
    throw new BadRequest('the body must be {query, params} or {queries: [{query, params}, …]}');
  }
  return { queries: body.queries.map(readQuery), options: batchOptions(headers) };
}

function batchOptions(headers: IncomingHttpHeaders): RunOptions {
  return {
    atomic: true,
    isolationLevel: isolationLevel(headers['neon-batch-isolation-level']),
    readOnly: flag(headers['neon-batch-read-only']),
    deferrable: flag(headers['neon-batch-deferrable']),
  };
}

function isolationLevel(name: string | string[] | undefined): IsolationLevel | undefined {
  if (name === undefined) return undefined;
  const known = (Object.keys(ISOLATION_LEVELS) as IsolationLevel[]).find((level) => level === name);
  if (!known) throw new BadRequest(`unknown isolation level ${name}`);
  return known;
}

function flag(value: string | string[] | undefined): boolean | undefined {
  return value === undefined ? undefined : value === 'true';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRequest('the body is not JSON');
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isQuery(value: unknown): value is { query: string; params?: unknown[] } {
  if (!isObject(value) || typeof value.query !== 'string') return false;
  return value.params === undefined || Array.isArray(value.params);
}

function readQuery({ query, params }: { query: string; params?: unknown[] }): BackendQuery {
  return { query, params: params ?? [] };
}
