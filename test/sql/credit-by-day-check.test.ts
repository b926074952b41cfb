import { afterEach, expect, test, vi } from 'vitest';
import { checkCredit } from '../../src/stats/kept/check-credit.ts';
import { needWorld, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { inWorkspace, settle } from './kept-credit.ts';
import { agrees, keptDays, openShop, type Shop } from './settled-shop.ts';

/** Sums that are wrong, whatever the reason, are found by the check of the hourly run, dropped, logged and computed again. */

needWorld();
vi.setConfig({ testTimeout: 120_000 });
afterEach(() => vi.restoreAllMocks());

const ALL_DAYS = 1000;

/** What the log says of a check of all days. */
async function checked({ workspace }: Shop): Promise<unknown[]> {
  const log = vi.spyOn(console, 'error').mockImplementation(() => {});
  await checkCredit(inWorkspace(workspace), workspace.id, ALL_DAYS);
  const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)));
  log.mockRestore();
  return lines;
}

/** The sums of one day: those of one group, and the totals of one currency. */
const DAMAGE = [
  'update credit_cells set influenced = influenced + 1 where workspace_id = $1 and not is_month',
  'update credit_cells set new_touches = 0 where workspace_id = $1 and not is_month',
  'update credit_cells set credits[2] = credits[2] + 0.001 where workspace_id = $1 and not is_month',
  `update credit_cells set dimensions = '{email}' where workspace_id = $1 and not is_month`,
  'delete from credit_cells where workspace_id = $1 and not is_month',
  'update credit_totals set net = net + 0.01 where workspace_id = $1',
  'update credit_totals set attributed = 0 where workspace_id = $1',
  'delete from credit_totals where workspace_id = $1',
];

test.skipIf(world.database !== 'postgres')('wrong sums of a group, and wrong totals', async () => {
  const shop = await openShop();
  expect(await checked(shop)).toEqual([]);
  for (const damage of DAMAGE) {
    await rowsOf(damage, [shop.workspace.id]);
    const expected = {
      error: 'CreditDiffers',
      workspace_id: shop.workspace.id,
      differing: damage.includes("'{email}'") ? 2 : 1,
    };
    expect(await checked(shop), damage).toMatchObject([expected]);
    expect(await keptDays(shop)).toBe(30);
    await agrees(shop, damage);
    await settle(shop.workspace);
    expect(await keptDays(shop)).toBe(31);
    await agrees(shop, damage);
    expect(await checked(shop)).toEqual([]);
  }
});
