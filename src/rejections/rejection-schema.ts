import * as z from 'zod';
import { RESOURCES } from '../domain/settings.ts';
import { FieldErrorSchema } from '../ingest/batch-answer.ts';
import { MAX_KEPT_BYTES } from '../ingest/keep-rejections.ts';

/** Long enough to notice and correct a fault, short enough not to hoard data that was never accepted. */
export const KEPT_DAYS = 30;

export const Rejection = z
  .object({
    id: z.string(),
    resource: z.enum(RESOURCES),
    item_id: z.string().meta({
      description: 'The id of the item: the one it was sent with, or the one that the server generated.',
    }),
    item: z.unknown().meta({
      description: 'The item as it was sent. Null if only its digest is kept, or if `item_unreadable`.',
    }),
    item_digest: z
      .string()
      .nullable()
      .meta({
        description: `Set if only a digest of the item is kept, because it has more than ${MAX_KEPT_BYTES / 1024} KiB or more than 1,000 strings: \`hmac-sha256:\` and 64 digits in hex, under a key of the workspace, so that equal items show.`,
      }),
    item_bytes: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'The size of an item of which only the digest is kept, as JSON in UTF-8.' }),
    item_unreadable: z.boolean().meta({
      description:
        'True if the item cannot be decrypted, because it was stored under another key. It cannot be replayed.',
    }),
    errors: z.array(FieldErrorSchema),
    received_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'Rejection' });
export type Rejection = z.output<typeof Rejection>;

export const rejectionExample: Rejection = {
  id: 'rj_5f1c3a9be0d84c6f9a7d2e4b8c1f6a30',
  resource: 'conversions',
  item_id: 'order-7',
  item: { id: 'order-7', goal: 'upgrade', person: { email: 'ann@acme.com' }, value: 40 },
  item_digest: null,
  item_bytes: null,
  item_unreadable: false,
  errors: [
    {
      pointer: '/conversions/0/goal',
      detail:
        'No goal in force has this key. Put it at /v1/goals/{key}, then replay the rejection or send the item again.',
    },
  ],
  received_at: '2026-05-03T09:30:00.420Z',
};
