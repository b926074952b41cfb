import * as z from 'zod';
import type { WorkspaceSettings } from '../http/caller.ts';
import { AccountId, Instant, PersonId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { PageQuery } from '../http/paging.ts';
import type { EventListFilter } from './event-list-sql.ts';
import { boundsOf, RangeQuery } from './range-fields.ts';

/** What the lists of touchpoints and of conversions can be asked. */
export const EventListQuery = z.object({
  ...PageQuery.shape,
  ...RangeQuery.shape,
  person_id: PersonId.optional().meta({ description: 'Of one person.' }),
  account_id: AccountId.optional().meta({
    description: 'Of everyone at one company, while they were there.',
  }),
  received_after: Instant.optional().meta({
    description: 'For incremental sync: received after this instant.',
  }),
  ...FormatQuery.shape,
});

export function eventFilterOf(
  query: z.output<typeof EventListQuery>,
  { timezone }: Pick<WorkspaceSettings, 'timezone'>,
): EventListFilter {
  return {
    ...boundsOf(query, timezone),
    received_after: query.received_after ?? null,
    person_id: query.person_id ?? null,
    account_id: query.account_id ?? null,
  };
}
