import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type EventFilter,
  type Exclusion,
  type FunnelEvent,
  type FunnelOrder,
  type FunnelRules,
  funnelOf,
} from '../../src/domain/funnel.ts';
import { summariseFunnel } from '../../src/domain/funnel-report.ts';

/**
 * Numbers computed elsewhere, over a log with intentional ties. The log is beside the project, where it is available.
 */
const FOLDER = new URL('../../../shared/data/reference-log/', import.meta.url);
const isThere = existsSync(FOLDER);

const HOURS: Record<string, number> = { '1h': 1, '24h': 24, '7d': 7 * 24, '14d': 14 * 24 };

const WAYS: Record<string, { order: FunnelOrder; exclude: Exclusion[] }> = {
  ordered: { order: 'ordered', exclude: [] },
  strict: { order: 'strict', exclude: [] },
  any: { order: 'any', exclude: [] },
  'ordered, exclude other': { order: 'ordered', exclude: [{ touchpoint: { kind: ['other'] } }] },
};

describe.skipIf(!isThere)('the reference log', () => {
  const people = isThere ? loadLog() : [];
  const expected = isThere ? loadExpected() : {};
  const cases = Object.entries(expected).flatMap(([name, ways]) =>
    Object.entries(ways).map(([way, counts]) => ({ name, way, counts })),
  );

  test('is there in full: 13,048 events of 2,000 people, 12 funnels', () => {
    expect(people).toHaveLength(2000);
    expect(people.flat()).toHaveLength(13_048);
    expect(Object.keys(expected)).toHaveLength(12);
    expect(cases).toHaveLength(40);
  });

  test.for(cases)('$name, $way', ({ name, way, counts }) => {
    const funnel = funnelNamed(name, way);
    const entities = people.map((events) => funnelOf(events, funnel));
    const { steps } = summariseFunnel(entities, { steps: funnel.steps, count: 'people' });
    expect(steps.map(({ count }) => count)).toEqual(counts);
  });

  test('mention > reply > click > purchase within 7 days, and within 30', () => {
    const named = funnelNamed('mention>reply>click>purchase | 7d', 'ordered');
    const countsOf = (funnel: FunnelRules) => {
      const entities = people.map((events) => funnelOf(events, funnel));
      return summariseFunnel(entities, { steps: funnel.steps, count: 'people' }).steps.map(
        ({ count }) => count,
      );
    };
    expect(countsOf(named)).toEqual([1631, 949, 369, 53]);
    expect(countsOf({ ...named, order: 'strict' })).toEqual([1631, 650, 115, 8]);
    expect(countsOf({ ...named, order: 'any' })).toEqual([1968, 1693, 1155, 371]);
    const month = countsOf({ ...named, window_seconds: 30 * 86_400 });
    expect(month[0]).toBe(1631);
    expect(month[3]).toBeGreaterThanOrEqual(79);
  });
});

function loadExpected(): Record<string, Record<string, number[]>> {
  return JSON.parse(readFileSync(new URL('funnel-expected.json', FOLDER), 'utf8'));
}

function loadLog(): FunnelEvent[][] {
  const [, ...lines] = readFileSync(new URL('events.csv', FOLDER), 'utf8').trim().split('\n');
  const rows = lines.map((line) => line.split(','));
  return [...Map.groupBy(rows, ([, person]) => person).values()].map((own) =>
    own.map(([id = '', , , time = '', kind, channel, value]) =>
      kind === 'purchase'
        ? { type: 'conversion', id, occurred_at: Date.parse(time), goal: kind, value: Number(value) }
        : { type: 'touchpoint', id, occurred_at: Date.parse(time), kind, channel },
    ),
  );
}

/** As in `mention>reply>purchase | 24h`. */
function funnelNamed(name: string, way: string): FunnelRules {
  const [path = '', window = ''] = name.split(' | ');
  const steps: EventFilter[] = path
    .split('>')
    .map((kind) =>
      kind === 'purchase' ? { conversion: { goal: [kind] } } : { touchpoint: { kind: [kind] } },
    );
  const { order, exclude } = WAYS[way] ?? { order: 'ordered', exclude: [] };
  const window_seconds = (HOURS[window] ?? 0) * 3600;
  const from = Date.UTC(2026, 0, 1);
  return {
    from,
    to: Date.UTC(2027, 0, 1),
    steps,
    order,
    window_seconds,
    entry: 'any',
    hold: [],
    exclude,
  };
}
