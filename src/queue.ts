import { type Databases, openDatabases } from './db/client.ts';
import { workspaceById } from './http/authenticate.ts';
import type { Caller, WorkspaceSettings } from './http/caller.ts';
import type { Config } from './http/config.ts';
import { notingUse } from './http/last-used.ts';
import type { RecordContext } from './http/operation.ts';
import { secretsOf, type WorkspaceSecrets } from './http/secrets.ts';
import { keepRejections } from './ingest/keep-rejections.ts';
import { itemsOf, type QueuedBatch, readMessage } from './ingest/queue-message.ts';
import { recorders } from './operations.ts';

/** A message as Cloudflare delivers it, at least once, as far as it is used. */
export interface Delivery {
  body: unknown;
  /** 1 the first time. */
  attempts: number;
  ack(): void;
  retry(options: { delaySeconds: number }): void;
}

export interface Deliveries {
  /** The name of the queue, as in wrangler.toml. */
  queue: string;
  messages: readonly Delivery[];
}

/** Where messages go that were tried as often as wrangler.toml says. */
const DEAD_LETTER_SUFFIX = '-dead';

/** Doubled with each attempt, up to an hour: a database that is away for a night is waited for. */
const FIRST_DELAY_SECONDS = 10;
const MAX_DELAY_SECONDS = 3600;

/** What became of a message. */
type Outcome = 'stored' | 'rejected' | 'workspace_deleted' | 'to_be_retried';

const NOT_STORED = {
  pointer: '',
  detail:
    'It was tried many times and could not be stored. Replay it; if it comes back, its values are what the service cannot take, and the log has the reason.',
};

/**
 * Stores what the queue has kept, each message by itself: it is done with once everything in it is stored or kept under
 * /v1/rejections, and is delivered again if not. A message that comes twice is a batch that is sent twice. Never throws,
 * as that would deliver the others again too.
 */
export async function consumeQueue(deliveries: Deliveries, config: Config): Promise<void> {
  const isLastStop = deliveries.queue.endsWith(DEAD_LETTER_SUFFIX);
  for (const delivery of deliveries.messages) await consume(delivery, isLastStop, config);
}

/** What is written of a message, by the same rule as of a request: no more than this, and nothing that was sent. */
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

/** Only what cannot hold data: messages of drivers may quote values. */
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

/** One message, until everything in it is stored or kept aside. */
async function settle(
  message: QueuedBatch,
  databases: Databases,
  config: Config,
  line: MessageLine,
): Promise<Outcome> {
  const { workspace_id, resource } = message;
  const workspace = await workspaceById(databases.lookup(), workspace_id);
  if (!workspace) return 'workspace_deleted';
  const secrets = await secretsOf(config.identity_secret, workspace_id);
  const context = contextOf(message, { workspace, secrets, databases });
  const items = await itemsOf(message, secrets);
  try {
    await recorders[resource](items, context);
    return 'stored';
  } catch (error) {
    if (line.queue !== 'dead_letter') throw error;
    noteError(line, error);
    const refused = items.map((item) => ({ ...item, errors: [NOT_STORED] }));
    await context.database.query(await keepRejections(resource, refused, context));
    return 'rejected';
  }
}

/** As the request had it that brought the items, but for the settings of the workspace, which are those of now. */
function contextOf(
  { key_id, key_kind, received_at }: QueuedBatch,
  {
    workspace,
    secrets,
    databases,
  }: { workspace: WorkspaceSettings; secrets: WorkspaceSecrets; databases: Databases },
): RecordContext {
  const caller: Caller = {
    key_id,
    kind: key_kind,
    scopes: ['ingest'],
    allowed_origins: null,
    last_used_on: null,
    expires_at: null,
    narrowing: null,
    workspace,
  };
  const now = new Date(received_at);
  const database = notingUse(databases.inWorkspace(workspace.id), caller, now);
  return { now, database, caller, workspace, secrets };
}
