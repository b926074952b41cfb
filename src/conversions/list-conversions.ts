import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { GoalKey } from '../http/fields.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, pageOf } from '../http/paging.ts';
import { EventListQuery, eventFilterOf } from '../stats/event-list-fields.ts';
import { Conversion, storedConversionExample } from './conversion-schema.ts';
import { conversionOut, type StoredConversion, selectConversions } from './conversion-sql.ts';

export const listConversions = operation({
  method: 'get',
  path: '/v1/conversions',
  id: 'listConversions',
  tag: 'Conversions',
  summary: 'List conversions',
  description:
    'Lists conversions newest first, with a cursor, each with its current net value. For incremental sync, `received_after` selects conversions by when they were received, whenever they occurred. All items of a batch are dated by its start, so let polls overlap by a minute.',
  access: 'read',
  params: z.object({}),
  query: z.object({
    ...EventListQuery.shape,
    goal: z.array(GoalKey).min(1).optional().meta({ description: 'One or several goals.' }),
  }),
  success: {
    status: 200,
    description: 'A page of conversions.',
    schema: PageOf(Conversion),
    example: { data: [storedConversionExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace }, { query }) => {
    const filter = eventFilterOf(query, workspace);
    const rows = await database.query<StoredConversion & OfPage>(
      selectConversions(workspace.id, filter, query.goal ?? null, decodeCursor(query.cursor), query.limit),
    );
    return {
      body: pageOf(rows, conversionOut, (row) => ({ at: row.occurred_at, id: row.id })),
    };
  },
});
