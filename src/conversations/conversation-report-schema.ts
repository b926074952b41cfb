import * as z from 'zod';
import { RESPONSE_BUCKETS, type ResponseBucket } from '../domain/conversations.ts';
import { INTERVALS } from '../domain/time.ts';
import { FormatQuery } from '../http/formats.ts';
import { GoalsQuery, JourneyQuery } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';
import { MessageCounts } from './conversation-schema.ts';

const MAX_ROWS = 10_000;

const { group_by, where, currency } = JourneyQuery.shape;

export const ConversationReportQuery = z.object({
  goal: GoalsQuery.optional().meta({
    description: 'One or several goals, for `buckets`. Without a goal, `buckets` is empty.',
    example: ['purchase'],
  }),
  ...NamedRangeQuery.shape,
  group_by,
  interval: z
    .enum(INTERVALS)
    .optional()
    .meta({ description: 'Splits rows by the local day, ISO week or month of the opening.' }),
  where,
  horizon_days: z.number().int().min(2).max(365).default(30).meta({
    description: 'For `buckets`: the number of days after the opening in which a conversion counts.',
  }),
  currency,
  limit: z.number().int().min(1).max(MAX_ROWS).default(1000).meta({
    description:
      'The number of groups, those with the most conversations. All others are one row with `other: true`, so totals hold.',
  }),
  ...FormatQuery.shape,
});

const Seconds = z
  .object({ median: z.number().nullable(), p90: z.number().nullable() })
  .meta({ description: 'Exact; null if there are no values.' });
const rate = () => z.number().nullable();

const figures = {
  conversations: z.number().int().meta({ description: 'Opened in the range.' }),
  responded: z.number().int(),
  response_rate: rate().meta({ description: '`responded` divided by `conversations`.' }),
  first_response_seconds: Seconds,
  business_first_response_seconds: Seconds.optional().meta({
    description: 'The same in business hours; present if the workspace has set them.',
  }),
  unanswered: z.number().int().meta({ description: 'Without a response until now.' }),
  messages: MessageCounts,
};

const BUCKETS = RESPONSE_BUCKETS.map(({ bucket }) => bucket) as [ResponseBucket, ...ResponseBucket[]];

export const ConversationReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z.literal(true).meta({ description: 'Observed data, not a measured cause.' }),
    totals: z.object(figures),
    data: z.array(
      z.object({
        interval: z
          .string()
          .optional()
          .meta({ description: 'Local start date of the interval; present if the query has `interval`.' }),
        group: z.record(z.string(), z.string().nullable()).nullable().meta({
          description:
            'Fields of the touchpoint that opened the conversations; null in the row of all other groups.',
        }),
        other: z.literal(true).optional().meta({ description: 'All groups beyond `limit`.' }),
        ...figures,
        share: z.number().meta({
          description:
            'The share of the conversations of the interval; without `interval`, of all conversations.',
        }),
      }),
    ),
    buckets: z
      .array(
        z.object({
          bucket: z.enum(BUCKETS).meta({ description: 'Time to the first response.' }),
          people: z.number().int(),
          converted: z.number().int(),
          rate: rate(),
          rate_low: rate().meta({ description: 'Wilson 95 % interval.' }),
          rate_high: rate(),
          value: z.number().meta({ description: 'Net value of the conversions that count.' }),
        }),
      )
      .meta({
        description:
          'Each person once, by the response time of their first conversation in the report, and whether they converted from 24 hours to `horizon_days` after its opening. Empty without `goal`.',
      }),
    left_out: z
      .object({ converted_within_24h: z.number().int(), short_follow_up: z.number().int() })
      .nullable()
      .meta({
        description:
          'People in no bucket: those who converted within 24 hours of the opening, perhaps before the response, and those whose conversation was opened less than `horizon_days` ago. A person who is both counts as the former. Null without `goal`.',
      }),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'ConversationReport' });
export type ConversationReport = z.output<typeof ConversationReport>;
export type ConversationFigures = ConversationReport['totals'];

const exampleFigures: ConversationFigures = {
  conversations: 40,
  responded: 30,
  response_rate: 0.75,
  first_response_seconds: { median: 1800, p90: 14_400 },
  unanswered: 10,
  messages: { inbound: 55, outbound: 38 },
};

export const conversationReportExample: ConversationReport = {
  query: {
    goal: ['purchase'],
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-04-01T00:00:00.000Z',
    timezone: 'UTC',
    group_by: ['channel'],
    interval: null,
    horizon_days: 30,
  },
  observational: true,
  totals: exampleFigures,
  data: [{ group: { channel: 'x' }, ...exampleFigures, share: 1 }],
  buckets: [
    {
      bucket: '<15m',
      people: 10,
      converted: 5,
      rate: 0.5,
      rate_low: 0.2366,
      rate_high: 0.7634,
      value: 480.5,
    },
  ],
  left_out: { converted_within_24h: 2, short_follow_up: 4 },
  warnings: [],
};
