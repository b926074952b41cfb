import { expect, test, vi } from 'vitest';
import { DAY_MS } from '../../src/domain/time.ts';
import { settlerOf, waitForOthers } from '../../src/stats/kept/settle-credit.ts';
import { endSettling } from '../../src/stats/kept/settle-credit-sql.ts';
import { settleDays } from '../../src/stats/kept/settle-days-sql.ts';
import { ask, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import {
  inWorkspace,
  keep,
  questionOf,
  settle,
  settlerIn,
  settleSteps,
  wrongAnswers,
} from './kept-credit.ts';
import { openSession } from './open-session.ts';
import { agrees, allDaysOf, beginStep, keptDays, openShop, RULES, sale, touch } from './settled-shop.ts';

/** Settling that ends in the middle, clocks, copies and calendars: reports from sums stay exact. */

needWorld();
vi.setConfig({ testTimeout: 120_000 });

const onPostgres = test.skipIf(world.database !== 'postgres');

onPostgres('a step that is taken back after any of its statements has changed nothing', async () => {
  const shop = await openShop();
  const { id } = shop.workspace;
  await shop.workspace.load('touchpoints', [touch('late', 5, 'email')]);
  const all = [...settleDays(id, await allDaysOf(shop)), endSettling(id, RULES, 8)];
  for (let count = 0; count <= all.length; count++) {
    const step = await beginStep(shop.workspace);
    for (const statement of all.slice(0, count)) await step.run(statement);
    await step.rollBack();
    await agrees(shop, `after ${count + 1} statements`);
  }
  await settle(shop.workspace);
  await agrees(shop, 'settled');
  expect(await keptDays(shop)).toBe(31);
});

onPostgres('a session that is ended while it settles has changed nothing', async () => {
  const shop = await openShop();
  await shop.workspace.load('touchpoints', [touch('late', 5, 'email')]);
  const lock = await openSession(shop.workspace);
  await lock.run('reset role');
  await lock.run('lock table credit_cells in share mode');
  const settled = settle(shop.workspace).catch(() => {});
  const waiting = `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    and query like '%credit_cells%'`;
  let ended = 0;
  for (let tries = 0; tries < 200 && ended === 0; tries++) {
    ended = (await rowsOf(`select pg_terminate_backend(pid) from (${waiting}) stuck`, [])).length;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(ended).toBe(1);
  await agrees(shop, 'ended');
  await lock.commit();
  await settled;
  await settle(shop.workspace);
  await agrees(shop, 'settled');
  expect(await keptDays(shop)).toBe(31);
});

onPostgres('a workspace that is deleted while it settles leaves no sums, and the step ends', async () => {
  const shop = await openShop();
  const { id } = shop.workspace;
  await shop.workspace.load('touchpoints', [touch('late', 5, 'email')]);
  const step = await beginStep(shop.workspace);
  for (const statement of settleDays(id, await allDaysOf(shop))) await step.run(statement);
  const deleted = ask('DELETE', `/v1/workspaces/${id}`, { token: world.rootKey });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await step.run(endSettling(id, RULES, 8));
  await step.commit();
  expect((await deleted).status).toBe(200);
  for (const table of ['horizons', 'questions', 'days', 'months', 'totals', 'cells', 'marks'])
    expect([table, await rowsOf(`select from credit_${table} where workspace_id = $1`, [id])]).toEqual([
      table,
      [],
    ]);
  expect(await settlerIn(shop.workspace).step()).toBe(false);
});

test('a workspace is deleted again and again while a settler runs', async () => {
  for (let round = 0; round < 3; round++) {
    const shop = await openShop();
    const { id } = shop.workspace;
    await shop.workspace.load('touchpoints', [touch('late', 5, 'email')]);
    const settled = settle(shop.workspace);
    await new Promise((resolve) => setTimeout(resolve, round * 40));
    expect((await ask('DELETE', `/v1/workspaces/${id}`, { token: world.rootKey })).status).toBe(200);
    await settled;
    for (const table of ['horizons', 'questions', 'days', 'months', 'totals', 'cells', 'marks'])
      expect([table, await rowsOf(`select from credit_${table} where workspace_id = $1`, [id])]).toEqual([
        table,
        [],
      ]);
  }
});

test('a clock that jumped back: days settled in the future are settled again', async () => {
  const shop = await openShop();
  const { id } = shop.workspace;
  await rowsOf(`update credit_days set settled_at = now() + interval '3 days' where workspace_id = $1`, [id]);
  await shop.workspace.load('touchpoints', [touch('late', 5, 'email')]);
  await agrees(shop, 'open');
  const settler = settlerOf(inWorkspace(shop.workspace), id, { question_id: null, min_age_seconds: 60 });
  while (await settler.step()) if (settler.isWaiting()) await waitForOthers();
  await agrees(shop, 'settled');
  expect(await keptDays(shop)).toBe(31);
});

test('a restored copy uses none of its sums, and settles anew', async () => {
  const shop = await openShop();
  const { id } = shop.workspace;
  await shop.workspace.load('touchpoints', [touch('late', 5, 'email')]);
  // There, transactions had much higher ids.
  await rowsOf(`update credit_marks set made_by = '900000000' where workspace_id = $1`, [id]);
  await rowsOf(
    `update credit_horizons set written_by = '5', horizon = '899999999:899999999:', next_horizon = '900000005:900000005:'
    where workspace_id = $1`,
    [id],
  );
  await rowsOf(`update credit_days set horizon = '899999999:899999999:' where workspace_id = $1`, [id]);
  expect(await keptDays(shop)).toBe(0);
  await agrees(shop, 'restored');
  await shop.workspace.load('conversions', [sale('c12', 12)]);
  await settleSteps(shop.workspace, 1);
  await agrees(shop, 'begun anew');
  await settle(shop.workspace);
  await agrees(shop, 'settled');
  expect(await keptDays(shop)).toBe(31);
});

test('a late touchpoint of a person with more than 1,000 conversions opens all later days', async () => {
  const shop = await openShop();
  const many = Array.from({ length: 1010 }, (_, i) => ({
    ...sale(`m${i}`, 8 + Math.floor(i / 101)),
    value: i,
  }));
  await shop.workspace.load('conversions', many);
  await settle(shop.workspace);
  expect(await keptDays(shop)).toBe(31);
  await shop.workspace.load('touchpoints', [touch('late', 3, 'email')]);
  await agrees(shop, 'open');
  await settle(shop.workspace);
  await agrees(shop, 'settled');
  expect(await keptDays(shop)).toBe(31);
});

test('more than half of the days open: the whole range is computed, and settled', async () => {
  const shop = await openShop();
  const days = Array.from({ length: 20 }, (_, i) => 11 + i);
  await shop.workspace.load(
    'conversions',
    days.map((day) => sale(`c${day}`, day)),
  );
  await settle(shop.workspace);
  await shop.workspace.load('touchpoints', [touch('late22', 22)]);
  expect(await keptDays(shop)).toBe(22);
  await shop.workspace.load('touchpoints', [touch('late3', 3)]);
  expect(await keptDays(shop)).toBe(0);
  await agrees(shop, 'open');
  await settle(shop.workspace);
  expect(await keptDays(shop)).toBe(31);
  await agrees(shop, 'settled');
});

/**
 * Clocks go back from 1:00 to midnight, in Havana, or from 0:01 to 23:01 of the day before, as they did in St. John's: the
 * new day begins, ends after a minute, and begins again.
 */
const TURNED_BACK = [
  {
    timezone: 'America/Havana',
    range: ['2026-10-20T04:00:00Z', '2026-12-01T05:00:00Z'],
    night: '2026-11-01',
    times: ['03:30', '04:00', '04:20', '04:40', '05:00', '05:20', '06:00'],
  },
  {
    timezone: 'America/St_Johns',
    range: ['2010-10-26T02:30:00Z', '2010-12-01T03:30:00Z'],
    night: '2010-11-07',
    times: ['01:30', '02:30', '02:30:30', '02:31', '03:00', '03:30', '04:00'],
  },
] as const;

test.each(TURNED_BACK)(
  'ranges and intervals that begin or end around a midnight which is there twice, in $timezone',
  async ({ timezone, range: [first, last], night, times }) => {
    const instants = times.map((time) => new Date(`${night}T${time}Z`).toISOString());
    const workspace = await TestWorkspace.make({ currency: 'EUR', timezone });
    await workspace.goal('purchase');
    const sold = (name: string) =>
      instants.map((occurred_at, i) => ({ ...sale(`${name}${i}`, 2), value: i + 1, occurred_at }));
    const before = new Date(Date.parse(night) - DAY_MS / 2).toISOString();
    await workspace.load('touchpoints', [touch('t2', 2), { ...touch('t', 2), occurred_at: before }]);
    await workspace.load('conversions', sold('c'));
    const ask = (from: string = first, to: string = last, interval: 'day' | null = null) =>
      questionOf({ id: workspace.id, currency: 'EUR', timezone }, { from, to, interval, timezone });
    const questions = [
      ...instants.flatMap((from) => [ask(from), ask(from, undefined, 'day')]),
      ...instants.map((to) => ask(undefined, to, 'day')),
    ];
    await keep(ask());
    await settle(workspace);
    expect(await wrongAnswers(questions), 'settled').toEqual([]);
    await workspace.load('conversions', sold('added'));
    expect(await wrongAnswers(questions), 'added').toEqual([]);
  },
);
