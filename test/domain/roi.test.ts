import { expect, test } from 'vitest';
import { returnsOf } from '../../src/domain/roi.ts';

test('1000 spent, 25 conversions worth 2500: 40 each, 2.5 back for each, 1.5 gained for each', () => {
  expect(returnsOf(1000, { conversions: 25, value: 2500 })).toEqual({ cpa: 40, roas: 2.5, roi: 1.5 });
});

test('money that brought nothing is lost whole, and costs nothing for each of no conversions', () => {
  expect(returnsOf(1000, { conversions: 0, value: 0 })).toEqual({ cpa: null, roas: 0, roi: -1 });
  expect(returnsOf(1000, { conversions: 1e-12, value: 0 }).cpa).toBeNull();
});

test('without spend there is nothing to divide by', () => {
  const nothing = { cpa: null, roas: null, roi: null };
  expect(returnsOf(0, { conversions: 3, value: 300 })).toEqual(nothing);
  expect(returnsOf(0, { conversions: 0, value: 0 })).toEqual(nothing);
});
