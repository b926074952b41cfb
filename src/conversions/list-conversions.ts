import { z } from '@hono/zod-openapi';
import { AccountId, GoalKey, Instant, PersonId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { boundsOf, RangeQuery } from '../http/report-fields.ts';
import { Conversion, storedConversionExample } from './conversion-schema.ts';
import { conversionOut, listConversions } from './conversion-sql.ts';

export const listConversionsOperation = operation({
  method: 'get',
  path: '/v1/conversions',
  id: 'listConversions',
  tag: 'Conversions',
  summary: 'List conversions',
  description:
    'Newest first, by cursor, each with what it is worth now. `received_after` is for incremental sync: what came in since, whenever it happened; let polls overlap by a minute, since a batch is dated by its start.',
  access: 'read',
  params: z.object({}),
  query: z.object({
    ...PageQuery.shape,
    ...RangeQuery.shape,
    goal: z.array(GoalKey).min(1).optional().openapi({ description: 'One or several goals.' }),
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
    description: 'A page of conversions.',
    schema: PageOf(Conversion),
    example: { data: [storedConversionExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace }, { query }) => {
    const filter = {
      ...boundsOf(query, workspace.timezone),
      received_after: query.received_after ?? null,
      person_id: query.person_id ?? null,
      account_id: query.account_id ?? null,
      goals: query.goal ?? null,
    };
    const rows = await database.query(
      listConversions(workspace.id, filter, decodeCursor(query.cursor), query.limit),
    );
    return {
      body: pageOf(rows.map(conversionOut), query.limit, (row) => ({ at: row.occurred_at, id: row.id })),
    };
  },
});
