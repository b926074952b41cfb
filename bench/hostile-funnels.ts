/** Funnels that cost most over one person with as many touchpoints and conversions as somebody cared to send. */

const mention = { touchpoint: { kind: ['mention'] } };
const reply = { touchpoint: { kind: ['reply'] } };
const purchase = { conversion: { goal: ['purchase'] } };
const ofChannel = { touchpoint: { channel: ['channel-1', 'channel-2'] } };
const everything = { touchpoint: { kind: ['mention', 'reply'] } };
const ORDERS = ['ordered', 'strict', 'any'] as const;
const COUNTS = ['people', 'completions'] as const;

const SHAPES: [name: string, orders: readonly (typeof ORDERS)[number][], funnel: object][] = [
  ['', ORDERS, { steps: [mention, reply, purchase] }],
  ['overlapping', ['any'], { steps: [mention, ofChannel, purchase] }],
  // Each touchpoint holds a value of its own.
  ['held', ORDERS, { steps: [mention, reply, purchase], hold: ['content'] }],
  [
    'held around conversions',
    ['ordered', 'any'],
    { steps: [purchase, mention, purchase, reply], hold: ['content'] },
  ],
  ['held by channel', ['ordered', 'any'], { steps: [mention, purchase, mention], hold: ['channel'] }],
  ['excluding', ORDERS, { steps: [mention, mention, purchase], exclude: [reply] }],
  ['held, excluding', ORDERS, { steps: [mention, mention, purchase], exclude: [reply], hold: ['channel'] }],
  ['ten equal steps', ['ordered', 'strict'], { steps: Array.from({ length: 10 }, () => everything) }],
  ['six equal steps', ['any'], { steps: Array.from({ length: 6 }, () => everything) }],
];

/** The body of each request, after its name. */
export const FUNNELS: readonly [name: string, body: object][] = SHAPES.flatMap(([name, orders, funnel]) =>
  orders.flatMap((order) =>
    COUNTS.map((count): [string, object] => [
      `${order} ${count}${name && `, ${name}`}`,
      { from: '2026-01-01', to: '2026-04-01', window_seconds: 86_400, order, count, ...funnel },
    ]),
  ),
);
