import * as z from 'zod';
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
    'Newest first, by cursor; stable while others are written. `received_after` is for incremental sync: what came in since, whenever it happened; let polls overlap by a minute, since a batch is dated by its start.',
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
    const rows = await database.query<StoredTouchpoint>(
      selectTouchpoints(workspace.id, filter, where, decodeCursor(query.cursor), query.limit),
    );
    return {
      body: pageOf(rows.map(touchpointOut), query.limit, (row) => ({ at: row.occurred_at, id: row.id })),
    };
  },
});
