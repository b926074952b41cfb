import * as z from 'zod';
import { DIMENSIONS } from '../domain/touchpoint-fields.ts';
import { AccountId, PersonId } from '../http/fields.ts';

const Rate = z.number().nullable();

const Seconds = z.object({ median: z.number().nullable(), p90: z.number().nullable() });

const FunnelRow = z
  .object({
    step: z.number().int(),
    name: z.string(),
    count: z.number().int().meta({ description: 'Entities that reached the step, or completions of it.' }),
    rate_from_start: Rate.meta({ description: 'Share of the count at step 1; null if that is 0.' }),
    rate_from_previous: Rate.meta({
      description: 'Share of the count at the previous step; null if that is 0, and at step 1.',
    }),
    value: z
      .number()
      .meta({ description: "Net value of the conversions that fill the step, in the report's currency." }),
    seconds_from_previous: Seconds.meta({ description: 'Exact; null if no chain reached the step.' }),
    seconds_from_start: Seconds,
  })
  .meta({ id: 'FunnelRow' });
export type FunnelRow = z.output<typeof FunnelRow>;

const instant = () => z.string().meta({ format: 'date-time' });

export const FunnelReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z.literal(true).meta({ description: 'An observed sequence, not a measured cause.' }),
    totals: z
      .object({
        currency: z.string(),
        started: z.number().int().meta({ description: 'The count of step 1.' }),
        completed: z.number().int().meta({ description: 'The count of the last step.' }),
        rate: Rate.meta({ description: '`completed` / `started`.' }),
        value: z.number().meta({ description: 'The sum over all steps.' }),
      })
      .meta({ description: 'Totals of the whole range, also if rows are split by interval.' }),
    data: z.array(
      z.object({
        interval: z.string().optional().meta({
          description: 'Local start date of the day, ISO week or month in which the chains begin.',
        }),
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
              description:
                'Null for entities that did not reach the step of the breakdown, and in the row of all other groups.',
            }),
          other: z
            .literal(true)
            .optional()
            .meta({ description: 'The group of all groups beyond the 50 largest.' }),
          steps: z.array(FunnelRow),
        }),
      )
      .optional(),
    previous: z
      .object({ from: instant(), to: instant(), data: z.array(FunnelRow) })
      .optional()
      .meta({ description: 'The same for the previous period of equal length.' }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'FunnelReport' });
export type FunnelReport = z.output<typeof FunnelReport>;

export const FunnelEntity = z
  .object({
    person_id: PersonId.nullable().meta({ description: 'Null if the entity is an account.' }),
    account_id: AccountId.nullable(),
  })
  .meta({ id: 'FunnelEntity' });
export type FunnelEntity = z.output<typeof FunnelEntity>;
