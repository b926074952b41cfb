import * as z from 'zod';
import { Currency, PersonId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';

export const AdvocacyQuery = z.object({
  goal: GoalsQuery,
  ...NamedRangeQuery.shape,
  currency: Currency.optional().meta({ description: "Of all values; the workspace's by default." }),
  limit: z.number().int().min(1).max(1000).default(100).meta({
    description: 'Advocates, those whose referrals converted most first. Totals are of all.',
  }),
  ...FormatQuery.shape,
});

const Count = z.number().int();

const sums = {
  referred_people: Count.meta({ description: 'Whom they first referred in the range.' }),
  converted_people: Count.meta({
    description: 'Those with a conversion at the referral or after it, until now.',
  }),
  value: z.number().meta({ description: 'Net, of all these conversions.' }),
  second_order_people: Count.meta({
    description:
      'Whom the referred referred in turn, since their own referral, until now; without the advocate, and those whom the advocate referred as well.',
  }),
};

const Conversions = z.object({ conversions: Count, value: z.number() });
const Share = z.number().nullable();

export const AdvocacyReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The question as it was understood, defaults filled in.' }),
    observational: z.literal(true).meta({ description: 'What was observed, no measured cause.' }),
    totals: z
      .object({
        advocates: Count,
        ...sums,
        currency: z.string(),
        all: Conversions.meta({ description: 'All conversions in the range.' }),
        word_of_mouth: Conversions.meta({
          description: 'Those of them by people who had been referred by then, in the range or before.',
        }),
        share_of_conversions: Share.meta({
          description: '0 to 1: `word_of_mouth` over `all`; null where there are none.',
        }),
        share_of_value: Share,
      })
      .meta({ description: 'People count once, however many referred them; so do their conversions.' }),
    data: z.array(z.object({ person_id: PersonId, ...sums })).meta({
      description: 'Advocates by `converted_people`, `referred_people`, id.',
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
