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
  summary: 'Create or replace exchange rates',
  description: `Takes up to ${MAX_RATES} rates, each of one day and currency pair; other rates stay. Reports convert a value at the rate of its day, or else at the latest rate within the 7 days before. A rate of the inverse pair counts as its inverse. If the pair has neither, the value is converted through the workspace's currency. A change of rates changes reports of earlier days.`,
  access: 'admin',
  params: z.object({}),
  query: z.object({}),
  body: FxRatesInput,
  bodyExample: { rates: [{ date: '2026-05-04', from: 'EUR', to: 'USD', rate: 1.0837 }] },
  success: {
    status: 200,
    description: 'The rates that are new or have changed; none if all were stored as sent.',
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
