import { expect, test } from 'vitest';
import { type RateOfDay, rateOn } from '../../src/domain/fx.ts';

const rate = (date: string, from: string, to: string, value: number): RateOfDay => ({
  date,
  from,
  to,
  rate: value,
});
const ask = (day: string, from: string, to: string, ...rates: RateOfDay[]) =>
  rateOn(day, from, to, 'USD', rates);

test('one unit of a currency is one unit of itself, without any rate', () => {
  expect(ask('2026-05-08', 'CHF', 'CHF')).toBe(1);
});

test('the rate of the day counts, else the latest within the seven days before, never one after', () => {
  const rates = [rate('2026-05-01', 'EUR', 'USD', 1.1), rate('2026-05-03', 'EUR', 'USD', 1.2)];
  expect(ask('2026-05-01', 'EUR', 'USD', ...rates)).toBe(1.1);
  expect(ask('2026-05-02', 'EUR', 'USD', ...rates)).toBe(1.1);
  expect(ask('2026-05-03', 'EUR', 'USD', ...rates)).toBe(1.2);
  expect(ask('2026-05-10', 'EUR', 'USD', ...rates)).toBe(1.2);
  expect(ask('2026-05-11', 'EUR', 'USD', ...rates)).toBeNull();
  expect(ask('2026-04-30', 'EUR', 'USD', ...rates)).toBeNull();
});

test('seven days before the first of March of a leap year is the 23rd of February', () => {
  expect(ask('2024-03-01', 'EUR', 'USD', rate('2024-02-23', 'EUR', 'USD', 1.1))).toBe(1.1);
  expect(ask('2024-03-01', 'EUR', 'USD', rate('2024-02-22', 'EUR', 'USD', 1.1))).toBeNull();
});

test('a rate the other way around counts as its inverse; the newer day goes first, then the pair as asked', () => {
  expect(ask('2026-05-02', 'USD', 'EUR', rate('2026-05-01', 'EUR', 'USD', 1.25))).toBe(0.8);
  const newerInverse = [rate('2026-05-01', 'USD', 'EUR', 0.9), rate('2026-05-02', 'EUR', 'USD', 1.25)];
  expect(ask('2026-05-02', 'USD', 'EUR', ...newerInverse)).toBe(0.8);
  const sameDay = [rate('2026-05-02', 'EUR', 'USD', 1.25), rate('2026-05-02', 'USD', 'EUR', 0.9)];
  expect(ask('2026-05-02', 'USD', 'EUR', ...sameDay)).toBe(0.9);
});

test("without the pair the way leads across the workspace's currency, and across no other", () => {
  const acrossUsd = [rate('2026-05-01', 'GBP', 'USD', 1.25), rate('2026-05-02', 'EUR', 'USD', 1.25)];
  expect(ask('2026-05-03', 'GBP', 'EUR', ...acrossUsd)).toBe(1);
  const acrossChf = [rate('2026-05-01', 'GBP', 'CHF', 1.1), rate('2026-05-01', 'CHF', 'EUR', 1.05)];
  expect(ask('2026-05-01', 'GBP', 'EUR', ...acrossChf)).toBeNull();
});

test('an old rate of the pair goes before a new way across', () => {
  const rates = [
    rate('2026-05-01', 'GBP', 'EUR', 1.15),
    rate('2026-05-03', 'GBP', 'USD', 1.25),
    rate('2026-05-03', 'EUR', 'USD', 1.25),
  ];
  expect(ask('2026-05-03', 'GBP', 'EUR', ...rates)).toBe(1.15);
});
