import { v7 as uuidv7 } from 'uuid';
import { deriveChannel } from '../domain/channels.ts';
import { normaliseOriginText } from '../domain/touchpoint-fields.ts';
import type { RecordContext } from '../http/operation.ts';
import { batchOperation } from '../ingest/batch-operation.ts';
import { mapOf, normaliseItem } from '../ingest/normalise-item.ts';
import { claimsOf, type HashedIdentity, type PersonOfItem, personOf } from '../ingest/person.ts';
import { ignoredMembers, isPublishable, withPageLinks } from '../ingest/publishable.ts';
import type { IngestResource, Prepared } from '../ingest/record-batch.ts';
import { resolveBatch } from '../ingest/resolve-batch.ts';
import { TouchpointInput, touchpointExample } from './touchpoint-schema.ts';
import { checkTouchpoints, insertTouchpoints, type TouchpointRow } from './touchpoint-sql.ts';

/** Ids of conversions that touchpoints record begin so. A page could make one look like that of another touchpoint. */
const RESERVED_ID = /^tp[:.]/;
const RESERVED = 'Choose another id; with a publishable key it cannot begin with tp: or tp.';

const FROM_PAGE =
  'This was ignored. A publishable key records what the visitor of a page does; it cannot speak for the team or name an advocate. Send it with a secret key.';

const SELF_REFERRAL =
  'The advocate is the person of this item. Name somebody else, or leave `referred_by` out.';

export const touchpointIngest: IngestResource<TouchpointInput, TouchpointRow> = {
  resource: 'touchpoints',
  id_prefix: 'tp',
  schema: TouchpointInput,
  prepare,
  write: async (rows, context) => {
    const claims = await claimsOf(rows, context, uuidv7);
    return [
      ...resolveBatch('touchpoints', claims, context),
      insertTouchpoints(context.workspace.id, withPageLinks(rows, claims, context), context.caller),
    ];
  },
  check: (rows, { workspace, caller }) => checkTouchpoints(workspace.id, rows, caller.kind),
  rejections: {
    self_referral: { pointer: '/referred_by', detail: SELF_REFERRAL },
  },
};

async function prepare(
  item: TouchpointInput,
  id: string,
  pointer: string,
  context: RecordContext,
): Promise<Prepared<TouchpointRow>> {
  const about = await normaliseItem(item, pointer, context);
  if ('errors' in about) return about;
  const { occurred_at, identities, account, warnings } = about;
  if (isPublishable(context)) {
    if (RESERVED_ID.test(id)) return { errors: [{ pointer: `${pointer}/id`, detail: RESERVED }] };
    warnings.push(...ignoredMembers(item, ['referred_by'], pointer, FROM_PAGE));
    if (item.direction === 'outbound') warnings.push({ pointer: `${pointer}/direction`, detail: FROM_PAGE });
    item = { ...item, referred_by: null, direction: item.direction === 'outbound' ? null : item.direction };
  }
  const advocate = await advocateOf(item, identities, pointer, context);
  if (advocate.errors.length > 0) return { errors: advocate.errors };
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
    source: storedForm(resolved.source),
    medium: storedForm(resolved.medium),
    content: content ?? resolved.content,
    term: term ?? resolved.term,
    channel: item.channel ?? channel,
    conversation: conversation?.id,
    topic: conversation?.topic,
  };
  return {
    row: { id, occurred_at, identities, account, referred_by: advocate.identities, columns },
    content: {
      ...about.content,
      direction: direction ?? null,
      referred_by: item.referred_by ? mapOf(advocate.identities) : null,
    },
    warnings: [...warnings, ...advocate.warnings],
  };
}

/** What a URL says is in any case, unlike a sent `source` or `medium`, whose schema has normalised it. */
function storedForm(text: string | null): string | null {
  return text === null ? null : normaliseOriginText(text);
}

/** The identities of the advocate; empty without `referred_by`. Placeholders alone are an error. */
async function advocateOf(
  { referred_by }: TouchpointInput,
  person: readonly HashedIdentity[],
  pointer: string,
  context: RecordContext,
): Promise<PersonOfItem> {
  if (!referred_by) return { identities: [], warnings: [], errors: [] };
  const place = `${pointer}/referred_by`;
  const advocate = await personOf(referred_by, place, context);
  const own = new Set(person.map(({ namespace, value }) => `${namespace}:${value}`));
  const isSelf = advocate.identities.some(({ namespace, value }) => own.has(`${namespace}:${value}`));
  if (isSelf) advocate.errors.push({ pointer: place, detail: SELF_REFERRAL });
  return advocate;
}

export const recordTouchpoints = batchOperation({
  id: 'recordTouchpoints',
  tag: 'Touchpoints',
  summary: 'Record touchpoints',
  description:
    'Stores 1 to 1000 touchpoints in one transaction and returns a result for each. The operation is idempotent: an id that is stored with the same content is a duplicate, and one stored with other content is a conflict. An item of a secret key replaces one of a publishable key with the same id, in whatever order they arrive. The body may also be NDJSON, one touchpoint a line and at most 10,000 lines, and may be compressed with gzip. It has at most 5 MiB after inflation. A 2xx is sent only when the items are durable.',
  example: touchpointExample,
  ingest: touchpointIngest,
  takesPublishableKeys: true,
  takesQueue: true,
});
