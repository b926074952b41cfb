import type * as z from 'zod';
import type { FunnelEntity, FunnelReport } from './funnel-report-schema.ts';
import type { Funnel, FunnelBody, FunnelInput } from './funnel-schema.ts';

const steps = [
  { name: 'Mentioned us', touchpoint: { kind: ['mention' as const] } },
  { touchpoint: { direction: ['outbound' as const] } },
  { conversion: { goal: ['purchase'] } },
];

const definition = { steps, window_seconds: 604_800 };

export const funnelBodyExample: z.input<typeof FunnelBody> = {
  from: '2026-01-01',
  to: '2026-02-01',
  ...definition,
  breakdown: { by: ['channel'], at_step: 1 },
};

export const funnelInputExample: z.input<typeof FunnelInput> = {
  name: 'Mention to purchase',
  ...definition,
};

export const funnelExample: Funnel = {
  key: 'mention-to-purchase',
  name: 'Mention to purchase',
  ...definition,
  order: 'ordered',
  entry: 'any',
  count: 'people',
  scope: 'person',
  hold: [],
  exclude: [],
  breakdown: null,
  currency: null,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
};

const rows = [
  {
    step: 1,
    name: 'Mentioned us',
    count: 200,
    rate_from_start: 1,
    rate_from_previous: null,
    value: 0,
    seconds_from_previous: { median: null, p90: null },
    seconds_from_start: { median: 0, p90: 0 },
  },
  {
    step: 2,
    name: 'outbound touchpoints',
    count: 120,
    rate_from_start: 0.6,
    rate_from_previous: 0.6,
    value: 0,
    seconds_from_previous: { median: 5400, p90: 86_400 },
    seconds_from_start: { median: 5400, p90: 86_400 },
  },
  {
    step: 3,
    name: 'purchase',
    count: 30,
    rate_from_start: 0.15,
    rate_from_previous: 0.25,
    value: 2997,
    seconds_from_previous: { median: 172_800, p90: 432_000 },
    seconds_from_start: { median: 190_000, p90: 450_000 },
  },
];

export const funnelReportExample: FunnelReport = {
  query: {
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
    timezone: 'UTC',
    order: 'ordered',
    window_seconds: 604_800,
  },
  observational: true,
  totals: { currency: 'USD', started: 200, completed: 30, rate: 0.15, value: 2997 },
  data: rows,
  breakdown: [{ group: { channel: 'x' }, steps: rows }],
  warnings: [],
};

export const savedReportExample: FunnelReport = {
  query: funnelReportExample.query,
  observational: true,
  totals: funnelReportExample.totals,
  data: rows,
  warnings: [],
};

export const funnelEntityExample: FunnelEntity = {
  person_id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
  account_id: null,
};
