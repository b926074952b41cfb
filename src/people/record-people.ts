import { v7 as uuidv7 } from 'uuid';
import * as z from 'zod';
import { Instant, Properties, SenderId } from '../http/fields.ts';
import { AccountInput } from '../ingest/account.ts';
import { batchOperation } from '../ingest/batch-operation.ts';
import { normaliseItem } from '../ingest/normalise-item.ts';
import { claimsOf, PersonMap } from '../ingest/person.ts';
import { ignoredMembers, isPublishable } from '../ingest/publishable.ts';
import type { IngestResource } from '../ingest/record-batch.ts';
import { resolvePeople } from '../ingest/resolve-people-sql.ts';
import { checkPersonUpdates, insertPersonUpdates, type PersonUpdateRow } from './person-ingest-sql.ts';

const PersonUpdateInput = z
  .strictObject({
    id: SenderId.nullish(),
    person: PersonMap,
    account: AccountInput.nullish(),
    occurred_at: Instant.nullish().meta({
      description: 'The time that the assertions apply from. Defaults to now.',
    }),
    traits: Properties.nullish().meta({
      description: 'Traits of the person. Merged key by key; the latest assertion of a key decides.',
    }),
    consent: z
      .strictObject({ analytics: z.boolean() })
      .nullish()
      .meta({ description: 'With `analytics: false`, touchpoints from then on are dropped.' }),
  })
  .meta({ id: 'PersonUpdateInput' });
type PersonUpdateInput = z.output<typeof PersonUpdateInput>;

const FROM_PAGE =
  'This was ignored. A publishable key links identities and does not describe people, because anyone could then do so in their name. Send it with a secret key.';

export const personIngest: IngestResource<PersonUpdateInput, PersonUpdateRow> = {
  resource: 'people',
  id_prefix: 'pu',
  schema: PersonUpdateInput,
  prepare: async (item, id, pointer, context) => {
    const about = await normaliseItem(item, pointer, context);
    if ('errors' in about) return about;
    const { occurred_at, identities, account, content, warnings } = about;
    const row = { id, occurred_at, identities, account };
    if (isPublishable(context)) {
      const unheard = ignoredMembers(item, ['traits', 'consent'], pointer, FROM_PAGE);
      return {
        row: { ...row, traits: null, analytics_consent: null },
        content: { ...content, traits: null, consent: null },
        warnings: [...warnings, ...unheard],
      };
    }
    const traits = item.traits ?? null;
    const analytics_consent = item.consent?.analytics ?? null;
    return { row: { ...row, traits, analytics_consent }, content, warnings };
  },
  write: async (rows, context) => [
    resolvePeople(context.workspace.id, 'people', await claimsOf(rows, context, uuidv7), {
      hashVersion: context.secrets.hash_version,
      kind: context.caller.kind,
    }),
    insertPersonUpdates(context.workspace.id, rows),
  ],
  check: (rows, context) => checkPersonUpdates(context.workspace.id, rows),
  rejections: {},
};

export const recordPeople = batchOperation({
  id: 'recordPeople',
  tag: 'People',
  summary: 'Link and describe people',
  description:
    'Records assertions about people: which identities are one person, their traits, their account, and their consent to storing touchpoints. The rules are those of touchpoints: 1 to 1000 items, a result for each, idempotent.',
  example: {
    id: 'crm-42',
    person: { user_id: 'u1', email: 'ann@acme.com' },
    account: { id: 'sf-17', domain: 'acme.com', name: 'Acme' },
    occurred_at: '2026-05-01T12:00:00Z',
    traits: { plan: 'pro' },
    consent: { analytics: true },
  },
  ingest: personIngest,
  takesPublishableKeys: true,
});
