import * as z from 'zod';
import { compareArms, MIN_ARM_PEOPLE, MIN_CONVERTED } from '../domain/cultivation.ts';
import { Currency, GoalKey } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery, MAX_GOALS } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';
import { CULTIVATION_GROUPS, MAX_CHANNELS } from './cultivation-sql.ts';

export const CultivationQuery = z.object({
  goal: GoalsQuery.meta({
    description: 'Goals of the kind `conversion`. A conversion on any of them is the outcome.',
  }),
  cultivation_goal: z
    .array(GoalKey)
    .min(1)
    .max(MAX_GOALS)
    .optional()
    .meta({
      description:
        'Goals of the kind `cultivation`; default all of them. A person who reached any of them is cultivated.',
      example: ['follow'],
    }),
  ...NamedRangeQuery.shape,
  landmark_days: z.number().int().min(0).max(365).default(14).meta({
    description:
      'Days of 86,400 s from the first touchpoint to the landmark, at which it is decided who is cultivated.',
  }),
  horizon_days: z.number().int().min(1).max(3650).default(90).meta({
    description: 'Days of 86,400 s from the landmark, in which a conversion is the outcome.',
  }),
  group_by: z
    .enum(CULTIVATION_GROUPS)
    .optional()
    .meta({
      description: `\`channel\`: by the channel of the first touchpoint; the ${MAX_CHANNELS} with the most people have rows, all others are one row with \`other: true\`. \`cultivation_goal\`: people who reached this goal against people who reached none.`,
    }),
  currency: Currency.optional().meta({ description: "Currency of all values; default the workspace's." }),
  ...FormatQuery.shape,
});
export type CultivationQuery = z.output<typeof CultivationQuery>;

const Share = z.number().nullable();
const People = z.number().int();

const Arm = z
  .object({
    people: People.meta({
      description: 'People who had not converted by the landmark, and whose horizon has passed.',
    }),
    converted: People.meta({ description: 'People of the arm who converted by the horizon.' }),
    rate: Share.meta({ description: 'From 0 to 1; null for an empty arm.' }),
    rate_low: Share.meta({ description: 'Wilson interval, 95 %.' }),
    rate_high: Share,
    value_per_person: z.number().nullable().meta({
      description: 'Net value of the conversions by the horizon, over all people of the arm.',
    }),
    median_days: z.number().nullable().meta({
      description:
        'Days from landmark to conversion: the Kaplan–Meier median, with short follow-up censored; null if the curve does not reach one half by the horizon.',
    }),
  })
  .meta({ id: 'CultivationArm' });

const Comparison = z.object({ estimate: Share, low: Share, high: Share }).meta({
  id: 'Comparison',
  description:
    'An estimate with its 95 % interval: Katz log for the risk ratio, Woolf log for the odds ratio, Newcombe for the risk difference. Null where the data do not determine it.',
});

const comparison = {
  arms: z.object({ cultivated: Arm, uncultivated: Arm }),
  risk_ratio: Comparison,
  odds_ratio: Comparison,
  risk_difference: Comparison,
};

export const CultivationReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z.literal(true).meta({
      description:
        'Observed data, not a measured cause: people who become cultivated may be keener to begin with.',
    }),
    totals: z.object({
      people: People.meta({ description: 'People whose first touchpoint lies in the range.' }),
      compared: People.meta({ description: 'People in the two arms.' }),
      converted: People.meta({ description: 'People in the two arms who converted by the horizon.' }),
      value: z.number().meta({ description: 'Net value of their conversions by the horizon.' }),
      currency: z.string(),
      pool_people: People.meta({ description: 'People in the pool, each counted once.' }),
    }),
    ...comparison,
    left_out: z.object({
      converted_before_landmark: People.meta({
        description: 'People who converted at or before the landmark.',
      }),
      short_follow_up: People.meta({ description: 'Other people whose horizon is still in the future.' }),
    }),
    pool: z.array(z.object({ goal: z.string(), people: People })).meta({
      description:
        'The pool now, whatever the range: people who reached the cultivation goal and have not converted on any of the goals.',
    }),
    data: z
      .array(
        z.object({
          group: z.record(z.string(), z.string().nullable()).nullable().meta({
            description: '`{}` without `group_by`; null in the row of all other channels.',
          }),
          other: z.literal(true).optional(),
          ...comparison,
          pool_people: People.meta({ description: 'People of the group in the pool.' }),
          low_evidence: z.boolean().meta({
            description: `An arm has fewer than ${MIN_ARM_PEOPLE} people, or both together have fewer than ${MIN_CONVERTED} conversions.`,
          }),
        }),
      )
      .meta({ description: 'One row per group, or one row for everyone.' }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'CultivationReport' });
export type CultivationReport = z.output<typeof CultivationReport>;

const { low_evidence, ...compared } = compareArms({
  cultivated: { people: 1000, converted: 84, value: 8400, median_seconds: null },
  uncultivated: { people: 2000, converted: 52, value: 4160, median_seconds: null },
});

export const cultivationExample: CultivationReport = {
  query: {
    goal: ['purchase'],
    cultivation_goal: ['follow'],
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-04-01T00:00:00.000Z',
    timezone: 'UTC',
    landmark_days: 14,
    horizon_days: 90,
    group_by: null,
    currency: 'USD',
  },
  observational: true,
  totals: { people: 3210, compared: 3000, converted: 136, value: 12_560, currency: 'USD', pool_people: 940 },
  ...compared,
  left_out: { converted_before_landmark: 40, short_follow_up: 170 },
  pool: [{ goal: 'follow', people: 940 }],
  data: [{ group: {}, ...compared, pool_people: 940, low_evidence }],
  warnings: [],
};
