import type { AttributionReport, Explanation } from './attribution-schema.ts';

export const attributionExample: AttributionReport = {
  query: {
    goal: ['purchase'],
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-04-01T00:00:00.000Z',
    timezone: 'UTC',
    models: ['linear'],
    group_by: ['channel'],
  },
  observational: true,
  totals: {
    conversions: 1260,
    value: 165130.02,
    gross_conversions: 1260,
    gross_value: 165130.02,
    currency: 'USD',
    attributed: { conversions: 1069, value: 139928.26 },
    unattributed: { conversions: 191, value: 25201.76 },
  },
  data: [
    {
      group: { channel: 'call' },
      touchpoints: 812,
      influenced_conversions: 301,
      assisted_conversions: 170,
      credit: { linear: { conversions: 185.161616, value: 24466.06 } },
    },
  ],
  warnings: [],
};

export const explanationExample: Explanation = {
  conversion: {
    id: 'order-1',
    goal: 'purchase',
    person_id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
    account_id: 'acme.com',
    occurred_at: '2026-05-03T09:30:00.000Z',
    value: 99.9,
    net_value: 99.9,
    currency: 'EUR',
    retracted: false,
    counted: true,
  },
  settings: {
    models: ['linear'],
    lookback_days: 90,
    journey: 'reuse',
    scope: 'person',
    group_by: ['channel'],
    currency: 'EUR',
  },
  considered_count: 1,
  considered: [
    {
      id: 'tweet-1',
      occurred_at: '2026-05-01T12:00:00.000Z',
      kind: 'mention',
      channel: 'x',
      group: { channel: 'x' },
      age_seconds: 163800,
      weights: { linear: 1 },
      credits: { linear: 99.9 },
    },
  ],
  left_out: [{ id: 'visit-0', reason: 'outside_lookback' }],
  left_out_counts: { outside_lookback: 1 },
  warnings: [],
};
