import * as z from 'zod';
import { DIMENSIONS } from '../domain/touchpoint-fields.ts';
import { AccountId, PersonId } from '../http/fields.ts';

const Rate = z.number().nullable();

const Seconds = z.object({ median: z.number().nullable(), p90: z.number().nullable() });

const FunnelRow = z
  .object({
    step: z.number().int(),
    name: z.string(),
    count: z.number().int().meta({ description: 'How many came to the step.' }),
    rate_from_start: Rate.meta({ description: 'Of those at step 1; null where nobody was.' }),
    rate_from_previous: Rate.meta({ description: 'Of those at the step before; null at step 1.' }),
    value: z
      .number()
      .meta({ description: "Of the conversions that fill the step, in the report's currency." }),
    seconds_from_previous: Seconds.meta({ description: 'Exact; null where nobody is to be measured.' }),
    seconds_from_start: Seconds,
  })
  .meta({ id: 'FunnelRow' });
export type FunnelRow = z.output<typeof FunnelRow>;

const instant = () => z.string().meta({ format: 'date-time' });

export const FunnelReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The question as it was understood, defaults filled in.' }),
    observational: z.literal(true).meta({ description: 'What followed on what, no measured cause.' }),
    totals: z
      .object({
        currency: z.string(),
        started: z.number().int().meta({ description: 'The count of step 1.' }),
        completed: z.number().int().meta({ description: 'The count of the last step.' }),
        rate: Rate.meta({ description: 'Completed of started.' }),
        value: z.number().meta({ description: 'Of all steps.' }),
      })
      .meta({ description: 'Of the whole range, also where rows are split by interval.' }),
    data: z.array(
      z.object({
        interval: z
          .string()
          .optional()
          .meta({ description: 'Local start date of the day, ISO week or month in which chains begin.' }),
        ...FunnelRow.shape,
      }),
    ),
    breakdown: z
      .array(
        z.object({
          group: z
            .partialRecord(z.enum(DIMENSIONS), z.string().nullable())
            .nullable()
            .meta({
              type: ['object', 'null'],
              additionalProperties: { type: ['string', 'null'] },
              description: 'Null: those who did not come to the step of the breakdown.',
            }),
          other: z.literal(true).optional().meta({ description: 'All groups beyond the 50 largest.' }),
          steps: z.array(FunnelRow),
        }),
      )
      .optional(),
    previous: z
      .object({ from: instant(), to: instant(), data: z.array(FunnelRow) })
      .optional()
      .meta({ description: 'The time of equal length right before.' }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'FunnelReport' });
export type FunnelReport = z.output<typeof FunnelReport>;

export const FunnelEntity = z
  .object({
    person_id: PersonId.nullable().meta({ description: 'Null where it is an account.' }),
    account_id: AccountId.nullable(),
  })
  .meta({ id: 'FunnelEntity' });
export type FunnelEntity = z.output<typeof FunnelEntity>;
