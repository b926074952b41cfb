import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Json, needWorld, runs, TestWorkspace } from '../support/api.ts';
import { GOALS, postLog, type RandomLog, randomLog, START } from './random-log.ts';

/** Results that must change in a known way, or not at all, when the log changes. This check needs no definition. */

needWorld();

const DAY_MS = 86_400_000;
const MODELS = ['linear', 'first_touch', 'time_decay', 'position_based'];
const log = fc.record(randomLog);

async function workspaceOf(sample: RandomLog): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await postLog(workspace, sample);
  return workspace;
}

/** @param days shift of the range */
async function reportOf(workspace: TestWorkspace, scope: string, days = 0): Promise<Json> {
  const day = (of: number) => new Date(START + (of + days) * DAY_MS).toISOString();
  const path = `/v1/reports/attribution?goal=purchase&from=${day(0)}&to=${day(31)}&models=${MODELS.join()}&lookback_days=3`;
  const { body, status, text } = await workspace.get(`${path}&scope=${scope}&group_by=channel,campaign`);
  expect(status, text).toBe(200);
  return body;
}

/** Totals, and rows sorted by group. Rounding affects the last of the nine decimals. */
function comparable({ totals, data }: Json, change: (row: Json) => Json = (row) => row): Json {
  const rows = data.map(change).map((row: Json) => [JSON.stringify(row.group), row]);
  const inOrder = Object.fromEntries(rows.toSorted(([a]: [string], [b]: [string]) => (a < b ? -1 : 1)));
  return JSON.parse(
    JSON.stringify({ totals, rows: inOrder }, (_key, value) =>
      typeof value === 'number' ? Number(value.toFixed(6)) + 0 : value,
    ),
  );
}

/** Every amount of money multiplied by a factor. */
function scaled(value: Json, factor: number): Json {
  if (Array.isArray(value)) return value.map((one) => scaled(one, factor));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      (key === 'value' || key === 'gross_value') && typeof member === 'number'
        ? member * factor
        : scaled(member, factor),
    ]),
  );
}

async function holds(count: number, property: (sample: RandomLog) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(log, property), { numRuns: runs(count), seed: 20260707 });
}

const unadjusted = (sample: RandomLog): RandomLog => ({
  ...sample,
  conversions: sample.conversions.map((one) => ({ ...one, adjustment: 'none' })),
});

