import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RateOfDay, rateOn } from '../../src/domain/fx.ts';
import { returnsOf } from '../../src/domain/roi.ts';
import { type Json, needWorld, runs, TestWorkspace } from '../support/api.ts';
import { postLog, type RandomLog, randomLog } from './random-log.ts';

needWorld();

/** New York is five hours behind UTC: events early in the UTC day are on the previous local day. */
const TIMEZONE = 'America/New_York';
const HOME = 'USD';
const CURRENCIES = ['USD', 'EUR', 'GBP', 'CHF'] as const;
const FIRST_DAY = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

/** Days since 1 January. */
const dayOf = (days: number) => new Date(FIRST_DAY + days * DAY_MS).toISOString().slice(0, 10);
const label = fc.constantFrom('x', 'email', 'direct', null);
const spendRow = fc.record({
  first: fc.integer({ min: -12, max: 20 }),
  days: fc.integer({ min: 1, max: 25 }),
  channel: label,
  campaign: fc.constantFrom('spring', null),
  amount: fc.integer({ min: 0, max: 100_000 }).map((cents) => cents / 100),
  currency: fc.constantFrom(...CURRENCIES),
});
const rate = fc.record({
  day: fc.integer({ min: -10, max: 18 }),
  pair: fc.shuffledSubarray([...CURRENCIES], { minLength: 2, maxLength: 2 }),
  rate: fc.integer({ min: 50, max: 200 }).map((hundredths) => hundredths / 100),
});
const log = fc.record({
  log: fc.record(randomLog),
  spend: fc.array(spendRow, { maxLength: 8 }),
  rates: fc.uniqueArray(rate, { maxLength: 25, selector: ({ day, pair }) => `${day} ${pair.join()}` }),
  currencies: fc.array(fc.constantFrom(...CURRENCIES), { minLength: 30, maxLength: 30 }),
  currency: fc.constantFrom(...CURRENCIES),
  from: fc.integer({ min: -3, max: 8 }),
  days: fc.integer({ min: 1, max: 20 }),
});
type Sample = typeof log extends fc.Arbitrary<infer T> ? T : never;

function ratesOf({ rates }: Sample): RateOfDay[] {
  return rates.map(({ day, pair: [from = '', to = ''], ...rest }) => ({
    ...rest,
    date: dayOf(day),
    from,
    to,
  }));
}

async function prepare(sample: Sample, adjusted: RandomLog): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make({ timezone: TIMEZONE, currency: HOME });
  const rates = ratesOf(sample);
  if (rates.length > 0) await workspace.ask('PUT', '/v1/fx-rates', { body: { rates } });
  await postLog(workspace, adjusted, (i) => ({ currency: sample.currencies[i] }));
  const spend = sample.spend.map(({ first, days, ...row }, i) => ({
    ...row,
    id: `s${i}`,
    from: dayOf(first),
    to: dayOf(first + days - 1),
  }));
  if (spend.length > 0) await workspace.load('spend', spend);
  return workspace;
}

/** The spend of the range by group, and the number of spend days without a rate. */
function spentOf(sample: Sample): { byGroup: Map<string, number>; lacking: number } {
  const byGroup = new Map<string, number>();
  let lacking = 0;
  for (const { first, days, channel, campaign, amount, currency } of sample.spend) {
    for (let day = first; day < first + days; day++) {
      if (day < sample.from || day >= sample.from + sample.days) continue;
      const worth = rateOn(dayOf(day), currency, sample.currency, HOME, ratesOf(sample));
      if (worth === null) lacking += 1;
      const key = JSON.stringify({ channel, campaign });
      byGroup.set(key, (byGroup.get(key) ?? 0) + (amount / days) * (worth ?? 0));
    }
  }
  return { byGroup, lacking };
}

function pathOf(report: string, { from, days, currency }: Sample): string {
  const range = `from=${dayOf(from)}&to=${dayOf(from + days)}&currency=${currency}`;
  return `/v1/reports/${report}?goal=purchase&${range}&models=linear,last_touch&group_by=channel,campaign`;
}

const keyOf = ({ channel, campaign }: Json) => JSON.stringify({ channel, campaign });

