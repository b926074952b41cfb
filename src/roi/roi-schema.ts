import * as z from 'zod';
import { MODELS } from '../domain/attribution.ts';
import { INTERVALS } from '../domain/time.ts';
import { SPEND_DIMENSIONS } from '../domain/touchpoint-fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { ModelQuery } from '../stats/credit-fields.ts';
import { GoalsQuery, Group, WhereConversionQuery } from '../stats/journey-fields.ts';
import { NamedRangeQuery } from '../stats/range-fields.ts';

export const MAX_ROI_ROWS = 10_000;

export const RoiQuery = z.object({
  goal: GoalsQuery,
  ...NamedRangeQuery.shape,
  ...ModelQuery.shape,
  group_by: z
    .array(z.enum(SPEND_DIMENSIONS))
    .min(1)
    .max(3)
    .refine((names) => new Set(names).size === names.length, 'Name each dimension in group_by once')
    .default(['channel'])
    .meta({
      description: 'One to three of the dimensions that spend and touchpoints share.',
      example: ['channel'],
    }),
  where_conversion: WhereConversionQuery,
  interval: z.enum(INTERVALS).optional().meta({
    description:
      'Splits rows by the local day, ISO week or month: of the conversion for credit, of the paid day for spend.',
  }),
  limit: z.number().int().min(1).max(MAX_ROI_ROWS).default(1000).meta({
    description:
      'Maximum number of rows, largest spend first, then largest credit. All other groups are one row with `other: true`, so totals hold.',
  }),
  ...FormatQuery.shape,
});
export type RoiQuery = z.output<typeof RoiQuery>;

const byModel = (description: string) =>
  z
    .partialRecord(z.enum(MODELS), z.number().nullable())
    .meta({ type: 'object', additionalProperties: { type: ['number', 'null'] }, description });

/** Ratios between spend and its results. */
const ratios = {
  cpa: z.number().nullable().meta({ description: 'Spend per conversion; null if either is 0.' }),
  roas: z.number().nullable().meta({ description: 'Value per unit of spend; null without spend.' }),
  roi: z.number().nullable().meta({ description: '(value − spend) / spend; null without spend.' }),
};

const Credit = z.object({
  conversions: z.number().meta({ description: 'Net: without retracted conversions.' }),
  value: z.number().meta({ description: 'Net of adjustments.' }),
  gross_conversions: z.number(),
  gross_value: z.number(),
});

export const RoiReport = z
  .object({
    query: z
      .record(z.string(), z.unknown())
      .meta({ description: 'The effective query, with defaults applied.' }),
    observational: z
      .literal(true)
      .meta({ description: 'Attribution is bookkeeping over observed data, not a measured cause.' }),
    totals: z
      .object({
        spend: z.number(),
        conversions: z
          .number()
          .int()
          .meta({ description: 'All conversions of the range, attributed or not.' }),
        value: z.number(),
        gross_conversions: z.number().int(),
        gross_value: z.number(),
        unattributed: z.object({ conversions: z.number(), value: z.number() }).optional().meta({
          description:
            'Conversions without any touchpoint in their journey; they are in no row. Omitted under a narrowed read token, whose totals contain only conversions with a journey.',
        }),
        ...ratios,
        gross_cpa: ratios.cpa,
        gross_roas: ratios.roas,
        gross_roi: ratios.roi,
        currency: z.string(),
      })
      .meta({ description: 'Blended: all spend against all conversions.' }),
    data: z.array(
      z.object({
        interval: z
          .string()
          .optional()
          .meta({ description: 'Local start date of the day, ISO week or month.' }),
        group: Group,
        other: z.literal(true).optional().meta({ description: 'The row of all groups beyond `limit`.' }),
        spend: z.number(),
        credit: z.partialRecord(z.enum(MODELS), Credit).meta({
          type: 'object',
          additionalProperties: {
            type: 'object',
            required: ['conversions', 'value', 'gross_conversions', 'gross_value'],
            properties: {
              conversions: { type: 'number' },
              value: { type: 'number' },
              gross_conversions: { type: 'number' },
              gross_value: { type: 'number' },
            },
          },
        }),
        cpa: byModel('Spend per credited conversion; null if either is 0.'),
        roas: byModel('Credited net value per unit of spend; null without spend.'),
        roi: byModel('(credited net value − spend) / spend; null without spend.'),
        gross_cpa: byModel('The same as `cpa`, before adjustments.'),
        gross_roas: byModel('The same as `roas`, before adjustments.'),
        gross_roi: byModel('The same as `roi`, before adjustments.'),
      }),
    ),
    warnings: z.array(z.object({ code: z.string(), detail: z.string() })),
  })
  .meta({ id: 'RoiReport' });
export type RoiReport = z.output<typeof RoiReport>;

export const roiExample: RoiReport = {
  query: {
    goal: ['purchase'],
    from: '2026-04-30T22:00:00.000Z',
    to: '2026-05-31T22:00:00.000Z',
    timezone: 'Europe/Berlin',
    group_by: ['channel'],
    models: ['linear'],
    currency: 'EUR',
  },
  observational: true,
  totals: {
    spend: 1000,
    conversions: 25,
    value: 2500,
    gross_conversions: 26,
    gross_value: 2650,
    unattributed: { conversions: 5, value: 400 },
    cpa: 40,
    roas: 2.5,
    roi: 1.5,
    gross_cpa: 38.461538462,
    gross_roas: 2.65,
    gross_roi: 1.65,
    currency: 'EUR',
  },
  data: [
    {
      group: { channel: 'paid_search' },
      spend: 1000,
      credit: { linear: { conversions: 12.5, value: 1400, gross_conversions: 13.5, gross_value: 1550 } },
      cpa: { linear: 80 },
      roas: { linear: 1.4 },
      roi: { linear: 0.4 },
      gross_cpa: { linear: 74.074074074 },
      gross_roas: { linear: 1.55 },
      gross_roi: { linear: 0.55 },
    },
  ],
  warnings: [],
};
