import * as z from 'zod';
import { decimalOf } from '../domain/money.ts';
import { Currency, Day } from '../http/fields.ts';

export const MAX_RATES = 1000;

/** Parsed to decimal text, for `numeric`. */
const RateInput = z
  .union([z.number(), z.string()], { message: 'Send a number or a decimal string' })
  .transform((rate, context) => {
    const decimal = decimalOf(rate);
    if (decimal !== null && Number(decimal) > 0) return decimal;
    context.addIssue({ code: 'custom', message: 'Send a number above 0, with at most 20 decimals' });
    return z.NEVER;
  })
  .meta({
    description: 'The price of one unit of `from` in units of `to`: a number or a decimal string.',
    example: 1.0837,
  });

const FxRateInput = z
  .strictObject({ date: Day, from: Currency, to: Currency, rate: RateInput })
  .refine(({ from, to }) => from !== to, { path: ['to'], message: 'Name two different currencies' });

export const FxRatesInput = z
  .strictObject({ rates: z.array(FxRateInput).min(1).max(MAX_RATES) })
  .superRefine(({ rates }, context) => {
    const seen = new Set<string>();
    for (const [i, { date, from, to }] of rates.entries()) {
      const pair = `${date} ${from} ${to}`;
      if (seen.has(pair))
        context.addIssue({
          code: 'custom',
          path: ['rates', i],
          message: 'The list has this day and pair twice; send it once',
        });
      seen.add(pair);
    }
  })
  .meta({ id: 'FxRatesInput' });
export type FxRatesInput = z.output<typeof FxRatesInput>;

export const FxRate = z
  .object({
    date: z.string().meta({ format: 'date', description: "A day in the workspace's time zone." }),
    from: z.string(),
    to: z.string(),
    rate: z.number(),
    updated_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'FxRate' });
export type FxRate = z.output<typeof FxRate>;

export const fxRateExample: FxRate = {
  date: '2026-05-04',
  from: 'EUR',
  to: 'USD',
  rate: 1.0837,
  updated_at: '2026-05-04T16:00:00.000Z',
};
