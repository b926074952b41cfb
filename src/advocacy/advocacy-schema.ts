import * as z from 'zod';
import { Currency, PersonId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';

export const AdvocacyQuery = z.object({
  goal: GoalsQuery,
  ...NamedRangeQuery.shape,
  currency: Currency.optional().meta({ description: "Currency of all values; default the workspace's." }),
  limit: z.number().int().min(1).max(1000).default(100).meta({
    description:
      'Maximum number of advocates, those with the most converted people first. Totals cover all advocates.',
  }),
  ...FormatQuery.shape,
});

const Count = z.number().int();

const sums = {
  referred_people: Count.meta({
    description: 'People whose first referral by the advocate is in the range.',
  }),
  converted_people: Count.meta({
    description: 'Referred people who converted at or after their referral, until now.',
  }),
  value: z.number().meta({ description: 'Net value of all these conversions.' }),
  second_order_people: Count.meta({
    description:
      'People whom the referred people referred in turn, at or after their own referral, until now. The advocate and people whom the advocate also referred are not included.',
  }),
};

const Conversions = z.object({ conversions: Count, value: z.number() });
const Share = z.number().nullable();

export const AdvocacyReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z.literal(true).meta({ description: 'Observed data, not a measured cause.' }),
    totals: z
      .object({
        advocates: Count,
        ...sums,
        currency: z.string(),
        all: Conversions.meta({ description: 'All conversions in the range.' }),
        word_of_mouth: Conversions.meta({
          description:
            'Conversions in the range by people who had been referred by then, in the range or before it.',
        }),
        share_of_conversions: Share.meta({
          description: 'From 0 to 1: `word_of_mouth` / `all`; null without conversions.',
        }),
        share_of_value: Share,
      })
      .meta({
        description:
          'Each person counts once, however many advocates referred them, and so does each conversion.',
      }),
    data: z.array(z.object({ person_id: PersonId, ...sums })).meta({
      description: 'Advocates, ordered by `converted_people`, `referred_people`, id.',
    }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'AdvocacyReport' });
export type AdvocacyReport = z.output<typeof AdvocacyReport>;

export const advocacyExample: AdvocacyReport = {
  query: {
    goal: ['purchase'],
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-04-01T00:00:00.000Z',
    timezone: 'UTC',
    currency: 'USD',
    limit: 100,
  },
  observational: true,
  totals: {
    advocates: 1,
    referred_people: 4,
    converted_people: 2,
    value: 149.5,
    second_order_people: 1,
    currency: 'USD',
    all: { conversions: 8, value: 598 },
    word_of_mouth: { conversions: 2, value: 149.5 },
    share_of_conversions: 0.25,
    share_of_value: 0.25,
  },
  data: [
    {
      person_id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
      referred_people: 4,
      converted_people: 2,
      value: 149.5,
      second_order_people: 1,
    },
  ],
  warnings: [],
};
