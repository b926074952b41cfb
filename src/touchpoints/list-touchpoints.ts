import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, pageOf } from '../http/paging.ts';
import { EventListQuery, eventFilterOf } from '../stats/event-list-fields.ts';
import { WhereQuery } from '../stats/where-fields.ts';
import { whereConditions } from '../stats/where-sql.ts';
import { storedTouchpointExample, Touchpoint } from './touchpoint-schema.ts';
import { type StoredTouchpoint, selectTouchpoints, touchpointOut } from './touchpoint-sql.ts';

export const listTouchpoints = operation({
  method: 'get',
  path: '/v1/touchpoints',
  id: 'listTouchpoints',
  tag: 'Touchpoints',
  summary: 'List touchpoints',
  description:
    'Lists touchpoints newest first, with a cursor. Pages stay stable while other touchpoints are written. For incremental sync, `received_after` selects touchpoints by when they were received, whenever they occurred. All items of a batch are dated by its start, so let polls overlap by a minute.',
  access: 'read',
  params: z.object({}),
  query: z.object({ ...EventListQuery.shape, where: WhereQuery }),
  success: {
    status: 200,
    description: 'A page of touchpoints.',
    schema: PageOf(Touchpoint),
    example: { data: [storedTouchpointExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace }, { query }) => {
    const filter = eventFilterOf(query, workspace);
    const where = whereConditions(query.where ?? {});
    const rows = await database.query<StoredTouchpoint & OfPage>(
      selectTouchpoints(workspace.id, filter, where, decodeCursor(query.cursor), query.limit),
    );
    return {
      body: pageOf(rows, touchpointOut, (row) => ({ at: row.occurred_at, id: row.id })),
    };
  },
});
