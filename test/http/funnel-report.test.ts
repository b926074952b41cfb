import papaparse from 'papaparse';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import {
  countsOf,
  FUNNEL,
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
import { expectProblem } from './items.ts';

/** The report of a funnel through the API: rows, formats and groups. */

needWorld();

let log: TestWorkspace;
beforeAll(async () => {
  if (world.missing === null) log = await workspaceWith(TOUCHES, SALES);
});

describe('the rows', () => {
  test('are counts, rates, values and exact seconds, worked out by hand', async () => {
    const { data, totals, warnings, observational } = await reportOf(log);
    const nobody = { median: null, p90: null };
    const answered = { median: 7200, p90: 10_080 };
    expect(data).toEqual([
      {
        step: 1,
        name: 'Mentioned us',
        count: 5,
        rate_from_start: 1,
        rate_from_previous: null,
        value: 0,
        seconds_from_previous: nobody,
        seconds_from_start: { median: 0, p90: 0 },
      },
      {
        step: 2,
        name: 'outbound reply',
        count: 3,
        rate_from_start: 0.6,
        rate_from_previous: 0.6,
        value: 0,
        seconds_from_previous: answered,
        seconds_from_start: answered,
      },
      {
        step: 3,
        name: 'purchase',
        count: 2,
        rate_from_start: 0.4,
        rate_from_previous: 2 / 3,
        value: 150.1,
        // Ann 86,400 and Bob 594,000 seconds; from the start 90,000 and 604,800.
        seconds_from_previous: { median: 340_200, p90: 543_240 },
        seconds_from_start: { median: 347_400, p90: 553_320 },
      },
    ]);
    expect(totals).toEqual({ currency: 'USD', started: 5, completed: 2, rate: 0.4, value: 150.1 });
    expect({ warnings, observational }).toEqual({ warnings: [], observational: true });
  });

  test('of steps that nobody came to are 0, without rates where nobody could have come', async () => {
    const nothing = { touchpoint: { channel: ['a channel that nobody has'] } };
    const { data, totals } = await reportOf(log, { steps: [mention, nothing, purchase] });
    const none = { value: 0, seconds_from_previous: { median: null, p90: null } };
    expect(data).toMatchObject([
      { count: 5 },
      { count: 0, rate_from_start: 0, rate_from_previous: 0, ...none },
      { count: 0, rate_from_start: 0, rate_from_previous: null, ...none },
    ]);
    expect(totals).toMatchObject({ started: 5, completed: 0, rate: 0 });
    const empty = await reportOf(log, { steps: [nothing, mention] });
    expect(empty.data[0]).toMatchObject({
      count: 0,
      rate_from_start: null,
      rate_from_previous: null,
      ...none,
    });
    expect(empty.data[0].seconds_from_start).toEqual({ median: null, p90: null });
    expect(empty.totals.rate).toBeNull();
  });

  test('have names: those sent, or what the step matches', async () => {
    const steps = [
      { touchpoint: { direction: ['outbound'] } },
      { touchpoint: { kind: ['mention', 'reply'], channel: ['x', null], direction: ['inbound'] } },
      { touchpoint: { campaign: ['a', 'b', 'c', 'd', 'e'] } },
      { name: 'Paid', ...purchase },
    ];
    const names = async (order: string) =>
      (await reportOf(log, { steps, order })).data.map((r: Json) => r.name);
    expect(await names('ordered')).toEqual([
      'outbound touchpoints',
      'inbound mention or reply, channel x or none',
      'touchpoints, campaign a or b or c or 2 more',
      'Paid',
    ]);
    expect(await names('any')).toEqual(['1 of 4 steps', '2 of 4 steps', '3 of 4 steps', '4 of 4 steps']);
    const long = await reportOf(log, { steps: [{ touchpoint: { channel: ['😀'.repeat(500)] } }, mention] });
    expect([...long.data[0].name]).toHaveLength(200);
  });

  test('echo the question with its defaults', async () => {
    expect((await reportOf(log)).query).toEqual({
      from: '2025-06-01T00:00:00.000Z',
      to: '2025-06-08T00:00:00.000Z',
      timezone: 'UTC',
      steps: [
        { name: 'Mentioned us', ...mention },
        { name: 'outbound reply', ...reply },
        { name: 'purchase', ...purchase },
      ],
      order: 'ordered',
      window_seconds: 604_800,
      entry: 'any',
      count: 'people',
      scope: 'person',
      hold: [],
      exclude: [],
      breakdown: null,
      currency: 'USD',
      compare: null,
    });
  });

  test('come as CSV and NDJSON, the same ones', async () => {
    const { data } = await reportOf(log);
    const send = (format: string) => log.ask('POST', `/v1/reports/funnel?format=${format}`, { body: FUNNEL });
    const csv = papaparse.parse<Json>((await send('csv')).text.trimEnd(), { header: true }).data;
    expect(csv).toHaveLength(3);
    expect(csv[2]).toMatchObject({
      step: '3',
      name: 'purchase',
      count: '2',
      value: '150.1',
      'seconds_from_start.median': '347400',
    });
    const lines = (await send('ndjson')).text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(data);
  });
});

describe('a breakdown', () => {
  const groupsOf = ({ breakdown }: Json) =>
    breakdown.map(({ group, other, steps }: Json) => [other ? 'other' : group, ...countsOf(steps)]);

  test('is by the first event, the largest group first, then by value', async () => {
    const report = await reportOf(log, { breakdown: { by: ['channel'] } });
    expect(groupsOf(report)).toEqual([
      [{ channel: 'x' }, 3, 2, 1],
      [{ channel: 'email' }, 1, 0, 0],
      [{ channel: 'linkedin' }, 1, 1, 1],
    ]);
    expect(report.breakdown[0].steps[2]).toMatchObject({
      name: 'purchase',
      value: 100,
      rate_from_start: 1 / 3,
    });
    expect(countsOf(report.data)).toEqual([5, 3, 2]);
  });

  test('at a later step has a group without name for those who did not come to it', async () => {
    const report = await reportOf(log, { breakdown: { by: ['channel', 'campaign'], at_step: 2 } });
    expect(groupsOf(report)).toEqual([
      [{ channel: 'email', campaign: null }, 1, 1, 0],
      [{ channel: 'linkedin', campaign: null }, 1, 1, 1],
      [{ channel: 'x', campaign: null }, 1, 1, 1],
      [null, 2, 0, 0],
    ]);
  });

  test('shows 50 groups, and the rest as one', async () => {
    const channels = Array.from({ length: 52 }, (_, i) => `c${String(i).padStart(2, '0')}`);
    const workspace = await workspaceWith([
      ...channels.map((channel) => mentioned(channel, '2025-06-01T00:00:00Z', { channel })),
      mentioned('big', '2025-06-01T00:00:00Z', { channel: 'c51' }),
      replied('c50', '2025-06-01T00:00:01Z'),
    ]);
    const groups = groupsOf(await reportOf(workspace, { breakdown: { by: ['channel'] } }));
    expect(groups).toHaveLength(51);
    expect(groups.slice(0, 2)).toEqual([
      [{ channel: 'c51' }, 2, 0, 0],
      [{ channel: 'c00' }, 1, 0, 0],
    ]);
    expect(groups.slice(-2)).toEqual([
      [{ channel: 'c48' }, 1, 0, 0],
      ['other', 2, 1, 0],
    ]);
  });
});

test('a posted report has no ETag: 304 is for what is got', async () => {
  const answer = await log.ask('POST', '/v1/reports/funnel', {
    body: FUNNEL,
    headers: { 'if-none-match': '*' },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('etag')).toBeNull();
});

test('another workspace’s people are in no number', async () => {
  const stranger = await TestWorkspace.make();
  await stranger.goal('purchase');
  expect(countsOf((await reportOf(stranger)).data)).toEqual([0, 0, 0]);
  expectProblem(
    await stranger.post('/v1/reports/funnel', {
      ...FUNNEL,
      steps: [mention, { conversion: { goal: ['lead'] } }],
    }),
    422,
    'unknown_goal',
    ['/steps/1/conversion/goal'],
  );
});
