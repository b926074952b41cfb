import { beforeEach, describe, expect, test, vi } from 'vitest';
import { keptQuestionOf } from '../../src/stats/kept/kept-question.ts';
import { endSettling } from '../../src/stats/kept/settle-credit-sql.ts';
import { settleDays } from '../../src/stats/kept/settle-days-sql.ts';
import { needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { keep, note, questionOf, settle, settlerIn, settleSteps } from './kept-credit.ts';
import { openSession } from './open-session.ts';
import {
  addSale,
  addTouch,
  agrees,
  allDaysOf,
  beginStep,
  keptDays,
  openShop,
  person,
  RULES,
  type Shop,
  sale,
  touch,
} from './settled-shop.ts';

/** Writers and settling that overlap: each of these interleavings would give wrong sums if one check were missing. */

needWorld();
vi.setConfig({ testTimeout: 120_000 });

describe.skipIf(world.database !== 'postgres')('reports equal the definition', () => {
  let shop: Shop;
  beforeEach(async () => {
    if (world.missing === null) shop = await openShop();
  });

  test('while a touchpoint is not committed, whose conversion is committed and settled meanwhile', async () => {
    const { workspace } = shop;
    const writer = await openSession(workspace);
    await addTouch(writer, shop, 'late', 3);
    await workspace.load('conversions', [sale('c12', 12)]);
    await settleSteps(workspace, 8);
    await agrees(shop, 'open');
    await writer.commit();
    await agrees(shop, 'committed');
    await settle(workspace);
    await agrees(shop, 'settled');
    expect(await keptDays(shop)).toBe(31);
  });

  test('while a conversion is not committed, and a later one of the same touchpoint is committed and settled', async () => {
    const { workspace } = shop;
    const writer = await openSession(workspace);
    await addSale(writer, shop, 'late', 13);
    await workspace.load('touchpoints', [touch('t11', 11)]);
    await workspace.load('conversions', [sale('c15', 15)]);
    await settleSteps(workspace, 8);
    await agrees(shop, 'open');
    await writer.commit();
    await agrees(shop, 'committed');
    await settle(workspace);
    await agrees(shop, 'settled');
    expect(await keptDays(shop)).toBe(31);
  });

  test('when a writer begins within a step, and relies on a mark that this step knows already', async () => {
    const { workspace } = shop;
    await workspace.load('conversions', [sale('c12', 12)]);
    const step = await beginStep(workspace);
    await step.run(endSettling(workspace.id, RULES, 8));
    // The mark of c12 is not in the snapshot that the writer reads, so the touchpoint needs no mark.
    const writer = await openSession(workspace);
    await addTouch(writer, shop, 'late', 3);
    await step.commit();
    await settleSteps(workspace, 8);
    await agrees(shop, 'open');
    await writer.commit();
    await agrees(shop, 'committed');
    await settle(workspace);
    await agrees(shop, 'settled');
  });

  test('when a step sums a conversion, and an earlier one of the same touchpoints is not summed yet', async () => {
    const { workspace } = shop;
    await workspace.load('touchpoints', [touch('t11', 11)]);
    await settle(workspace);
    await workspace.load('conversions', [
      sale('c15', 15),
      { ...sale('c12', 12), person: { user_id: 'other' } },
    ]);
    const writer = await openSession(workspace);
    // The mark of c15 is not in the snapshot that the writer reads, so it gets no other one.
    await addSale(writer, shop, 'c13', 13);
    await settleSteps(workspace, 1);
    await writer.commit();
    const settler = settlerIn(workspace);
    while (await settler.step()) await agrees(shop, 'step');
    expect(await keptDays(shop)).toBe(31);
  });

  test('when a question gives way to another one while a step computes it, and is kept again later', async () => {
    const { workspace, question } = shop;
    await workspace.goal('lead');
    const id = workspace.id;
    await rowsOf(
      `insert into credit_questions (workspace_id, id, question, goals, timezone, since, asked_on, kept_at)
      select $1, gen_random_uuid(), '{}', '{lead}', 'UTC', now(), now(), now() from generate_series(1, 39)`,
      [id],
    );
    await rowsOf(
      `update credit_questions set asked_on = asked_on - 1 where workspace_id = $1 and question <> '{}'`,
      [id],
    );
    const other = { ...question, kept: keptQuestionOf({ ...question, goals: ['lead'] }) };
    await note(other);
    const step = await beginStep(workspace);
    for (const statement of settleDays(id, await allDaysOf(shop))) await step.run(statement);
    await step.run(endSettling(id, RULES, 8));
    // From its second request on the other question is kept, in the place of this one.
    const noted = note(other);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await step.commit();
    await noted;
    await workspace.load('touchpoints', [touch('late', 5, 'email')]);
    await rowsOf(`delete from credit_questions where workspace_id = $1 and question = '{}'`, [id]);
    await keep(question);
    await agrees(shop, 'kept again');
    await settle(workspace);
    await agrees(shop, 'settled');
    expect(await keptDays(shop)).toBe(31);
  });

  test('when a writer began before the question was asked, and ends when it is settled', async () => {
    const workspace = await TestWorkspace.make({ currency: 'EUR' });
    await workspace.goal('purchase');
    await workspace.load('touchpoints', [touch('t2', 2)]);
    await workspace.load('conversions', [sale('c10', 10)]);
    const personId = (await workspace.post('/v1/people/lookup', { person })).body.id;
    const other = {
      ...shop,
      workspace,
      personId,
      question: questionOf({ id: workspace.id, currency: 'EUR', timezone: 'UTC' }, {}),
    };
    const writer = await openSession(workspace);
    await addTouch(writer, other, 'late', 5);
    await keep(other.question);
    await settleSteps(workspace, 8);
    expect(await keptDays(other)).toBe(0);
    await writer.commit();
    await agrees(other, 'committed');
    await settle(workspace);
    await agrees(other, 'settled');
    expect(await keptDays(other)).toBe(31);
  });

  test('when the lookback of the goal changes while a step computes', async () => {
    const { workspace } = shop;
    await workspace.load('touchpoints', [touch('t9', 9, 'email')]);
    const step = await beginStep(workspace);
    const [drop, insert, ...rest] = settleDays(workspace.id, await allDaysOf(shop));
    for (const statement of [drop, insert]) if (statement) await step.run(statement);
    await workspace.goal('purchase', { lookback_days: 3 });
    for (const statement of rest) await step.run(statement);
    await step.run(endSettling(workspace.id, RULES, 8));
    await step.commit();
    await agrees(shop, 'committed');
    await settle(workspace);
    await agrees(shop, 'settled');
    await workspace.goal('purchase', { lookback_days: 90 });
    await agrees(shop, 'changed back');
  });
});
