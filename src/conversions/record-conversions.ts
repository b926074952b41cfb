import { v7 as uuidv7 } from 'uuid';
import type { RecordContext } from '../http/operation.ts';
import { batchOperation } from '../ingest/batch-operation.ts';
import { normaliseItem } from '../ingest/normalise-item.ts';
import { claimsOf } from '../ingest/person.ts';
import { ignoredMembers, isPublishable, refusedGoal, withPageLinks } from '../ingest/publishable.ts';
import type { IngestResource, Prepared } from '../ingest/record-batch.ts';
import { resolveBatch } from '../ingest/resolve-batch.ts';
import { ConversionInput, conversionExample } from './conversion-schema.ts';
import { type ConversionRow, checkConversions, insertConversions } from './conversion-sql.ts';

export const conversionIngest: IngestResource<ConversionInput, ConversionRow> = {
  resource: 'conversions',
  id_prefix: 'cv',
  schema: ConversionInput,
  prepare,
  write: async (rows, context) => {
    const { workspace, caller } = context;
    const claims = await claimsOf(rows, context, uuidv7);
    const linked = withPageLinks(rows, claims, context);
    return [
      ...resolveBatch('conversions', claims, context),
      insertConversions(workspace.id, workspace.currency, linked, caller.kind),
    ];
  },
  check: (rows, { workspace, caller }) => checkConversions(workspace.id, rows, caller.kind),
  rejections: {
    unknown_goal: {
      pointer: '/goal',
      detail:
        'No goal in force has this key. Put it at /v1/goals/{key}, then replay the rejection or send the item again.',
    },
  },
};

async function prepare(
  item: ConversionInput,
  id: string,
  pointer: string,
  context: RecordContext,
): Promise<Prepared<ConversionRow>> {
  const about = await normaliseItem(item, pointer, context);
  if ('errors' in about) return about;
  const refused = refusedGoal(item.goal, pointer, context.caller);
  if (refused.length > 0) return { errors: refused };
  const { occurred_at, identities, account, content, warnings } = about;
  const isDoubted = isPublishable(context) && !context.workspace.trust_publishable_values;
  const money = isDoubted ? NO_MONEY : { value: item.value ?? null, currency: item.currency ?? null };
  const row = {
    id,
    goal: item.goal,
    occurred_at,
    identities,
    account,
    ...money,
    properties: item.properties ?? null,
  };
  if (!isDoubted) return { row, content, warnings };
  const unheard = ignoredMembers(item, ['value', 'currency'], pointer, VALUE_FROM_PAGE);
  // Ignored members are left out of the content hash.
  return { row, content: { ...content, ...NO_MONEY }, warnings: [...warnings, ...unheard] };
}

const NO_MONEY = { value: null, currency: null };
const VALUE_FROM_PAGE =
  "This is ignored and the goal's default value counts, because anyone can read a publishable key. Send it with a secret key, or set `trust_publishable_values` of the workspace.";

export const recordConversions = batchOperation({
  id: 'recordConversions',
  tag: 'Conversions',
  summary: 'Record conversions',
  description:
    'Stores 1 to 1000 conversions in one transaction and returns a result for each, under the same rules as touchpoints. The goal must exist: an item that names an unknown goal is rejected, and the rejection can be replayed.',
  example: conversionExample,
  ingest: conversionIngest,
  takesPublishableKeys: true,
  takesQueue: true,
});