function byGroup(report: Json): Map<string, Json> {
  return new Map(report.data.map((row: Json) => [keyOf(row.group), row]));
}

test('spend is what the definition spreads and converts, credit is that of the attribution report, gross that before adjustments', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const unadjusted: RandomLog = {
        ...sample.log,
        conversions: sample.log.conversions.map((one) => ({ ...one, adjustment: 'none' })),
      };
      const workspace = await prepare(sample, sample.log);
      const before = await prepare(sample, unadjusted);
      const roi = (await workspace.get(pathOf('roi', sample))).body;
      const net = (await workspace.get(pathOf('attribution', sample))).body;
      const gross = (await before.get(pathOf('attribution', sample))).body;
      const { byGroup: spent, lacking } = spentOf(sample);
      const keys = new Set([...spent.keys(), ...byGroup(net).keys(), ...byGroup(gross).keys()]);
      expect([...byGroup(roi).keys()].sort()).toEqual([...keys].sort());
      for (const [key, row] of byGroup(roi))
        compareRow(row, spent.get(key) ?? 0, byGroup(net).get(key), byGroup(gross).get(key));
      const details = roi.warnings.map(({ detail }: Json) => detail).join();
      if (lacking > 0) expect(details).toContain(`${lacking} days of spend`);
      else expect(details).not.toContain('days of spend');
      expect(roi.totals.spend).toBeCloseTo(
        [...spent.values()].reduce((sum, one) => sum + one, 0),
        6,
      );
      expect(roi.totals).toMatchObject({
        conversions: net.totals.conversions,
        gross_conversions: gross.totals.conversions,
        unattributed: { conversions: net.totals.unattributed.conversions },
      });
      expect(roi.totals.value).toBeCloseTo(net.totals.value, 6);
      expect(roi.totals.gross_value).toBeCloseTo(gross.totals.value, 6);
    }),
    { numRuns: runs(20), seed: 20260501 },
  );
});

function compareRow(row: Json, spend: number, net: Json | undefined, gross: Json | undefined): void {
  expect(row.spend).toBeCloseTo(spend, 6);
  for (const model of ['linear', 'last_touch']) {
    const none = { conversions: 0, value: 0 };
    const [credited, before] = [net?.credit[model] ?? none, gross?.credit[model] ?? none];
    expect(row.credit[model].conversions).toBeCloseTo(credited.conversions, 8);
    expect(row.credit[model].value).toBeCloseTo(credited.value, 6);
    expect(row.credit[model].gross_conversions).toBeCloseTo(before.conversions, 8);
    expect(row.credit[model].gross_value).toBeCloseTo(before.value, 6);
    const { cpa, roas, roi } = returnsOf(row.spend, row.credit[model]);
    for (const [shown, wanted] of [
      [row.cpa[model], cpa],
      [row.roas[model], roas],
      [row.roi[model], roi],
    ]) {
      if (wanted === null) expect(shown).toBeNull();
      else expect(Math.abs(shown - wanted)).toBeLessThan(1e-6 * Math.max(1, Math.abs(wanted)));
    }
  }
}

test('split by day, the rows of an interval add up to those of the range; beyond the limit they are one row', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(log, async (sample) => {
      const workspace = await prepare(sample, sample.log);
      const whole = (await workspace.get(pathOf('roi', sample))).body;
      for (const more of ['&interval=day', '&interval=week&limit=2', '&limit=1']) {
        const { data, totals } = (await workspace.get(pathOf('roi', sample) + more)).body;
        const sum = (pick: (row: Json) => number) =>
          data.reduce((all: number, row: Json) => all + pick(row), 0);
        expect(sum((row) => row.spend)).toBeCloseTo(whole.totals.spend, 6);
        expect(sum((row) => row.credit.linear.value)).toBeCloseTo(
          totals.value - totals.unattributed.value,
          6,
        );
        expect(sum((row) => row.credit.linear.gross_value)).toBeCloseTo(
          whole.data.reduce((all: number, row: Json) => all + row.credit.linear.gross_value, 0),
          6,
        );
      }
    }),
    { numRuns: runs(10), seed: 20260502 },
  );
});
