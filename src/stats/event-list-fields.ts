import * as z from 'zod';
import type { WorkspaceSettings } from '../http/caller.ts';
import { AccountId, Instant, PersonId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { PageQuery } from '../http/paging.ts';
import type { EventListFilter } from './event-list-sql.ts';
import { boundsOf, RangeQuery } from './range-fields.ts';

/** Query parameters of the lists of touchpoints and of conversions. */
export const EventListQuery = z.object({
  ...PageQuery.shape,
  ...RangeQuery.shape,
  person_id: PersonId.optional().meta({ description: 'Only those of one person.' }),
  account_id: AccountId.optional().meta({
    description: 'Only those of everyone at one account, while they were members.',
  }),
  received_after: Instant.optional().meta({
    description: 'Only those received after this instant, for incremental sync.',
  }),
  ...FormatQuery.shape,
});

/** The filter of a list, with dates converted to instants. @throws ApiError invalid_request */
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