describe('the attribution report', { timeout: 240_000 }, () => {
  test('is the same in whatever order and batches a log comes, and however often', async () => {
    await holds(8, async (sample) => {
      const [whole, parts] = [await workspaceOf(sample), await TestWorkspace.make()];
      for (const goal of GOALS) await parts.goal(goal);
      const items = async (path: string) => (await whole.get(`${path}?limit=1000`)).body.data as Json[];
      const [touchpoints, conversions] = [await items('/v1/touchpoints'), await items('/v1/conversions')];
      const sentTouchpoints = sample.touches.map((one, i) => ({ ...one, id: `t${i}` }));
      const person = (of: string) => ({ user_id: of });
      const accountOf = (one: { person: string; account: string | null }) =>
        one.person === 'c' || one.account === null ? null : { id: one.account };
      const all = [
        ...sentTouchpoints.map((one) => [
          'touchpoints',
          {
            ...one,
            account: accountOf(one),
            person: person(one.person),
            occurred_at: new Date(one.occurred_at).toISOString(),
          },
        ]),
        ...sample.conversions.map(({ adjustment: _, ...one }, i) => [
          'conversions',
          {
            ...one,
            account: accountOf(one),
            id: `c${i}`,
            person: person(one.person),
            occurred_at: new Date(one.occurred_at).toISOString(),
          },
        ]),
      ] as [string, Json][];
      // In reverse order, in batches of three, each sent twice.
      for (let end = all.length; end > 0; end -= 3) {
        for (const [resource, batch] of Map.groupBy(
          all.slice(Math.max(0, end - 3), end).toReversed(),
          ([name]) => name,
        )) {
          const body = { [resource]: batch.map(([, item]) => item) };
          await parts.post(`/v1/${resource}`, body);
          expect((await parts.post(`/v1/${resource}`, body)).body.duplicates).toBe(batch.length);
        }
      }
      for (const [i, { adjustment }] of sample.conversions.entries()) {
        if (adjustment === 'none') continue;
        const body = { id: `a${i}`, kind: adjustment, ...(adjustment === 'restatement' && { value: 1.5 }) };
        await parts.post(`/v1/conversions/c${i}/adjustments`, body);
        await parts.post(`/v1/conversions/c${i}/adjustments`, body);
      }
      expect([touchpoints.length, conversions.length]).toEqual([
        sample.touches.length,
        sample.conversions.length,
      ]);
      expect(comparable(await reportOf(parts, sample.scope))).toEqual(
        comparable(await reportOf(whole, sample.scope)),
      );
    });
  });

  test('of values times eight is that of the values, with money times eight', async () => {
    await holds(8, async (drawn) => {
      const sample = unadjusted(drawn);
      const more = {
        ...sample,
        conversions: sample.conversions.map((one) => ({ ...one, value: one.value * 8 })),
      };
      const [plain, large] = [await workspaceOf(sample), await workspaceOf(more)];
      expect(comparable(await reportOf(large, sample.scope))).toEqual(
        comparable(scaled(await reportOf(plain, sample.scope), 8)),
      );
    });
  });

  test('of a log a hundred days earlier is that of the log, in a range a hundred days earlier', async () => {
    await holds(8, async (sample) => {
      const shifted = <T extends { occurred_at: number }>(one: T) => ({
        ...one,
        occurred_at: one.occurred_at - 100 * DAY_MS,
      });
      const earlier = {
        ...sample,
        touches: sample.touches.map(shifted),
        conversions: sample.conversions.map(shifted),
      };
      const [now, then] = [await workspaceOf(sample), await workspaceOf(earlier)];
      expect(comparable(await reportOf(then, sample.scope, -100))).toEqual(
        comparable(await reportOf(now, sample.scope)),
      );
    });
  });

  test('of channels by other names is that of the channels, with the other names', async () => {
    const other: Record<string, string> = { x: 'email', email: 'x', direct: 'direct' };
    await holds(8, async (sample) => {
      const renamed = sample.touches.map(
        (one) => ({ ...one, channel: other[one.channel] ?? one.channel }) as typeof one,
      );
      const [before, after] = [await workspaceOf(sample), await workspaceOf({ ...sample, touches: renamed })];
      const back = (row: Json) => ({
        ...row,
        group: row.group && { ...row.group, channel: other[row.group.channel] ?? row.group.channel },
      });
      expect(comparable(await reportOf(after, sample.scope), back)).toEqual(
        comparable(await reportOf(before, sample.scope)),
      );
    });
  });

  test('does not know of touchpoints outside of every window: before the lookback, and after the last sale', async () => {
    await holds(8, async (sample) => {
      const workspace = await workspaceOf(sample);
      const before = comparable(await reportOf(workspace, sample.scope));
      await workspace.load(
        'touchpoints',
        [START - 4 * DAY_MS, START + 20 * DAY_MS].flatMap((at, i) =>
          ['a', 'b', 'c'].map((user_id) => ({
            id: `far-${i}-${user_id}`,
            kind: 'mention',
            channel: 'x',
            occurred_at: new Date(at).toISOString(),
            person: { user_id },
          })),
        ),
      );
      expect(comparable(await reportOf(workspace, sample.scope))).toEqual(before);
    });
  });

  test('after a refund is net what it would be without the sale', async () => {
    await holds(8, async (drawn) => {
      const sample = unadjusted(drawn);
      const refunded = {
        ...sample,
        conversions: sample.conversions.map((one, i) =>
          i % 2 ? one : { ...one, adjustment: 'retraction' as const },
        ),
      };
      // A conversion of another goal replaces the missing one, so that the facts about accounts stay the same.
      const never = {
        ...sample,
        conversions: sample.conversions.map((one, i) => (i % 2 ? one : { ...one, goal: 'lead' as const })),
      };
      const [back, without] = [await workspaceOf(refunded), await workspaceOf(never)];
      const net = (report: Json) => {
        const { gross_conversions: _, gross_value: _value, ...totals } = report.totals;
        return comparable({ ...report, totals });
      };
      expect(net(await reportOf(back, sample.scope))).toEqual(net(await reportOf(without, sample.scope)));
    });
  });
});
