import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { needWorld, TestWorkspace } from '../support/api.ts';

/**
 * Numbers computed elsewhere, over a log with intentional ties. The log is beside the project, where it is available.
 */
const FOLDER = new URL('../../../shared/data/reference-log/', import.meta.url);
const isThere = existsSync(FOLDER);

interface Expected {
  conversions: number;
  value: number;
  unattributed: { conversions: number; value: number };
  data: Record<
    string,
    { credit: Record<string, { conversions: number; value: number }>; influenced_conversions: number }
  >;
}

const MODELS = 'first_touch,last_touch,linear,time_decay,position_based,j_shaped,inverse_j_shaped';

needWorld();

describe.skipIf(!isThere)('the reference log, posted through the API', () => {
  const expected = isThere
    ? (JSON.parse(readFileSync(new URL('attribution-expected.json', FOLDER), 'utf8')) as Record<
        string,
        Expected
      >)
    : {};
  const settings = Object.keys(expected);

  test('all twelve settings, of people and of accounts, agree to 1e-6 for every model and channel', async () => {
    expect(settings).toHaveLength(12);
    const workspace = await loaded();
    for (const name of settings) {
      const [scope, lookback = '', journey] = name.split('|');
      const { body } = await workspace.get(
        `/v1/reports/attribution?goal=purchase&from=2026-01-01&to=2027-01-01&models=${MODELS}&lookback_days=${lookback.replace('d', '')}` +
          `&scope=${scope}&journey=${journey}&where[kind]=mention,reply,click,demo`,
      );
      compare(name, body, expected[name] as Expected);
    }
  });

  test('all funnels, windows and orders agree exactly', async () => {
    const workspace = await loaded();
    const funnels = JSON.parse(readFileSync(new URL('funnel-expected.json', FOLDER), 'utf8'));
    const cases = Object.entries<Record<string, number[]>>(funnels).flatMap(([name, ways]) =>
      Object.entries(ways).map(([way, counts]) => ({ name, way, counts })),
    );
    expect(cases).toHaveLength(40);
    for (const { name, way, counts } of cases) {
      const { body } = await workspace.post('/v1/reports/funnel', funnelNamed(name, way));
      expect(
        body.data.map((row: { count: number }) => row.count),
        `${name} ${way}`,
      ).toEqual(counts);
    }
  });
});

const HOURS: Record<string, number> = { '1h': 1, '24h': 24, '7d': 7 * 24, '14d': 14 * 24 };

/** As in `mention>reply>purchase | 24h` and `ordered, exclude other`. */
function funnelNamed(name: string, way: string) {
  const [path = '', window = ''] = name.split(' | ');
  const [order, exclude] = way.split(', exclude ');
  return {
    from: '2026-01-01',
    to: '2027-01-01',
    steps: path
      .split('>')
      .map((kind) =>
        kind === 'purchase' ? { conversion: { goal: [kind] } } : { touchpoint: { kind: [kind] } },
      ),
    order,
    window_seconds: (HOURS[window] ?? 0) * 3600,
    exclude: exclude ? [{ touchpoint: { kind: [exclude] } }] : [],
  };
}

let workspaceOfLog: Promise<TestWorkspace> | undefined;

/** Both tests only read it. */
function loaded(): Promise<TestWorkspace> {
  workspaceOfLog ??= loadLog();
  return workspaceOfLog;
}

async function loadLog(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const [, ...lines] = readFileSync(new URL('events.csv', FOLDER), 'utf8').trim().split('\n');
  const rows = lines.map((line) => line.split(','));
  const touchpoints = rows
    .filter(([, , , , kind]) => kind !== 'purchase')
    .map(([id, person, account, occurred_at, kind, channel]) => ({
      id,
      account: { id: account },
      occurred_at,
      kind,
      channel,
      person: { user_id: person },
    }));
  const conversions = rows
    .filter(([, , , , kind]) => kind === 'purchase')
    .map(([id, person, account, occurred_at, , , value]) => ({
      id,
      account: { id: account },
      goal: 'purchase',
      occurred_at,
      value,
      currency: 'USD',
      person: { user_id: person },
    }));
  await workspace.load('touchpoints', touchpoints);
  await workspace.load('conversions', conversions);
  return workspace;
}

// biome-ignore lint/suspicious/noExplicitAny: the contract checks the report's shape against openapi.json
function compare(name: string, report: any, wanted: Expected): void {
  const models = Object.keys(Object.values(wanted.data)[0]?.credit ?? {});
  expect(models, name).toHaveLength(7);
  expect(report.totals.conversions, name).toBe(wanted.conversions);
  expect(report.totals.value, name).toBeCloseTo(wanted.value, 6);
  expect(report.totals.unattributed.conversions, name).toBe(wanted.unattributed.conversions);
  expect(report.totals.unattributed.value, name).toBeCloseTo(wanted.unattributed.value, 6);
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const channels = Object.fromEntries(report.data.map((row: any) => [row.group.channel, row]));
  expect(Object.keys(channels).sort(), name).toEqual(Object.keys(wanted.data).sort());
  for (const [channel, { credit, influenced_conversions }] of Object.entries(wanted.data)) {
    expect(channels[channel].influenced_conversions, `${name} ${channel}`).toBe(influenced_conversions);
    for (const [model, { conversions, value }] of Object.entries(credit)) {
      const got = channels[channel].credit[model];
      expect(Math.abs(got.conversions - conversions), `${name} ${channel} ${model} conversions`).toBeLessThan(
        1e-6,
      );
      expect(Math.abs(got.value - value), `${name} ${channel} ${model} value`).toBeLessThan(1e-6);
    }
  }
  for (const model of models) {
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const credited = report.data.reduce((sum: number, row: any) => sum + row.credit[model].value, 0);
    expect(credited + report.totals.unattributed.value, `${name} ${model} adds up`).toBeCloseTo(
      report.totals.value,
      6,
    );
  }
}
