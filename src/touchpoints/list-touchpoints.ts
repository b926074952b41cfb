import { z } from '@hono/zod-openapi';
import { whereConditions } from '../db/where.ts';
import { AccountId, Instant, PersonId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { boundsOf, RangeQuery, WhereQuery } from '../http/report-fields.ts';
import { storedTouchpointExample, Touchpoint } from './touchpoint-schema.ts';
import { listTouchpoints, touchpointOut } from './touchpoint-sql.ts';

export const listTouchpointsOperation = operation({
  method: 'get',
  path: '/v1/touchpoints',
  id: 'listTouchpoints',
  tag: 'Touchpoints',
  summary: 'List touchpoints',
  description:
    'Newest first, by cursor; stable while others are written. `received_after` is for incremental sync: what came in since, whenever it happened; let polls overlap by a minute, since a batch is dated by its start.',
  access: 'read',
  params: z.object({}),
  query: z.object({
    ...PageQuery.shape,
    ...RangeQuery.shape,
    where: WhereQuery,
    person_id: PersonId.optional().openapi({ description: 'Of one person.' }),
    account_id: AccountId.optional().openapi({
      description: 'Of everyone at one company, while they were there.',
    }),
    received_after: Instant.optional().openapi({
      description: 'For incremental sync: received after this instant.',
    }),
    ...FormatQuery.shape,
  }),
  success: {
    status: 200,
    description: 'A page of touchpoints.',
    schema: PageOf(Touchpoint),
    example: { data: [storedTouchpointExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace }, { query }) => {
    const filter = {
      ...boundsOf(query, workspace.timezone),
      received_after: query.received_after ?? null,
      person_id: query.person_id ?? null,
      account_id: query.account_id ?? null,
      conditions: whereConditions(query.where ?? {}),
    };
    const rows = await database.query(
      listTouchpoints(workspace.id, filter, decodeCursor(query.cursor), query.limit),
    );
    return {
      body: pageOf(rows.map(touchpointOut), query.limit, (row) => ({ at: row.occurred_at, id: row.id })),
    };
  },
});
