import { describe, expect, test } from 'vitest';
import { type Answer, type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { statusesOf, touch } from './items.ts';

/**
 * Items that the schema accepts and Postgres rejects: a sentiment too close to zero for `real` is an error in Postgres
 * (22003), and a number between −1 and 1 in JavaScript.
 */

needWorld();

const poison = (id: string) => touch(id, { sentiment: 1e-46 });
const good = (count: number) => Array.from({ length: count }, (_, i) => touch(`g${i}`));
const callsOf = (answer: Answer) =>
  Number(/desc="calls=(\d+)"/.exec(answer.headers.get('server-timing') ?? '')?.[1]);

const DETAIL =
  'The database rejects this item: a number is too large, or too close to zero (SQLSTATE 22003). Change it and send it again.';

describe('an item that only the database refuses', () => {
  test('is rejected and kept, and the 999 others are stored', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.get('/v1/goals');
    const answer = await workspace.touchpoints(...good(617), poison('bad'), ...good(999).slice(617));
    expect(answer.status).toBe(207);
    expect(answer.body).toMatchObject({ accepted: 999, rejected: 1 });
    expect(answer.body.results[617]).toEqual({
      index: 617,
      id: 'bad',
      status: 'rejected',
      errors: [{ pointer: '/touchpoints/617', detail: DETAIL }],
    });
    // One call for the batch, at most 20 to find the item, and one to keep it as a rejection.
    expect(callsOf(answer)).toBeLessThanOrEqual(22);
    const { body } = await workspace.get('/v1/rejections');
    expect(body.data).toMatchObject([
      { item_id: 'bad', item: { sentiment: 1e-46 }, errors: [{ detail: DETAIL }] },
    ]);
    expect((await workspace.get('/v1/touchpoints?limit=1000')).body.data).toHaveLength(999);
  });

  test('alone is a 422 that says what to change', async () => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.touchpoints(poison('bad'));
    expect(answer.status).toBe(422);
    expect(answer.body.results).toMatchObject([{ status: 'rejected', errors: [{ detail: DETAIL }] }]);
    expect((await workspace.get('/v1/rejections')).body.data).toHaveLength(1);
  });

  test('stands beside items that are refused before: each has its own reason, all are kept', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('taken'));
    const answer = await workspace.touchpoints(
      touch('wrong', { kind: 'x' }),
      poison('bad'),
      touch('taken', { kind: 'reply' }),
      touch('fine'),
      poison('bad'),
    );
    expect(statusesOf(answer)).toEqual(['rejected', 'rejected', 'conflict', 'accepted', 'rejected']);
    const { body } = await workspace.get('/v1/rejections');
    expect(body.data.map((kept: Json) => kept.item_id).toSorted()).toEqual(['bad', 'taken', 'wrong']);
  });

  test('sent again is rejected again, and the others are duplicates', async () => {
    const workspace = await TestWorkspace.make();
    const send = () => workspace.touchpoints(touch('a'), poison('bad'), touch('b'));
    expect(statusesOf(await send())).toEqual(['accepted', 'rejected', 'accepted']);
    expect(statusesOf(await send())).toEqual(['duplicate', 'rejected', 'duplicate']);
    expect((await workspace.get('/v1/rejections')).body.data).toHaveLength(1);
  });

  test('is named by a dry run too, which stores nothing', async () => {
    const workspace = await TestWorkspace.make();
    const body = { touchpoints: [touch('a'), poison('bad')] };
    const answer = await workspace.post('/v1/touchpoints?dry_run=true', body);
    expect(statusesOf(answer)).toEqual(['accepted', 'rejected']);
    expect((await workspace.get('/v1/touchpoints')).body.data).toEqual([]);
    expect((await workspace.get('/v1/rejections')).body.data).toEqual([]);
  });

  test('among too many to tell apart leaves the batch stored for the most part, and every item answered and kept', async () => {
    const workspace = await TestWorkspace.make();
    const items = good(1000).map((item, i) => (i % 50 === 0 ? poison(`bad${i}`) : item));
    const answer = await workspace.touchpoints(...items);
    const { accepted, rejected, results } = answer.body;
    expect(accepted + rejected).toBe(1000);
    expect(
      results.filter((result: Json) => result.id.startsWith('bad') && result.status === 'accepted'),
    ).toEqual([]);
    expect(callsOf(answer)).toBeLessThanOrEqual(44);
    const stored = (await workspace.get('/v1/touchpoints?limit=1000')).body.data;
    expect(stored).toHaveLength(accepted);
    const kept = (await workspace.get('/v1/rejections?limit=1000')).body.data;
    expect(kept).toHaveLength(rejected);
  });
});
