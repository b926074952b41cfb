import * as z from 'zod';
import { Currency } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';

/** The number of channels that are shown. */
export const TOP_CHANNELS = 5;

export const OverviewQuery = z.object({
  goal: GoalsQuery.optional().meta({
    description: 'One or more goals; default every goal of the kind `conversion` that is not archived.',
  }),
  ...NamedRangeQuery.shape,
  currency: Currency.optional().meta({ description: "Currency of all values; default the workspace's." }),
  ...FormatQuery.shape,
});

const figure = (description: string) =>
  z
    .object({
      value: z.number().nullable(),
      previous: z.number().nullable().meta({ description: 'The value in the previous period.' }),
      change: z.number().nullable().meta({
        description:
          'Relative: 0.5 is an increase by half. Null if one of the two values is null, or the previous one is 0.',
      }),
    })
    .meta({ description });

export const Overview = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z
      .literal(true)
      .meta({ description: 'Attribution is bookkeeping over observed data, not a measured cause.' }),
    totals: z.object({
      conversions: figure('Net: without retracted conversions.'),
      value: figure('Net of adjustments, in `currency`.'),
      attributed_share: figure(
        'From 0 to 1: conversions with a journey / all conversions; null without conversions.',
      ),
      median_first_response_seconds: figure(
        'For conversations opened in the period; null without responses.',
      ),
      waiting_conversations: figure(
        'Conversations whose last message is inbound, at the end of the period, or now if that is earlier.',
      ),
      pool: figure(
        'People who reached a cultivation goal and have not converted, at the end of the period, or now if that is earlier.',
      ),
      currency: z.string(),
    }),
    data: z
      .array(
        z.object({
          channel: z.string().nullable(),
          conversions: figure("Conversions credited under the workspace's default model."),
          value: figure('Value credited under the same model.'),
        }),
      )
      .meta({ description: `The ${TOP_CHANNELS} channels with the most credited conversions.` }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'Overview' });
export type Overview = z.output<typeof Overview>;

export const overviewExample: Overview = {
  query: {
    goal: ['purchase'],
    from: '2026-05-01T00:00:00.000Z',
    to: '2026-05-31T00:00:00.000Z',
    timezone: 'UTC',
    model: 'linear',
    currency: 'USD',
  },
  observational: true,
  totals: {
    conversions: { value: 126, previous: 105, change: 0.2 },
    value: { value: 16500, previous: 15000, change: 0.1 },
    attributed_share: { value: 0.8, previous: 0.8, change: 0 },
    median_first_response_seconds: { value: 1800, previous: 3600, change: -0.5 },
    waiting_conversations: { value: 14, previous: 0, change: null },
    pool: { value: 240, previous: 200, change: 0.2 },
    currency: 'USD',
  },
  data: [
    {
      channel: 'x',
      conversions: { value: 40.5, previous: 27, change: 0.5 },
      value: { value: 5200, previous: 4160, change: 0.25 },
    },
  ],
  warnings: [],
};
