import * as z from 'zod';
import { LIFECYCLE_STAGES, lifecycleRows } from '../domain/lifecycle.ts';
import { STAGES } from '../domain/touchpoint-fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';

export const LifecycleQuery = z.object({ ...NamedRangeQuery.shape, ...FormatQuery.shape });
export type LifecycleQuery = z.output<typeof LifecycleQuery>;

export const LifecycleReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z.literal(true).meta({ description: 'Observed data, not a measured cause.' }),
    totals: z.object({
      people: z.number().int().meta({
        description:
          'People with a touchpoint or a conversion before `to`, or named as an advocate by then, those without a stage included.',
      }),
    }),
    data: z
      .array(
        z.object({
          stage: z.enum(STAGES),
          people: z.number().int().meta({
            description:
              'People whose furthest stage at `to` it is. For `advocacy`, the advocates, at any stage.',
          }),
          reached: z.number().int().meta({
            description: 'People who have this stage or a later one at `to`. For `advocacy`, the advocates.',
          }),
          rate_from_previous: z.number().nullable().meta({
            description:
              'From 0 to 1: `reached` / `reached` of the previous stage; null for the first stage, or if the previous one is 0. For `advocacy`, advocates / all people.',
          }),
        }),
      )
      .meta({ description: 'The six stages, in order.' }),
    moves: z
      .array(
        z.object({
          from: z
            .enum(LIFECYCLE_STAGES)
            .nullable()
            .meta({ description: 'The furthest stage until then; null if there was none.' }),
          to: z.enum(STAGES),
          people: z.number().int(),
        }),
      )
      .meta({
        description:
          'Moves inside the range, in the order of the stages. A person may be in several rows, but only once in each.',
      }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'LifecycleReport' });
export type LifecycleReport = z.output<typeof LifecycleReport>;

export const lifecycleExample: LifecycleReport = {
  query: { from: '2026-01-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z', timezone: 'UTC' },
  observational: true,
  totals: { people: 1000 },
  data: lifecycleRows(
    { conversation: 400, consideration: 150, trial: 120, purchase: 100, loyalty: 30, advocacy: 40 },
    1000,
  ),
  moves: [
    { from: null, to: 'conversation', people: 210 },
    { from: 'conversation', to: 'consideration', people: 60 },
    { from: 'trial', to: 'purchase', people: 25 },
    { from: 'purchase', to: 'advocacy', people: 9 },
  ],
  warnings: [],
};
