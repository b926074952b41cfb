import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { attributionLines, DEMO_MODELS, roundToSum } from '../../local/demo/attribution-view.ts';
import { loadDemo } from '../../local/demo/load.ts';
import { readOptions } from '../../local/demo/options.ts';
import { painter, startProgress, wrap } from '../../local/demo/terminal.ts';
import type { AttributionReport } from '../../src/attribution/attribution-schema.ts';

const plain = painter({ write: () => {} }, {});

function terminal({ isTTY }: { isTTY: boolean }) {
  const written: string[] = [];
  return { isTTY, write: (text: string) => written.push(text), written };
}

/** A server that gives every request the same response, on a port of its own. */
async function answering(status: number, body: unknown): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function reportOf(credits: number[], total: number): AttributionReport {
  const share = (value: number) => ({ conversions: value > 0 ? 1 : 0, value });
  return {
    query: {},
    observational: true,
    totals: {
      conversions: credits.length,
      value: total,
      gross_conversions: credits.length,
      gross_value: total,
      attributed: { conversions: credits.length, value: total },
      unattributed: { conversions: 0, value: 0 },
      currency: 'USD',
    },
    data: credits.map((credit, i) => ({
      group: { channel: `channel-${i}` },
      touchpoints: 1,
      influenced_conversions: 1,
      assisted_conversions: 0,
      credit: Object.fromEntries(DEMO_MODELS.map((model) => [model, share(credit)])),
    })),
    warnings: [],
  };
}

test('three thirds of 100.00 are printed as 33.34, 33.33 and 33.33, which add up to 100.00', () => {
  const lines = attributionLines(reportOf([100 / 3, 100 / 3, 100 / 3], 100), plain);
  expect(lines.find((line) => line.startsWith('channel-0'))).toMatch(/^channel-0 +1 +1(?: +33\.34){5}$/);
  expect(lines.find((line) => line.startsWith('channel-2'))).toMatch(/^channel-2 +1 +1(?: +33\.33){5}$/);
  expect(lines.at(-1)).toMatch(/^total +3 +3(?: +100\.00){5}$/);
});

test('credits that do not add up to the total are refused, not shown', () => {
  expect(() => attributionLines(reportOf([60, 30], 100), plain)).toThrow('adds up to 90, not to 100');
});

test('rounding to a sum keeps the sum and moves no number by a whole cent', () => {
  const cents = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(cents, (parts) => {
      // Sevenths of cents: the sum of all seven is whole cents.
      const numbers = parts.flatMap((part) => Array.from({ length: 7 }, () => part / 700));
      const sum = parts.reduce((total, part) => total + part, 0) / 100;
      const rounded = roundToSum(numbers, sum, 100);
      expect(rounded.reduce((total, number) => total + Math.round(number * 100), 0)).toBe(
        Math.round(sum * 100),
      );
      for (const [i, number] of rounded.entries())
        expect(Math.abs(number - (numbers[i] ?? 0))).toBeLessThan(0.01);
    }),
  );
});

test('without a terminal progress is one line for each quarter', () => {
  const out = terminal({ isTTY: false });
  const progress = startProgress(2000, { terminal: out, paint: plain });
  for (let batch = 0; batch < 10; batch++) progress.add(200);
  progress.end();
  expect(out.written).toEqual([
    '    600 of 2,000 items\n',
    '  1,000 of 2,000 items\n',
    '  1,600 of 2,000 items\n',
    '  2,000 of 2,000 items\n',
  ]);
});

test('on a terminal progress is a bar that overwrites itself', () => {
  const out = terminal({ isTTY: true });
  const progress = startProgress(10, { terminal: out, paint: plain });
  progress.add(5);
  progress.end();
  expect(out.written).toEqual([
    `\r  ${'░'.repeat(40)}   0 of 10 items`,
    `\r  ${'█'.repeat(20)}${'░'.repeat(20)}   5 of 10 items`,
    '\n',
  ]);
});

test('colours are for terminals whose owner did not switch them off', () => {
  const tty = terminal({ isTTY: true });
  expect(painter(tty, {})('bold', 'total')).toBe('\u001b[1mtotal\u001b[22m');
  expect(painter(tty, { NO_COLOR: '1' })('bold', 'total')).toBe('total');
  expect(painter(terminal({ isTTY: false }), { FORCE_COLOR: '1' })('bold', 'total')).toBe('total');
});

test('a line is broken at a space, before 101 characters', () => {
  expect(wrap(`${'a'.repeat(50)} ${'b'.repeat(49)} c`)).toEqual([`${'a'.repeat(50)} ${'b'.repeat(49)}`, 'c']);
});

test('an item that is not accepted stops the load, and is named with its reason', async () => {
  const results = [
    {
      index: 0,
      id: 'web-0001',
      status: 'rejected',
      errors: [{ pointer: '/touchpoints/0/kind', detail: 'Unknown' }],
    },
  ];
  const url = await answering(422, { code: 'no_item_accepted', results });
  const touchpoint = {
    id: 'web-0001',
    occurred_at: '2026-01-01T00:00:00.000Z',
    kind: 'visit' as const,
    person: {},
  };
  const data = { goals: [], touchpoints: [touchpoint], conversions: [], adjustments: [] };
  const access = { url, token: 'none', signal: new AbortController().signal };
  await expect(loadDemo(access, data, () => {})).rejects.toThrow(
    'POST /v1/touchpoints did not accept 1 of 1 items:\n  web-0001: rejected; /touchpoints/0/kind Unknown',
  );
});

test('a refused goal stops the load with what the API said', async () => {
  const url = await answering(403, { code: 'missing_scope' });
  const goals = [{ key: 'purchase', name: 'Bought', kind: 'conversion' as const }];
  const access = { url, token: 'none', signal: new AbortController().signal };
  await expect(
    loadDemo(access, { goals, touchpoints: [], conversions: [], adjustments: [] }, () => {}),
  ).rejects.toThrow('PUT /v1/goals/purchase answered 403: {"code":"missing_scope"}');
});

test('options: a seed and a port are whole numbers, and an empty variable counts as none', () => {
  expect(readOptions(['--once', '--seed', '9'], { PORT: '', DATABASE_URL: '' })).toEqual({
    stay: false,
    seed: 9,
    port: 0,
    databaseUrl: undefined,
    rootKey: undefined,
  });
  expect(readOptions(['--help'], {})).toBeUndefined();
  expect(() => readOptions(['--seed', '1.5'], {})).toThrow('--seed must be a whole number');
  expect(() => readOptions([], { PORT: '70000' })).toThrow('PORT must be a whole number from 0 to 65535');
  expect(() => readOptions(['--twice'], {})).toThrow("Unknown option '--twice'");
});
