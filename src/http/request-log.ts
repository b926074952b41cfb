import type { DatabaseUse } from '../db/client.ts';

/** The counts of items in the response of a batch. */
const COUNTS = ['accepted', 'duplicates', 'dropped', 'rejected'] as const;
/** The same for a batch in the queue. */
const QUEUE_COUNTS = ['queued'] as const;
const ALL_COUNTS: readonly string[] = [...COUNTS, ...QUEUE_COUNTS];
export type Counts = Partial<Record<(typeof COUNTS | typeof QUEUE_COUNTS)[number], number>>;

/**
 * The log line of a request: these fields and no others. It holds nothing that a sender chose, except the request id,
 * which consists of letters, digits and `_.:-`. There is no path with its ids, no query, no header, no body, no
 * address.
 */
export interface RequestLine {
  request_id: string;
  method: string;
  /** As in the document, `/v1/people/{id}`; null if no route matches. */
  route: string | null;
  status: number;
  workspace_id: string | null;
  key_id: string | null;
  counts: Counts | null;
  duration_ms: number;
  database_ms: number;
  database_calls: number;
}

/** Facts for the log line that are found out while the request is served. */
export interface Seen {
  route: string | null;
  workspace_id: string | null;
  key_id: string | null;
  counts: Counts | null;
  database: DatabaseUse | null;
  /** Settles at the end of a streamed response; null if the response is not streamed. */
  ended: Promise<void> | null;
}

export function nothingSeen(): Seen {
  return { route: null, workspace_id: null, key_id: null, counts: null, database: null, ended: null };
}

/** The counts in the response of a batch; null for any other response. */
export function countsOf(body: unknown): Counts | null {
  const members = Object.entries((body ?? {}) as Record<string, unknown>);
  const counts = members.filter(([name, value]) => ALL_COUNTS.includes(name) && typeof value === 'number');
  return counts.length >= COUNTS.length ? (Object.fromEntries(counts) as Counts) : null;
}

/** The methods of HTTP. Any other is text that the sender chose. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function requestLine(
  seen: Seen,
  about: { request_id: string; method: string; status: number; duration_ms: number },
): RequestLine {
  const { route, workspace_id, key_id, counts, database } = seen;
  return {
    request_id: about.request_id,
    method: METHODS.includes(about.method) ? about.method : 'OTHER',
    route,
    status: about.status,
    workspace_id,
    key_id,
    counts,
    duration_ms: Math.round(about.duration_ms * 10) / 10,
    database_ms: Math.round((database?.duration_ms ?? 0) * 10) / 10,
    database_calls: database?.calls ?? 0,
  };
}

/** Writes one structured line for each request. */
export function logRequest(line: RequestLine): void {
  console.log(JSON.stringify({ level: 'info', ...line }));
}
