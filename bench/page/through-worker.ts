import type { NeonCall } from '../../local/neon-call.ts';
import type { BackendQuery } from '../../local/sql-backend.ts';
import { median } from '../measure.ts';
import { cpuTimeOf } from './cpu-time.ts';
import type { Asked } from './reads.ts';
import type { WorkerTiming } from './results.ts';
import type { Space } from './space.ts';

/** One request, and the statements of the call in which the Worker asked the database for its answer. */
export interface Captured {
  ms: number;
  queries: readonly BackendQuery[];
  body: unknown;
  /** The Worker answered that the statements ran out of time. */
  is_too_slow: boolean;
}

export interface Answer {
  ms: number;
  status: number;
  bytes: number;
  body: unknown;
  timing: ServerTiming;
}

interface ServerTiming {
  calls: number;
  others: Record<string, string>;
}

/**
 * Requests it once, after the key was used: the first use of a day is noted in the same transaction.
 * @throws if the request fails otherwise than by a time-out
 */
export async function capture(space: Space, asked: Asked): Promise<Captured> {
  let answer: Answer | undefined;
  const calls = await space.world.callsDuring(async () => {
    answer = await request(space, asked);
  });
  const call = calls.find(isReport) ?? calls.find(isRead);
  if (!answer || !call) throw new Error(`${asked.path} did not ask the database`);
  const is_too_slow = answer.status === 503;
  if (answer.status !== 200 && !is_too_slow)
    throw new Error(`${asked.path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`);
  if (is_too_slow) await forgetSlowReports(space);
  return { ms: answer.ms, queries: call.queries, body: answer.body, is_too_slow };
}

/** Only the call of a report takes a slot. Work after a response, of this request or an earlier one, takes none. */
const isReport = ({ queries }: NeonCall) => queries.some(({ query }) => query.includes('begin_report('));

/** Any other call but the one that looks the key up. */
const isRead = ({ queries }: NeonCall) => !queries[0]?.params.includes('throughline_lookup');

/** For a minute the same statements would be refused. */
async function forgetSlowReports({ client }: Space): Promise<void> {
  await client.query('delete from slow_reports');
}

/**
 * The wall time of requests one after the other, and the time of the Worker's process on the CPU.
 * @returns null if one of them ran out of time
 */
export async function measureRequests(
  space: Space,
  asked: Asked,
  runs: number,
): Promise<WorkerTiming | null> {
  // The isolate forgets a key after 30 seconds, and looking it up again is one more call.
  await request(space, { method: 'GET', path: '/v1/goals' });
  const before = await cpuTimeOf(space.world.pid);
  const answers: Answer[] = [];
  for (let run = 0; run < runs; run++) answers.push(await request(space, asked));
  const after = await cpuTimeOf(space.world.pid);
  if (answers.some(({ status }) => status !== 200)) {
    await forgetSlowReports(space);
    return null;
  }
  const [last] = answers.slice(-1);
  return {
    median_ms: median(answers.map(({ ms }) => ms)),
    runs,
    calls: Math.min(...answers.map(({ timing }) => timing.calls)),
    cpu_ms: before === null || after === null ? null : (after - before) / runs,
    response_bytes: last?.bytes ?? 0,
    server_timing: last?.timing.others ?? {},
  };
}

export async function request({ world, token }: Space, { method, path, body }: Asked): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const started = performance.now();
  const response = await fetch(world.url + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const ms = performance.now() - started;
  const timing = serverTimingOf(response.headers.get('server-timing') ?? '');
  return { ms, status: response.status, bytes: Buffer.byteLength(text), body: JSON.parse(text), timing };
}

/** `db;dur=4.2;desc="calls=1", kept;desc="364"`: the calls, and the text of the others by name. */
function serverTimingOf(header: string): ServerTiming {
  const parts = header.split(',').map((part) => part.trim());
  const calls = Number(/calls=(\d+)/.exec(header)?.[1] ?? Number.NaN);
  const others = parts
    .filter((part) => part !== '' && !part.startsWith('db;'))
    .map((part) => [part.split(';')[0] ?? '', part.slice(part.indexOf(';') + 1)]);
  return { calls, others: Object.fromEntries(others) };
}
