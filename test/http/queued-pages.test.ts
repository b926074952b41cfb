import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { appWithQueue } from '../support/queue.ts';
import { sale } from './items.ts';
import { hoursAgo, ORIGIN } from './pages.ts';

/** Items of pages in a deployment with a queue, where they may be stored long after those of the server. */

needWorld();

beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A workspace with a queue, and functions that post conversions as its server and as its page. */
async function deployment(key: Json = {}) {
  const { token } = await TestWorkspace.make();
  const app = appWithQueue();
  const goal = { name: 'P', kind: 'conversion', default_value: 30, currency: 'USD' };
  await app.ask(token, 'PUT', '/v1/goals/purchase', goal);
  const input = { name: 'page', kind: 'publishable', allowed_origins: [ORIGIN], goals: ['purchase'], ...key };
  const made = await app.ask(token, 'POST', '/v1/keys', input);
  const post = (conversions: Json[], by: 'server' | 'page') =>
    by === 'server'
      ? app.ask(token, 'POST', '/v1/conversions', { conversions })
      : app.ask(made.body.token, 'POST', '/v1/conversions', { conversions }, { origin: ORIGIN });
  return { app, post, get: (path: string) => app.ask(token, 'GET', path) };
}

test('a page is believed as little as without a queue', async () => {
  const { app, post, get } = await deployment({ goals: ['purchase', 'other'] });
  const items = [sale('s', { occurred_at: null, currency: 'USD' })];
  expect((await post(items, 'page')).status).toBe(202);
  await app.deliver(app.sent);
  expect((await get('/v1/conversions/s')).body.value).toBe(30);
});

test('over a daily cap, items are kept as rejections, and the message is done with', async () => {
  const { app, post, get } = await deployment({ daily_caps: { items: 2 } });
  const order = (id: string) => sale(id, { occurred_at: null });
  for (const batch of [[order('1'), order('2')], [order('3')]]) await post(batch, 'page');
  expect(await app.deliver(app.sent)).toEqual(['ack', 'ack']);
  expect((await get('/v1/conversions')).body.data).toHaveLength(2);
  const { data } = (await get('/v1/rejections')).body;
  expect(data).toMatchObject([{ item_id: '3', errors: [{ detail: expect.stringContaining('daily cap') }] }]);
});

test('1,000 orders of a page and a server, delivered in random order, some twice: the server stands in each', async () => {
  const { app, post, get } = await deployment({ daily_caps: { default_value_conversions: 100_000 } });
  const orders = Array.from({ length: 1000 }, (_, i) => i);
  for (let start = 0; start < 1000; start += 50) {
    const part = orders.slice(start, start + 50);
    const person = (i: number, by: string) => ({ user_id: `${by}${i}` });
    const times = { occurred_at: hoursAgo(1) };
    await post(
      part.map((i) => sale(`o${i}`, { ...times, value: i, person: person(i, 's') })),
      'server',
    );
    await post(
      part.map((i) => sale(`o${i}`, { ...times, person: person(i, 'p') })),
      'page',
    );
  }
  const again = app.sent.filter(() => Math.random() < 0.3);
  const shuffled = [...app.sent, ...again].map((message) => ({ message, at: Math.random() }));
  const messages = shuffled.toSorted((a, b) => a.at - b.at).map(({ message }) => message);
  for (let pass = 0; pass < 2; pass++) {
    const lanes = [0, 1, 2, 3].map((lane) => messages.filter((_, i) => i % 4 === lane));
    const fates = await Promise.all(lanes.map((lane) => app.deliver(lane)));
    expect(fates.flat().filter((fate) => fate !== 'ack')).toEqual([]);
  }
  const { data } = (await get('/v1/conversions?limit=1000')).body;
  const values = Object.fromEntries(data.map(({ id, value }: Json) => [id, value]));
  expect(values).toEqual(Object.fromEntries(orders.map((i) => [`o${i}`, i])));
});
