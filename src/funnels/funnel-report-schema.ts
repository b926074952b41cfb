import { z } from '@hono/zod-openapi';
import { DIMENSIONS } from '../domain/touchpoint-fields.ts';
import { AccountId, PersonId } from '../http/fields.ts';

const Rate = z.number().nullable();

const Seconds = z.object({ median: z.number().nullable(), p90: z.number().nullable() });

const FunnelRow = z
  .object({
    step: z.number().int(),
    name: z.string(),
    count: z.number().int().openapi({ description: 'How many came to the step.' }),
    rate_from_start: Rate.openapi({ description: 'Of those at step 1; null where nobody was.' }),
    rate_from_previous: Rate.openapi({ description: 'Of those at the step before; null at step 1.' }),
    value: z
      .number()
      .openapi({ description: "Of the conversions that fill the step, in the report's currency." }),
    seconds_from_previous: Seconds.openapi({ description: 'Exact; null where nobody is to be measured.' }),
    seconds_from_start: Seconds,
  })
  .openapi('FunnelRow');
export type FunnelRow = z.output<typeof FunnelRow>;

const instant = () => z.string().openapi({ format: 'date-time' });

export const FunnelReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'The question as it was understood, defaults filled in.' }),
    observational: z.literal(true).openapi({ description: 'What followed on what, no measured cause.' }),
    totals: z
      .object({
        currency: z.string(),
        started: z.number().int().openapi({ description: 'The count of step 1.' }),
        completed: z.number().int().openapi({ description: 'The count of the last step.' }),
        rate: Rate.openapi({ description: 'Completed of started.' }),
        value: z.number().openapi({ description: 'Of all steps.' }),
      })
      .openapi({ description: 'Of the whole range, also where rows are split by interval.' }),
    data: z.array(
      z.object({
        interval: z
          .string()
          .optional()
          .openapi({ description: 'Local start date of the day, ISO week or month in which chains begin.' }),
        ...FunnelRow.shape,
      }),
    ),
    breakdown: z
      .array(
        z.object({
          group: z
            .partialRecord(z.enum(DIMENSIONS), z.string().nullable())
            .nullable()
            .openapi({
              type: ['object', 'null'],
              additionalProperties: { type: ['string', 'null'] },
              description: 'Null: those who did not come to the step of the breakdown.',
            }),
          other: z.literal(true).optional().openapi({ description: 'All groups beyond the 50 largest.' }),
          steps: z.array(FunnelRow),
        }),
      )
      .optional(),
    previous: z
      .object({ from: instant(), to: instant(), data: z.array(FunnelRow) })
      .optional()
      .openapi({ description: 'The time of equal length right before.' }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .openapi('FunnelReport');
export type FunnelReport = z.output<typeof FunnelReport>;

export const FunnelEntity = z
  .object({
    person_id: PersonId.nullable().openapi({ description: 'Null where it is an account.' }),
    account_id: AccountId.nullable(),
  })
  .openapi('FunnelEntity');
export type FunnelEntity = z.output<typeof FunnelEntity>;
