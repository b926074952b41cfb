import { expect, test } from 'vitest';
import { needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, sale } from './items.ts';

/** The Worker and the database use different time zone tables; every accepted zone must mean the same in both. */

needWorld();

const INSTANTS = ['2025-01-15T11:30:00Z', '2025-07-15T11:30:00Z', '2025-07-15T23:10:00Z'];
const REPORT = '/v1/reports/attribution?goal=purchase&from=2025-01-01&to=2026-01-01&interval=day';

async function prepare(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.conversions(...INSTANTS.map((occurred_at) => sale(occurred_at, { occurred_at })));
  return workspace;
}

test('every IANA zone that JavaScript lists is taken, and its days are the same in the database', async () => {
  const workspace = await prepare();
  const wrong: string[] = [];
  const check = async (zone: string) => {
    const { body, status } = await workspace.get(`${REPORT}&timezone=${encodeURIComponent(zone)}`);
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
    const days = [...new Set(INSTANTS.map((instant) => local.format(new Date(instant))))];
    const found =
      status === 200 ? body.totals.by_interval.map((row: { interval: string }) => row.interval) : [];
    if (found.join() !== days.join()) wrong.push(`${zone}: ${status} ${found} instead of ${days}`);
  };
  const zones = Intl.supportedValuesOf('timeZone');
  for (let start = 0; start < zones.length; start += 8)
    await Promise.all(zones.slice(start, start + 8).map(check));
  expect(zones.length).toBeGreaterThan(400);
  expect(wrong).toEqual([]);
});

test('a range of dates that the zone skipped is an empty range; one that ends before it begins is a mistake', async () => {
  const workspace = await prepare();
  const skipped = 'from=2011-12-30&to=2011-12-31&timezone=Pacific/Apia';
  for (const report of [
    'attribution?goal=purchase&',
    'overview?goal=purchase&',
    'lifecycle?',
    'conversations?',
  ]) {
    const { status, text } = await workspace.get(`/v1/reports/${report}${skipped}`);
    expect([report, status], text).toEqual([report, 200]);
  }
  const { body } = await workspace.get(`/v1/reports/attribution?goal=purchase&${skipped}`);
  expect(body.query.from).toBe(body.query.to);
  expect(body.totals.conversions).toBe(0);
  expect((await workspace.get(`/v1/touchpoints?${skipped}`)).status).toBe(200);
  for (const range of ['from=2011-12-31&to=2011-12-30', 'from=2011-12-30&to=2011-12-30']) {
    const answer = await workspace.get(`/v1/reports/lifecycle?${range}&timezone=Pacific/Apia`);
    expectProblem(answer, 422, 'invalid_request', ['?to']);
  }
});

/** Old abbreviations mean different places to JavaScript and Postgres, or none: ACT is Darwin here and Acre there. */
test.for(['ACT', 'AET', 'ART', 'BST', 'CST', 'ECT', 'IST', 'MIT', 'NET', 'PST', 'SST', 'VST'])(
  'the abbreviation %s is no time zone, in a report and in the workspace',
  async (timezone) => {
    const workspace = await prepare();
    expectProblem(await workspace.get(`${REPORT}&timezone=${timezone}`), 422, 'invalid_request', [
      '?timezone',
    ]);
    const patch = await workspace.ask('PATCH', '/v1/workspace', { body: { timezone } });
    expectProblem(patch, 422, 'invalid_request', ['/timezone']);
  },
);
