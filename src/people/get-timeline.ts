import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { PersonId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { PageOf, PageQuery } from '../http/paging.ts';
import { boundsOf, RangeQuery } from '../stats/range-fields.ts';
import {
  placeOf,
  TimelineEntry,
  type TimelineRow,
  timelineEntryOut,
  timelineExample,
  timelinePageOf,
} from '../stats/timeline-fields.ts';
import { readTimeline } from './person-sql.ts';

export const getTimeline = operation({
  method: 'get',
  path: '/v1/people/{id}/timeline',
  id: 'getTimeline',
  tag: 'People',
  summary: "List a person's history",
  description:
    'Lists the touchpoints, conversions and links (items that assert that identities are one person) of a person, newest first, with a cursor. Pages stay stable while other items are written. Entries at one instant are ordered by type, then by id. Voided touchpoints and retracted conversions are included and marked. The id of a person who was merged away returns the survivor.',
  access: 'read',
  params: z.object({ id: PersonId }),
  query: z.object({ ...PageQuery.shape, ...RangeQuery.shape, ...FormatQuery.shape }),
  success: {
    status: 200,
    description: 'A page of the history.',
    schema: PageOf(TimelineEntry),
    example: { data: timelineExample, has_more: false, next_cursor: null },
  },
  errors: ['invalid_request', 'not_found'],
  isTable: true,
  handle: async ({ database, workspace }, { params, query }) => {
    const rows = await database.query<TimelineRow>(
      readTimeline({
        workspace_id: workspace.id,
        person_id: params.id,
        ...boundsOf(query, workspace.timezone),
        after: placeOf(query.cursor),
        limit: query.limit,
      }),
    );
    if (rows.length === 0) throw new ApiError('not_found', 'No person has this id.');
    return { body: timelinePageOf(rows, timelineEntryOut) };
  },
});
