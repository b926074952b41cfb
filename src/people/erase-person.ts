import * as z from 'zod';
import { audited } from '../db/audited.ts';
import type { ErasureReceipt } from '../domain/people.ts';
import { ApiError } from '../http/errors.ts';
import { PersonId } from '../http/fields.ts';
import { operation } from '../http/operation.ts';
import { callErasePerson, isErasedAt } from './erasure-sql.ts';

const Receipt = z
  .object({
    person_id: PersonId,
    erased_at: z.string().meta({ format: 'date-time' }),
    identities: z.number().int(),
    touchpoints: z.number().int(),
    conversions: z.number().int(),
    rejections: z.number().int(),
  })
  .meta({ id: 'ErasureReceipt' });

export const erasePerson = operation({
  method: 'delete',
  path: '/v1/people/{id}',
  id: 'erasePerson',
  tag: 'People',
  summary: 'Erase a person',
  description:
    'Erases who a person is, at once and irreversibly. Touchpoints and conversions move to a nameless person and lose their URLs, referrers, content, terms, topics and properties; totals stay. Ids stay too, because they keep the order and detect duplicates: put nothing personal in them. Rejected items that have a value of the person anywhere are deleted. Items of the person from before the erasure are dropped (`erased`) when they are sent again; later ones create a new person. The operation is idempotent and returns the same receipt.',
  access: 'admin',
  params: z.object({ id: PersonId }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The receipt: how much was erased, and when.',
    schema: Receipt,
    example: {
      person_id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
      erased_at: '2026-06-01T12:00:00.000Z',
      identities: 2,
      touchpoints: 14,
      conversions: 1,
      rejections: 0,
    },
  },
  errors: ['not_found'],
  handle: async (context, { params }) => {
    const { database, workspace, now } = context;
    const entry = { actor: context, action: 'person.erase', target_id: params.id } as const;
    const [row] = await database.query<{ receipt: ErasureReceipt | null }>(
      audited(callErasePerson(workspace.id, params.id, now), entry, isErasedAt(now)),
    );
    if (!row?.receipt) throw new ApiError('not_found', 'No person has this id.');
    return { body: { ...row.receipt, erased_at: new Date(row.receipt.erased_at).toISOString() } };
  },
});
