import { v7 as uuidv7 } from 'uuid';
import { resolvePeople } from '../db/resolve-people.ts';
import { deriveChannel } from '../domain/channels.ts';
import { batchOperation } from '../http/ingest/batch-operation.ts';
import { claimsOf } from '../http/ingest/person.ts';
import type { IngestResource, Prepared } from '../http/ingest/record-batch.ts';
import { whoAndWhen } from '../http/ingest/who-and-when.ts';
import type { WorkspaceContext } from '../http/operation.ts';
import { HASH_VERSION } from '../http/secrets.ts';
import { TouchpointInput, touchpointExample } from './touchpoint-schema.ts';
import { checkTouchpoints, insertTouchpoints, type TouchpointRow } from './touchpoint-sql.ts';

export const touchpointIngest: IngestResource<TouchpointInput, TouchpointRow> = {
  resource: 'touchpoints',
  id_prefix: 'tp',
  schema: TouchpointInput,
  prepare,
  write: async (rows, context) => [
    resolvePeople(context.workspace.id, 'touchpoints', await claimsOf(rows, context, uuidv7), HASH_VERSION),
    insertTouchpoints(context.workspace.id, rows),
  ],
  check: (rows, context) => checkTouchpoints(context.workspace.id, rows),
  refusals: {},
};

async function prepare(
  item: TouchpointInput,
  id: string,
  pointer: string,
  context: WorkspaceContext,
): Promise<Prepared<TouchpointRow>> {
  const about = await whoAndWhen(item, pointer, context);
  if ('errors' in about) return about;
  const { occurred_at, identities, person, warnings } = about;
  const { channel, ...resolved } = deriveChannel(item);
  const { kind, direction, stage, content, term, sentiment, url, referrer, properties, conversation } = item;
  const columns = {
    kind,
    direction,
    stage,
    sentiment,
    url,
    referrer,
    properties,
    ...resolved,
    content: content ?? resolved.content,
    term: term ?? resolved.term,
    channel: item.channel ?? channel,
    conversation: conversation?.id,
    topic: conversation?.topic,
  };
  return { row: { id, occurred_at, identities, columns }, content: { person }, warnings };
}

export const recordTouchpoints = batchOperation({
  id: 'recordTouchpoints',
  tag: 'Touchpoints',
  summary: 'Record touchpoints',
  description:
    'Stores 1 to 1000 touchpoints in one transaction and answers for each. Safe to repeat: an id that is stored with the same content is a duplicate, with other content a conflict. Also takes NDJSON, one touchpoint a line, to 10,000 lines, and gzip; at most 5 MiB after inflation. A 2xx is sent only when the items are durable.',
  example: touchpointExample,
  ingest: touchpointIngest,
});
