import { parseExactJson } from '../domain/exact-json.ts';
import type { KeyKind, Resource } from '../domain/settings.ts';
import { inflate } from '../http/body.ts';
import type { Caller } from '../http/caller.ts';
import type { RecordContext } from '../http/operation.ts';
import type { WorkspaceSecrets } from '../http/secrets.ts';
import type { NamedItem } from './name-items.ts';

/** A message of the queue: items of one batch, with the key and the time of their request. */
export interface QueuedBatch {
  /** A consumer leaves a version that it does not know to one that does. */
  version: typeof MESSAGE_VERSION;
  workspace_id: string;
  resource: Resource;
  request_id: string;
  key_id: string;
  key_kind: KeyKind;
  /** Of a publishable key; absent in messages of release 0.1.0. */
  key_goals?: Caller['goals'];
  daily_caps?: Caller['daily_caps'];
  /** Time of the request, RFC 3339. */
  received_at: string;
  /** The items as JSON, compressed, encrypted like rejections, in hex. */
  items_encrypted: string;
}

const MESSAGE_VERSION = 1;

/** Cloudflare takes messages of 128 KB; the other fields need far less than the difference. */
const MAX_SEALED_CHARS = 120_000;

/** Before compression: one transaction of the consumer stores this much. Far below the limit of a body. */
const MAX_PLAIN_CHARS = 1024 * 1024;

type ItemOfMessage = Omit<NamedItem, 'pointer'>;

/** The batch as messages, in order, halved until each part fits in one. Null if a single item is too large. */
export async function messagesOf(
  resource: Resource,
  items: readonly NamedItem[],
  context: RecordContext & { request_id: string },
): Promise<QueuedBatch[] | null> {
  const items_encrypted = await sealed(items, context.secrets);
  if (items_encrypted !== null) {
    const { caller, workspace, request_id, now } = context;
    const { key_id, kind: key_kind, goals: key_goals, daily_caps } = caller;
    const key = { key_id, key_kind, key_goals, daily_caps };
    const about = { workspace_id: workspace.id, resource, request_id, ...key };
    return [{ version: MESSAGE_VERSION, ...about, received_at: now.toISOString(), items_encrypted }];
  }
  if (items.length === 1) return null;
  const middle = items.length >> 1;
  const left = await messagesOf(resource, items.slice(0, middle), context);
  const right = left && (await messagesOf(resource, items.slice(middle), context));
  return right && [...left, ...right];
}

/** Compressed and encrypted; null if it is too large for one message. */
async function sealed(items: readonly NamedItem[], secrets: WorkspaceSecrets): Promise<string | null> {
  const text = JSON.stringify(items.map(({ pointer: _, ...item }): ItemOfMessage => item));
  if (text.length > MAX_PLAIN_CHARS) return null;
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  const hex = await secrets.seal(new Uint8Array(await new Response(packed).arrayBuffer()));
  return hex.length > MAX_SEALED_CHARS ? null : hex;
}

/** @throws Error if this build does not read the version of the message */
export function readMessage(body: unknown): QueuedBatch {
  if ((body as Partial<QueuedBatch> | null)?.version === MESSAGE_VERSION) return body as QueuedBatch;
  throw new Error('this build does not read the version of a message in the queue');
}

/** The items of a message, with the ids that the request gave them. */
export async function itemsOf(message: QueuedBatch, secrets: WorkspaceSecrets): Promise<NamedItem[]> {
  const text = new TextDecoder().decode(await inflate(await secrets.openBytes(message.items_encrypted)));
  const items = parseExactJson(text) as ItemOfMessage[];
  return items.map((item) => ({ ...item, pointer: `/${message.resource}/${item.index}` }));
}
