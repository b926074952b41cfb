import * as z from 'zod';
import { REPORT_SCOPES, REPORTS } from '../domain/settings.ts';
import { DIMENSIONS } from '../domain/touchpoint-fields.ts';
import { TokenOrigins } from '../http/origins.ts';
import { CONVERSION_PROPERTY, ConversionWhere } from '../stats/journey-fields.ts';
import { TouchpointWhere } from '../stats/where-fields.ts';

const MIN_SECONDS = 60;
/** A day: after people leave, or their access changes, their old tokens last no longer. */
const MAX_SECONDS = 86_400;

const values = {
  type: 'array' as const,
  minItems: 1,
  items: { type: ['string' as const, 'null' as const] },
};

export const TokenInput = z
  .strictObject({
    expires_in: z
      .number()
      .int()
      .min(MIN_SECONDS)
      .max(MAX_SECONDS)
      .meta({ description: 'Seconds until the token expires; it never outlives its key.', example: 3600 }),
    allowed_origins: TokenOrigins.meta({
      description:
        "The origins, at most 50, whose pages may use it. If they include the deployment's own, it also opens requests without `Origin` that have `Sec-Fetch-Site: same-origin`. `[]`: a token for servers and agents, which no page may use.",
    }),
    reports: z.array(z.enum(REPORTS)).min(1).max(REPORTS.length).meta({
      description: 'The reports that it opens. `funnel` is both `POST /v1/reports/funnel` and saved funnels.',
    }),
    where: TouchpointWhere.nullish().meta({
      type: 'object',
      properties: Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, values])),
      additionalProperties: false,
      description: 'Values that fields of touchpoints must have, besides those of the query.',
      example: { channel: ['x', 'linkedin'] },
    }),
    where_conversion: ConversionWhere.nullish().meta({
      type: 'object',
      properties: { currency: values },
      patternProperties: { [CONVERSION_PROPERTY.source]: values },
      additionalProperties: false,
      description:
        'Values of `currency` and `properties.<name>` that conversions must have, besides those of the query.',
      example: { 'properties.plan': ['pro'] },
    }),
    scope: z.enum(REPORT_SCOPES).nullish().meta({
      description: 'The scope of journeys, of a person or of an account, whatever the query requests.',
    }),
  })
  .meta({ id: 'TokenInput' });

export const ReadToken = z
  .object({
    token: z.string().meta({ description: '`tl_rt_` and a JWT; send it as `Authorization: Bearer …`.' }),
    expires_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'ReadToken' });

export const tokenInputExample: z.input<typeof TokenInput> = {
  expires_in: 3600,
  allowed_origins: ['https://dashboard.example'],
  reports: ['funnel', 'attribution'],
  where: { channel: ['x', 'linkedin'] },
};

export const readTokenExample: z.output<typeof ReadToken> = {
  token: 'tl_rt_eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3Nzc2MzY4MDB9.signature',
  expires_at: '2026-05-01T12:00:00.000Z',
};
