import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, idsIn, pointersOf, statusesOf } from './items.ts';

/** Spend: recording, replacing and reading. */

needWorld();

const row = (id: string, changes: Json = {}): Json => ({
  id,
  from: '2025-06-01',
  to: '2025-06-30',
  channel: 'paid_search',
  amount: 300,
  currency: 'EUR',
  ...changes,
});
const post = (workspace: TestWorkspace, ...spend: Json[]) => workspace.post('/v1/spend', { spend });

describe('a row of spend', () => {
  test('is stored as sent, and reads back', async () => {
    const workspace = await TestWorkspace.make();
    const sent = row('a', { source: 'google', medium: 'cpc', campaign: 'spring', amount: '0.10' });
    expect(statusesOf(await post(workspace, sent))).toEqual(['accepted']);
    const { received_at, updated_at, ...read } = (await workspace.get('/v1/spend/a')).body;
    expect(read).toEqual({ ...sent, amount: 0.1, version: 1, history: [] });
    expect(updated_at).toBe(received_at);
  });

  test('sent again is a duplicate and changes nothing', async () => {
    const workspace = await TestWorkspace.make();
    await post(workspace, row('a'));
    const before = (await workspace.get('/v1/spend/a')).body;
    expect(statusesOf(await post(workspace, row('a')))).toEqual(['duplicate']);
    expect((await workspace.get('/v1/spend/a')).body).toEqual(before);
  });

  test('sent again with another amount replaces it, says so, and keeps what it said', async () => {
    const workspace = await TestWorkspace.make();
    await post(workspace, row('a'));
    const { body } = await post(workspace, row('a', { amount: 310.5 }), row('b'));
    expect(body).toMatchObject({ accepted: 2, duplicates: 0, rejected: 0 });
    expect(pointersOf(body.results[0].warnings)).toEqual(['/spend/0/id']);
    expect(body.results[1].warnings).toBeUndefined();
    await post(workspace, row('a', { amount: 320, to: '2025-06-15' }));
    const now = (await workspace.get('/v1/spend/a')).body;
    expect(now).toMatchObject({ amount: 320, to: '2025-06-15', version: 3 });
    expect(now.history).toMatchObject([
      { version: 2, amount: 310.5, to: '2025-06-30', currency: 'EUR', channel: 'paid_search' },
      { version: 1, amount: 300, to: '2025-06-30' },
    ]);
  });

  test("has the workspace's currency where it names none, and the channel of its source and medium", async () => {
    const workspace = await TestWorkspace.make({ currency: 'GBP' });
    await post(
      workspace,
      row('a', { currency: undefined, channel: undefined, source: 'google', medium: 'cpc' }),
      row('b', { channel: undefined, campaign: 'spring' }),
    );
    expect((await workspace.get('/v1/spend/a')).body).toMatchObject({
      currency: 'GBP',
      channel: 'paid_search',
    });
    expect((await workspace.get('/v1/spend/b')).body).toMatchObject({ channel: null, campaign: 'spring' });
  });

  test('that is dry run is judged and not stored', async () => {
    const workspace = await TestWorkspace.make();
    await post(workspace, row('a'));
    const { body } = await workspace.post('/v1/spend?dry_run=true', {
      spend: [row('a', { amount: 1 }), row('b')],
    });
    expect(body.results.map(({ status, warnings }: Json) => [status, warnings?.length ?? 0])).toEqual([
      ['accepted', 1],
      ['accepted', 0],
    ]);
    expect(await idsIn(workspace, '/v1/spend')).toEqual(['a']);
    expect((await workspace.get('/v1/spend/a')).body.amount).toBe(300);
  });

  test('replaced by eight at once ends as one of them, with seven in its history', async () => {
    const workspace = await TestWorkspace.make();
    await post(workspace, row('a', { amount: 0 }));
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        post(workspace, row('a', { amount: i + 1 }), row('b', { amount: i + 1 })),
      ),
    );
    const { version, amount, history } = (await workspace.get('/v1/spend/a')).body;
    expect(version).toBe(9);
    expect(history.map((was: Json) => was.version)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    const amounts = [amount, ...history.map((was: Json) => was.amount)];
    expect(amounts.toSorted((x, y) => x - y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect((await workspace.get('/v1/spend/b')).body.version).toBe(8);
  });
});

describe('refused is', () => {
  test.each<[string, Json, string]>([
    ['an end before the begin', { to: '2025-05-31' }, '/to'],
    ['a negative amount', { amount: -1 }, '/amount'],
    ['an amount of words', { amount: 'ten' }, '/amount'],
    ['no amount', { amount: undefined }, '/amount'],
    ['an instant for a day', { from: '2025-06-01T00:00:00Z' }, '/from'],
    ['a day that is none', { from: '2025-02-30' }, '/from'],
    ['a currency that is none', { currency: 'EURO' }, '/currency'],
    ['eleven years in one row', { from: '2014-06-01' }, '/to'],
    ['an unknown field', { cost: 1 }, '/cost'],
  ])('%s', async (_, changes, pointer) => {
    const workspace = await TestWorkspace.make();
    const answer = await post(workspace, row('a', changes));
    expectProblem(answer, 422, 'no_item_accepted');
    expect(pointersOf(answer.body.results[0].errors)).toEqual([`/spend/0${pointer}`]);
    const [kept] = (await workspace.get('/v1/rejections')).body.data;
    expect(kept).toMatchObject({ resource: 'spend', item_id: 'a' });
  });

  test('a row of another workspace: it is not there', async () => {
    const [one, other] = [await TestWorkspace.make(), await TestWorkspace.make()];
    await post(one, row('a'));
    expectProblem(await other.get('/v1/spend/a'), 404, 'not_found');
    expect(statusesOf(await post(other, row('a', { amount: 5 })))).toEqual(['accepted']);
    expect((await one.get('/v1/spend/a')).body).toMatchObject({ amount: 300, version: 1 });
  });
});

describe('the list', () => {
  test('shows what has a day in the range, page by page, and what was replaced since', async () => {
    const workspace = await TestWorkspace.make();
    await post(workspace, row('may', { from: '2025-05-01', to: '2025-05-31' }));
    await post(
      workspace,
      row('june'),
      row('july', { from: '2025-07-01', to: '2025-07-01', channel: 'email' }),
    );
    expect(await idsIn(workspace, '/v1/spend', 1)).toEqual(['june', 'july', 'may']);
    expect(await idsIn(workspace, '/v1/spend?from=2025-05-31&to=2025-06-01')).toEqual(['june', 'may']);
    expect(await idsIn(workspace, '/v1/spend?channel=email')).toEqual(['july']);
    const { updated_at } = (await workspace.get('/v1/spend/june')).body;
    await post(workspace, row('may', { from: '2025-05-01', to: '2025-05-31', amount: 1 }));
    expect(await idsIn(workspace, `/v1/spend?updated_after=${updated_at}`)).toEqual(['may']);
    expectProblem(await workspace.get('/v1/spend?campaign=x'), 422, 'invalid_request', ['?campaign']);
  });
});
