import { beforeAll, describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import {
  bought,
  by,
  countsOf,
  HOUR,
  mention,
  mentioned,
  purchase,
  replied,
  reply,
  reportOf,
  SALES,
  TOUCHES,
  workspaceWith,
} from './funnel-log.ts';
import { touch } from './items.ts';

/** The effect of each setting of a funnel, the previous period, and warnings. */

needWorld();

describe('the settings', () => {
  const at = (hour: number) => new Date(Date.UTC(2025, 5, 1, hour)).toISOString();
  let one: TestWorkspace;
  beforeAll(async () => {
    if (world.missing !== null) return;
    one = await workspaceWith([
      mentioned('ann', at(0), { conversation: { id: 'A' } }),
      touch('between', by('ann', at(1), { kind: 'other', conversation: { id: 'A' } })),
      replied('ann', at(2), { conversation: { id: 'B' } }),
      mentioned('ann', at(50), { conversation: { id: 'C' } }),
      replied('ann', at(52), { conversation: { id: 'D' } }),
    ]);
  });

  const other = { touchpoint: { kind: ['other'] } };
  test.for<[string, Json, number[]]>([
    ['one person, whatever she repeats', {}, [1, 1]],
    ['completions', { count: 'completions' }, [2, 2]],
    ['completions from the first start', { count: 'completions', entry: 'first' }, [1, 1]],
    ['a window that is too short', { window_seconds: 2 * HOUR - 1 }, [1, 0]],
    ['steps in the other order', { steps: [reply, mention], window_seconds: 40 * HOUR }, [1, 0]],
    ['any order', { steps: [reply, mention], window_seconds: 2 * HOUR, order: 'any' }, [1, 1]],
    ['strict, and an event between', { to: '2025-06-02', order: 'strict' }, [1, 0]],
    ['strict, and no event between', { order: 'strict' }, [1, 1]],
    ['a held field that differs', { hold: ['conversation'] }, [1, 0]],
    ['a held field that agrees', { hold: ['channel'] }, [1, 1]],
    ['an exclusion between', { to: '2025-06-02', window_seconds: 3 * HOUR, exclude: [other] }, [1, 0]],
    ['an exclusion after the range of the first start', { exclude: [other] }, [1, 1]],
    [
      'the first start only',
      { entry: 'first', window_seconds: 3 * HOUR, exclude: [{ ...other, after_step: 1, before_step: 2 }] },
      [1, 0],
    ],
  ])('count %s', async ([, changes, counts]) => {
    const report = await reportOf(one, { steps: [mention, reply], window_seconds: 10 * HOUR, ...changes });
    expect(countsOf(report.data)).toEqual(counts);
  });
});

describe('the previous period', () => {
  let log: TestWorkspace;
  beforeAll(async () => {
    if (world.missing === null) log = await workspaceWith(TOUCHES, SALES);
  });

  test('is the time of equal length right before, with rows of its own', async () => {
    const { data, previous } = await reportOf(log, {
      from: '2025-06-08',
      to: '2025-06-15',
      compare: 'previous_period',
      breakdown: { by: ['channel'] },
    });
    expect(countsOf(data)).toEqual([1, 0, 0]);
    expect(previous).toEqual({
      from: '2025-06-01T00:00:00.000Z',
      to: '2025-06-08T00:00:00.000Z',
      data: (await reportOf(log)).data,
    });
  });

  test('of days is as many local days, also where the clocks change', async () => {
    const range = { from: '2025-03-30', to: '2025-03-31', timezone: 'Europe/Berlin' };
    const { previous } = await reportOf(log, { ...range, compare: 'previous_period' });
    expect(previous).toMatchObject({ from: '2025-03-28T23:00:00.000Z', to: '2025-03-29T23:00:00.000Z' });
    const instants = { from: '2025-03-29T23:00:00Z', to: '2025-03-30T22:00:00Z' };
    const asked = await reportOf(log, { ...instants, compare: 'previous_period' });
    expect(asked.previous).toMatchObject({
      from: '2025-03-29T00:00:00.000Z',
      to: '2025-03-29T23:00:00.000Z',
    });
  });
});

describe('warnings', () => {
  test('say how many sales have no rate; they count, their value does not', async () => {
    const workspace = await workspaceWith(
      ['ann', 'bob', 'cat'].map((who) => mentioned(who, '2025-06-01T00:00:00Z')),
      [
        bought('ann', '2025-06-02T00:00:00Z', { currency: 'EUR', value: 70 }),
        bought('bob', '2025-06-02T00:00:00Z', { currency: 'EUR', value: 5 }),
        bought('cat', '2025-06-02T00:00:00Z', { value: 30 }),
      ],
    );
    const steps = [mention, purchase];
    const { data, warnings } = await reportOf(workspace, { steps });
    expect(data[1]).toMatchObject({ count: 3, value: 30 });
    expect(warnings).toMatchObject([{ code: 'missing_fx_rate' }]);
    expect(warnings[0].detail).toMatch(/^2 conversions/);
    const inEuros = await reportOf(workspace, { steps, currency: 'EUR' });
    expect(inEuros.totals).toMatchObject({ currency: 'EUR', value: 75 });
    expect(inEuros.warnings[0].detail).toMatch(/^1 conversions/);
    const later = { from: '2025-06-08', to: '2025-06-15', compare: 'previous_period' };
    expect((await reportOf(workspace, { steps, ...later })).warnings).toHaveLength(1);
  });

  test('say that the range begins before what is kept, also that of the period before', async () => {
    const workspace = await TestWorkspace.make({ retention_days: 30 });
    await workspace.goal('purchase');
    const codes = async (changes: Json) =>
      (await reportOf(workspace, { from: undefined, to: undefined, ...changes })).warnings.map(
        ({ code }: Json) => code,
      );
    expect(await codes({ range: '90d' })).toEqual(['outside_retention']);
    expect(await codes({ range: '7d' })).toEqual([]);
    expect(await codes({ range: '7d', compare: 'previous_period' })).toEqual([]);
    expect(await codes({ from: '2025-06-01', to: '2025-06-08' })).toEqual(['outside_retention']);
    const days = (n: number) => new Date(Date.now() - n * 86_400_000).toISOString();
    const month = { from: days(25), to: days(1) };
    expect(await codes(month)).toEqual([]);
    expect(await codes({ ...month, compare: 'previous_period' })).toEqual(['outside_retention']);
  });
});
