import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { AccountId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { PageOf, PageQuery } from '../http/paging.ts';
import { boundsOf, RangeQuery } from '../stats/range-fields.ts';
import { placeOf, type TimelineRow, timelinePageOf } from '../stats/timeline-fields.ts';
import { AccountTimelineEntry, accountTimelineExample } from './account-schema.ts';
import { type AccountTimelineType, accountTimelineEntryOut, readAccountTimeline } from './account-sql.ts';

export const getAccountTimeline = operation({
  method: 'get',
  path: '/v1/accounts/{id}/timeline',
  id: 'getAccountTimeline',
  tag: 'Accounts',
  summary: "List an account's history",
  description:
    'Lists the touchpoints and conversions of all members of the account during their membership, newest first, with a cursor. Pages stay stable while other items are written. Entries at one instant are ordered by type, then by id. Voided touchpoints and retracted conversions are included and marked.',
  access: 'read',
  params: z.object({ id: AccountId }),
  query: z.object({ ...PageQuery.shape, ...RangeQuery.shape, ...FormatQuery.shape }),
  success: {
    status: 200,
    description: 'A page of the history.',
    schema: PageOf(AccountTimelineEntry),
    example: { data: accountTimelineExample, has_more: false, next_cursor: null },
  },
  errors: ['invalid_request', 'not_found'],
  isTable: true,
  handle: async ({ database, workspace }, { params, query }) => {
    const rows = await database.query<TimelineRow<AccountTimelineType>>(
      readAccountTimeline(params.id, {
        workspace_id: workspace.id,
        ...boundsOf(query, workspace.timezone),
        after: placeOf(query.cursor),
        limit: query.limit,
      }),
    );
    if (rows.length === 0) throw new ApiError('not_found', 'No account has this id or domain.');
    return { body: timelinePageOf(rows, accountTimelineEntryOut) };
  },
});
