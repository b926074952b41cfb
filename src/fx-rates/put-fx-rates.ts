import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { FxRate, FxRatesInput, fxRateExample, MAX_RATES } from './fx-rate-schema.ts';
import { fxRateOut, type StoredFxRate, upsertFxRates } from './fx-rate-sql.ts';

export const putFxRates = operation({
  method: 'put',
  path: '/v1/fx-rates',
  id: 'putFxRates',
  tag: 'Spend',
  summary: 'Make or replace exchange rates',
  description: `Up to ${MAX_RATES} rates, each of one day and pair; those that are not named stay. Reports convert a value at the rate of its day, or else the latest within the 7 days before; a pair the other way around counts as its inverse, and where there is neither, the way leads across the workspace's currency. Reports of earlier days change with their rates.`,
  access: 'admin',
  params: z.object({}),
  query: z.object({}),
  body: FxRatesInput,
  bodyExample: { rates: [{ date: '2026-05-04', from: 'EUR', to: 'USD', rate: 1.0837 }] },
  success: {
    status: 200,
    description: 'The rates that are new or have changed; none where all were as sent.',
    schema: z.object({ data: z.array(FxRate) }),
    example: { data: [fxRateExample] },
  },
  errors: [...BODY_ERRORS],
  handle: async (context, { body }) => {
    const entry = { actor: context, action: 'fx_rates.put', target_id: null } as const;
    const rows = await context.database.query<StoredFxRate>(
      audited(upsertFxRates(context.workspace.id, body), entry),
    );
    return { body: { data: rows.map(fxRateOut) } };
  },
});
