import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { Currency, Day } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { decodeIdCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { FxRate, fxRateExample } from './fx-rate-schema.ts';
import { fxRateOut, type StoredFxRate, selectFxRates } from './fx-rate-sql.ts';

/** The position of a row in the list, as a cursor holds it. */
const PLACE = /^\d{4}-\d{2}-\d{2} [A-Z]{3} [A-Z]{3}$/;

export const listFxRates = operation({
  method: 'get',
  path: '/v1/fx-rates',
  id: 'listFxRates',
  tag: 'Spend',
  summary: 'List exchange rates',
  description: 'Lists exchange rates, newest day first, with a cursor.',
  access: 'read',
  params: z.object({}),
  query: z.object({
    ...PageQuery.shape,
    first_day: Day.optional().meta({ description: 'Inclusive.' }),
    last_day: Day.optional().meta({ description: 'Inclusive.' }),
    from: Currency.optional(),
    to: Currency.optional().meta({ example: 'USD' }),
    ...FormatQuery.shape,
  }),
  success: {
    status: 200,
    description: 'A page of rates.',
    schema: PageOf(FxRate),
    example: { data: [fxRateExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace }, { query }) => {
    const { first_day = null, last_day = null, from = null, to = null, limit } = query;
    const place = decodeIdCursor(query.cursor, PLACE)?.split(' ');
    const after = place ? { date: place[0] ?? '', from: place[1] ?? '', to: place[2] ?? '' } : null;
    const filter = { first_day, last_day, from, to };
    const rows = await database.query<StoredFxRate & OfPage>(
      selectFxRates(workspace.id, filter, after, limit),
    );
    const idOf = (rate: FxRate) => ({ id: `${rate.date} ${rate.from} ${rate.to}` });
    return { body: pageOf(rows, fxRateOut, idOf) };
  },
});
