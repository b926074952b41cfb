import { type Databases, openDatabases } from './db/client.ts';
import { workspaceById } from './http/authenticate.ts';
import type { Caller } from './http/caller.ts';
import type { Config } from './http/config.ts';
import { ApiError } from './http/errors.ts';
import { keepingKey, type OpenedSecrets, secretsOf } from './http/identity-keys.ts';
import { notingUse } from './http/last-used.ts';
import type { RecordContext } from './http/operation.ts';
import { keepRejections } from './ingest/keep-rejections.ts';
import { itemsOf, type QueuedBatch, readMessage } from './ingest/queue-message.ts';
import { recorders } from './operations.ts';

/** A message as Cloudflare delivers it, at least once; only the members that are used. */
export interface Delivery {
  body: unknown;
  /** 1 for the first delivery. */
  attempts: number;
  ack(): void;
  retry(options: { delaySeconds: number }): void;
}

export interface Deliveries {
  /** The name of the queue, as in wrangler.toml. */
  queue: string;
  messages: readonly Delivery[];
}

/**
 * The suffix of the queue for dead letters: messages that were attempted as often as wrangler.toml allows.
 */
const DEAD_LETTER_SUFFIX = '-dead';

/**
 * Doubled with each attempt, up to an hour, so that messages outlast a database that is
 * unavailable for a night.
 */
const FIRST_DELAY_SECONDS = 10;
const MAX_DELAY_SECONDS = 3600;

/** The outcome of a message. */
type Outcome = 'stored' | 'rejected' | 'workspace_deleted' | 'to_be_retried';

const NOT_STORED = {
  pointer: '',
  detail:
    'The item could not be stored in many attempts. Replay it; if it is rejected again, the service cannot store its values, and the log has the reason.',
};

const OVER_CAP =
  'The daily cap of the publishable key was reached when the item came out of the queue. Replay it, or create a key with higher `daily_caps`.';

/**
 * Stores the items that the queue has kept. Each message is settled on its own: it is acknowledged when
 * everything in it is stored or kept under /v1/rejections, and otherwise delivered again. A message delivered
 * twice is a batch sent twice. Never throws, because that would redeliver the other messages too.
 */
export async function consumeQueue(deliveries: Deliveries, config: Config): Promise<void> {
  const isLastStop = deliveries.queue.endsWith(DEAD_LETTER_SUFFIX);
  for (const delivery of deliveries.messages) await consume(delivery, isLastStop, config);
}

/**
 * The log line of a message, by the same rule as for requests: only these fields, and nothing that was sent.
 */
interface MessageLine {
  level: 'info' | 'error';
  request_id: string | null;
  queue: 'ingest' | 'dead_letter';
  outcome: Outcome;
  attempts: number;
  workspace_id: string | null;
  key_id: string | null;
  error: string | null;
  sqlstate: string | null;
  database_ms: number;
  database_calls: number;
}

async function consume(delivery: Delivery, isLastStop: boolean, config: Config): Promise<void> {
  const databases = openDatabases(config.database_url);
  const line = lineOf(delivery, isLastStop);
  try {
    const message = readMessage(delivery.body);
    const { request_id, workspace_id, key_id } = message;
    Object.assign(line, { request_id, workspace_id, key_id });
    line.outcome = await settle(message, databases, config, line);
    delivery.ack();
  } catch (error) {
    noteError(line, error);
    delivery.retry({ delaySeconds: delayOf(delivery, isLastStop) });
  }
  line.database_calls = databases.use.calls;
  line.database_ms = Math.round(databases.use.duration_ms * 10) / 10;
  console.log(JSON.stringify(line));
}

/** Only the name and the SQLSTATE, because messages of drivers may quote values. */
function noteError(line: MessageLine, error: unknown): void {
  const { name, sqlstate } = (error ?? {}) as { name?: string; sqlstate?: string };
  Object.assign(line, { level: 'error', error: name ?? typeof error, sqlstate: sqlstate ?? null });
}

function lineOf({ attempts }: Delivery, isLastStop: boolean): MessageLine {
  return {
    level: 'info',
    request_id: null,
    queue: isLastStop ? 'dead_letter' : 'ingest',
    outcome: 'to_be_retried',
    attempts,
    workspace_id: null,
    key_id: null,
    error: null,
    sqlstate: null,
    database_ms: 0,
    database_calls: 0,
  };
}

function delayOf({ attempts }: Delivery, isLastStop: boolean): number {
  if (isLastStop) return MAX_DELAY_SECONDS;
  return Math.min(FIRST_DELAY_SECONDS * 2 ** (attempts - 1), MAX_DELAY_SECONDS);
}

/** Settles one message: everything in it is stored or kept as a rejection. */
async function settle(
  message: QueuedBatch,
  databases: Databases,
  config: Config,
  line: MessageLine,
): Promise<Outcome> {
  const { workspace_id, resource } = message;
  const found = await workspaceById(databases.lookup(), config, workspace_id);
  if (!found) return 'workspace_deleted';
  const opened = await secretsOf(config, workspace_id, found.identity_keys);
  const context = contextOf(message, { ...found, ...opened, databases });
  const items = await itemsOf(message, opened.secrets);
  try {
    await recorders[resource](items, context);
    return 'stored';
  } catch (error) {
    const isOverCap = error instanceof ApiError && error.code === 'daily_cap_reached';
    if (!isOverCap && line.queue !== 'dead_letter') throw error;
    noteError(line, error);
    const reason = isOverCap ? { pointer: '', detail: OVER_CAP } : NOT_STORED;
    const refused = items.map((item) => ({ ...item, errors: [reason] }));
    await context.database.query((await keepRejections(resource, refused, context)).statement);
    return 'rejected';
  }
}

/** The context of the request that brought the items, with the present settings of the workspace. */
function contextOf(
  { key_id, key_kind, key_goals, daily_caps, received_at }: QueuedBatch,
  {
    workspace,
    identity_keys,
    secrets,
    unkept,
    databases,
  }: Pick<Caller, 'workspace' | 'identity_keys'> & OpenedSecrets & { databases: Databases },
): RecordContext {
  const caller: Caller = {
    key_id,
    kind: key_kind,
    scopes: ['ingest'],
    allowed_origins: null,
    goals: key_goals ?? null,
    daily_caps: daily_caps ?? null,
    last_used_on: null,
    expires_at: null,
    narrowing: null,
    workspace,
    identity_keys,
  };
  const now = new Date(received_at);
  const used = notingUse(databases.inWorkspace(workspace.id), caller, now);
  const database = keepingKey(used, workspace.id, unkept);
  return { now, database, caller, workspace, secrets };
}
