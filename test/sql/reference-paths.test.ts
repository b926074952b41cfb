import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { needWorld, TestWorkspace, world } from '../support/api.ts';

/** Real customer paths with counts and exact credits. The data are beside the project, where they are available. */
const FOLDER = new URL('../../../shared/data/paths/', import.meta.url);
const isThere = existsSync(FOLDER);

const MODELS = ['first_touch', 'last_touch', 'linear', 'position_based', 'j_shaped', 'inverse_j_shaped'];
const START = Date.UTC(2026, 0, 1);
const MINUTE_MS = 60_000;

needWorld();

// Posting takes more than a minute, so it is part of `npm run test:nightly`. PGlite passes too, in several times the time;
// one database is enough for arithmetic that both share.
describe.skipIf(!process.env.NIGHTLY || !isThere || world.database !== 'postgres')(
  'customer paths, expanded to people and posted through the API',
  () => {
    test('88,387 journeys of 378,209 touchpoints get the exact credits of every heuristic model, and are their paths', {
      timeout: 400_000,
    }, async () => {
      const { touchpoints, conversions, people } = expand();
      expect(people).toBe(88_387);
      expect(touchpoints).toHaveLength(378_209);
      const workspace = await TestWorkspace.make();
      await workspace.goal('purchase');
      const started = performance.now();
      await loadInParallel(workspace, 'touchpoints', touchpoints);
      await loadInParallel(workspace, 'conversions', conversions);
      const loaded = performance.now();
      const { body } = await workspace.get(
        `/v1/reports/attribution?goal=purchase&from=2026-01-01&to=2027-01-01&models=${MODELS.join()}`,
      );
      console.log(
        `posted in ${Math.round((loaded - started) / 1000)} s, report in ${Math.round(performance.now() - loaded)} ms`,
      );
      compare(body.data);
      for (const model of MODELS) {
        // biome-ignore lint/suspicious/noExplicitAny: the contract checks the report's shape against openapi.json
        const credited = body.data.reduce((sum: number, row: any) => sum + row.credit[model].conversions, 0);
        expect(credited + body.totals.unattributed.conversions).toBeCloseTo(body.totals.conversions, 6);
      }
      const asked = performance.now();
      const report = await workspace.get(
        '/v1/reports/journeys?goal=purchase&from=2026-01-01&to=2026-02-01&collapse=false&limit=10000',
      );
      console.log(`journeys in ${Math.round(performance.now() - asked)} ms`);
      comparePaths(report.body);
    });
  },
);

/** The paths of the file: how many people walked each, with and without a conversion. */
function pathCounts(): { channels: string[]; converted: number; not_converted: number }[] {
  const [, ...lines] = readFileSync(new URL('path-data.csv', FOLDER), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [, path = '', converted, , lost] = line.match(/^"([^"]*)",(\d+),([^,]*),(\d+)/) ?? [];
    return { channels: path.split(' > '), converted: Number(converted), not_converted: Number(lost) };
  });
}

/** As many people per path as walked it; touches of a person are a minute apart, and the conversion is last. */
function expand() {
  const touchpoints: object[] = [];
  const conversions: object[] = [];
  let people = 0;
  for (const { channels, converted, not_converted } of pathCounts()) {
    for (let walk = 0; walk < converted + not_converted; walk++) {
      const person = { user_id: `p${people}` };
      channels.forEach((channel, i) => {
        touchpoints.push({
          id: `t${touchpoints.length}`,
          kind: 'visit',
          channel,
          person,
          occurred_at: new Date(START + i * MINUTE_MS).toISOString(),
        });
      });
      if (walk < converted) {
        conversions.push({
          id: `c${people}`,
          goal: 'purchase',
          person,
          occurred_at: new Date(START + channels.length * MINUTE_MS).toISOString(),
        });
      }
      people += 1;
    }
  }
  return { touchpoints, conversions, people };
}

async function loadInParallel(
  workspace: TestWorkspace,
  resource: 'touchpoints' | 'conversions',
  items: object[],
): Promise<void> {
  const half = Math.ceil(items.length / 2);
  await Promise.all([
    workspace.load(resource, items.slice(0, half)),
    workspace.load(resource, items.slice(half)),
  ]);
}

// biome-ignore lint/suspicious/noExplicitAny: the contract checks the report's shape against openapi.json
function compare(rows: any[]): void {
  const [header = '', ...lines] = readFileSync(new URL('expected-conversions.csv', FOLDER), 'utf8')
    .trim()
    .split('\n');
  const names = header.split(',');
  expect(rows).toHaveLength(lines.length);
  for (const line of lines) {
    const wanted = Object.fromEntries(line.split(',').map((cell, i) => [names[i] ?? '', cell]));
    const row = rows.find(({ group }) => group.channel === wanted.channel);
    for (const model of MODELS) {
      expect(
        Math.abs(row.credit[model].conversions - Number(wanted[model])),
        `${wanted.channel} ${model}`,
      ).toBeLessThan(1e-6);
    }
    expect(row.influenced_conversions, `${wanted.channel} influenced`).toBe(Number(wanted.influenced));
    expect(row.assisted_conversions, `${wanted.channel} assisted`).toBe(Number(wanted.assisted));
  }
}

/** Every path of the report, and the rest row, has the counts of the file. */
// biome-ignore lint/suspicious/noExplicitAny: as above
function comparePaths({ data, totals, transitions }: any): void {
  const wanted = new Map<string, [number, number]>();
  for (const { channels, converted, not_converted } of pathCounts()) {
    const key = channels.join(' > ');
    const [a, b] = wanted.get(key) ?? [0, 0];
    wanted.set(key, [a + converted, b + not_converted]);
  }
  const sums = (counts: Iterable<[number, number]>) =>
    [...counts].reduce(([a, b], [converted, lost]) => [a + converted, b + lost], [0, 0]);
  expect([totals.conversions, totals.not_converted]).toEqual(sums(wanted.values()));
  for (const { path, converted, not_converted } of data) {
    const key = path?.join(' > ');
    expect([converted, not_converted], key).toEqual(path === null ? sums(wanted.values()) : wanted.get(key));
    wanted.delete(key);
  }
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const starts = transitions.filter(({ from }: any) => from.state === 'start');
  // biome-ignore lint/suspicious/noExplicitAny: as above
  expect(starts.reduce((sum: number, { count }: any) => sum + count, 0)).toBe(88_387);
}
