import * as z from 'zod';
import { compareArms, MIN_ARM_PEOPLE, MIN_CONVERTED } from '../domain/cultivation.ts';
import { Currency, GoalKey } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery, MAX_GOALS } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';
import { CULTIVATION_GROUPS, MAX_CHANNELS } from './cultivation-sql.ts';

export const CultivationQuery = z.object({
  goal: GoalsQuery.meta({
    description: 'Goals of the kind conversion: a conversion of any is the outcome.',
  }),
  cultivation_goal: z
    .array(GoalKey)
    .min(1)
    .max(MAX_GOALS)
    .optional()
    .meta({
      description: 'Goals of the kind cultivation, all by default: who reached any is cultivated.',
      example: ['follow'],
    }),
  ...NamedRangeQuery.shape,
  landmark_days: z.number().int().min(0).max(365).default(14).meta({
    description: 'Days of 86,400 s from the first touchpoint on: who is cultivated by then, is.',
  }),
  horizon_days: z.number().int().min(1).max(3650).default(90).meta({
    description: 'Days of 86,400 s from the landmark on, in which a conversion is the outcome.',
  }),
  group_by: z
    .enum(CULTIVATION_GROUPS)
    .optional()
    .meta({
      description: `\`channel\`: of the first touchpoint; the ${MAX_CHANNELS} with most people, the rest is one row with \`other: true\`. \`cultivation_goal\`: who reached that one, against who reached none of them.`,
    }),
  currency: Currency.optional().meta({ description: "Of all values; the workspace's by default." }),
  ...FormatQuery.shape,
});
export type CultivationQuery = z.output<typeof CultivationQuery>;

const Share = z.number().nullable();
const People = z.number().int();

const Arm = z
  .object({
    people: People.meta({ description: 'Not converted at the landmark, and followed to the horizon.' }),
    converted: People.meta({ description: 'Those who did until the horizon.' }),
    rate: Share.meta({ description: '0 to 1; null of nobody.' }),
    rate_low: Share.meta({ description: 'Wilson interval, 95 %.' }),
    rate_high: Share,
    value_per_person: z.number().nullable().meta({
      description: 'Net value of the conversions until the horizon, over all people of the arm.',
    }),
    median_days: z.number().nullable().meta({
      description:
        'From landmark to conversion by Kaplan and Meier, short follow-up censored; null where the curve does not come down to one half by the horizon.',
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
      .meta({ description: 'The question as it was understood, defaults filled in.' }),
    observational: z.literal(true).meta({
      description: 'What was observed, no measured cause: who lets themselves be cultivated may be keener.',
    }),
    totals: z.object({
      people: People.meta({ description: 'Whose first touchpoint lies in the range.' }),
      compared: People.meta({ description: 'Those in the two arms.' }),
      converted: People.meta({ description: 'Those of them who did until the horizon.' }),
      value: z.number().meta({ description: 'Net, of their conversions until the horizon.' }),
      currency: z.string(),
      pool_people: People.meta({ description: 'Everyone in the pool, once.' }),
    }),
    ...comparison,
    left_out: z.object({
      converted_before_landmark: People.meta({ description: 'At it included.' }),
      short_follow_up: People.meta({ description: 'Others whose horizon still lies ahead.' }),
    }),
    pool: z.array(z.object({ goal: z.string(), people: People })).meta({
      description:
        'Now, whatever the range: who has reached the cultivation goal, and converted on none of the goals.',
    }),
    data: z
      .array(
        z.object({
          group: z.record(z.string(), z.string().nullable()).nullable().meta({
            description: '`{}` without `group_by`; null in the row of all other channels.',
          }),
          other: z.literal(true).optional(),
          ...comparison,
          pool_people: People.meta({ description: 'Of the pool, those of the group.' }),
          low_evidence: z.boolean().meta({
            description: `An arm has fewer than ${MIN_ARM_PEOPLE} people, or both together fewer than ${MIN_CONVERTED} conversions.`,
          }),
        }),
      )
      .meta({ description: 'One row for each group, or one for everyone.' }),
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
