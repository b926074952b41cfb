import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { idsIn, partitionOf, sale, statusesOf, touch } from './items.ts';
import { hoursAgo, openPage, type Page, seen, warned } from './pages.ts';

/** A page and a server send an item of the same id: the server's item stands, in whatever order they arrive. */

needWorld();

const AN_HOUR_AGO = hoursAgo(1);
const squat = sale('order-1', { occurred_at: hoursAgo(20), person: { user_id: 'evil' } });
const order = sale('order-1', { occurred_at: AN_HOUR_AGO, value: 999, person: { user_id: 'u1' } });

describe('a conversion', () => {
  test("of a server replaces the page's, and the page's later copy changes nothing", async () => {
    const page = await openPage();
    expect(statusesOf(await page.post('conversions', squat))).toEqual(['accepted']);
    expect((await page.workspace.get('/v1/conversions/order-1')).body.value).toBe(30);
    expect(statusesOf(await page.workspace.conversions(order))).toEqual(['accepted']);
    const stands = (await page.workspace.get('/v1/conversions/order-1')).body;
    expect(stands).toMatchObject({ value: 999, occurred_at: AN_HOUR_AGO });
    expect(statusesOf(await page.workspace.conversions(order))).toEqual(['duplicate']);
    for (const again of [squat, { ...squat, goal: 'purchase', value: 1 }, order])
      expect(statusesOf(await page.post('conversions', again))).toEqual(['accepted']);
    expect((await page.workspace.get('/v1/conversions/order-1')).body).toEqual(stands);
    expect((await page.workspace.get('/v1/rejections')).body.data).toEqual([]);
  });

  test('of a server that came first stays, and its answer to the page is the same', async () => {
    const [first, second] = [await openPage(), await openPage()];
    await first.workspace.conversions(order);
    const answers = [await first.post('conversions', squat), await second.post('conversions', squat)];
    expect(answers[0]?.body).toEqual(answers[1]?.body);
    expect([...(answers[0]?.headers.keys() ?? [])]).toEqual([...(answers[1]?.headers.keys() ?? [])]);
    expect((await first.workspace.get('/v1/conversions/order-1')).body.value).toBe(999);
  });

  test('keeps its adjustments, and the history', async () => {
    const page = await openPage();
    await page.post('conversions', squat);
    const refund = { id: 'r', kind: 'restatement', value: 10 };
    await page.workspace.post('/v1/conversions/order-1/adjustments', refund);
    await page.workspace.conversions(order);
    expect((await page.workspace.get('/v1/conversions/order-1')).body).toMatchObject({
      value: 999,
      net_value: 10,
    });
    const kept = await rowsOf('select resource, id, was from replaced_items where workspace_id = $1', [
      page.workspace.id,
    ]);
    expect(kept).toMatchObject([
      { resource: 'conversions', id: 'order-1', was: { value: 30, goal: 'purchase' } },
    ]);
  });

  test('of a goal that does not exist is rejected, whether its id is stored or not', async () => {
    const page = await openPage({}, { goals: ['purchase', 'gone'] });
    await page.workspace.conversions(order);
    for (const path of ['/v1/conversions', '/v1/conversions?dry_run=true'])
      for (const id of ['order-1', 'order-2']) {
        const answer = await page.ask('POST', path, { conversions: [{ ...squat, id, goal: 'gone' }] });
        expect(statusesOf(answer)).toEqual(['rejected']);
      }
    expect((await page.workspace.get('/v1/conversions/order-1')).body.value).toBe(999);
  });

  test('is told by a dry run as it would be', async () => {
    const page = await openPage();
    await page.post('conversions', squat);
    const path = '/v1/conversions?dry_run=true';
    expect(statusesOf(await page.workspace.post(path, { conversions: [order] }))).toEqual(['accepted']);
    await page.workspace.conversions(order);
    expect(statusesOf(await page.ask('POST', path, { conversions: [squat] }))).toEqual(['accepted']);
    expect((await page.workspace.get('/v1/conversions/order-1')).body.value).toBe(999);
  });
});

describe('a touchpoint', () => {
  const FOLLOW = { kind: 'cultivation', match: { touchpoints: [{ kind: ['follow'] }] }, default_value: 5 };

  test('of a server takes the conversation, the conversion of a match and the link back', async () => {
    const page = await openPage({}, { goals: ['purchase', 'follow'] });
    await page.workspace.goal('follow', FOLLOW);
    const thread = { conversation: { id: 'th' }, direction: 'inbound' };
    await page.workspace.touchpoints(touch('m', { occurred_at: hoursAgo(30), ...thread }));
    await page.workspace.touchpoints(
      touch('reply', { occurred_at: hoursAgo(29), ...thread, direction: 'outbound' }),
    );
    const before = (await page.workspace.get('/v1/conversations/th')).body;
    const evil = seen('t1', { user_id: 'u1', email: 'evil@evil.example' }, { kind: 'follow', ...thread });
    expect(statusesOf(await page.post('touchpoints', evil))).toEqual(['accepted']);
    expect(await idsIn(page.workspace, '/v1/conversions')).toEqual(['tp:t1']);
    expect((await page.workspace.get('/v1/conversations/th')).body).not.toEqual(before);
    expect((await page.workspace.get('/v1/people/lookup?email=evil@evil.example')).body.id).toBe(
      (await page.workspace.get('/v1/people/lookup?user_id=u1')).body.id,
    );
    const real = touch('t1', { occurred_at: AN_HOUR_AGO, person: { user_id: 'u2' } });
    expect(statusesOf(await page.workspace.touchpoints(real))).toEqual(['accepted']);
    expect(await idsIn(page.workspace, '/v1/conversions')).toEqual([]);
    expect((await page.workspace.get('/v1/conversations/th')).body).toEqual(before);
    expect((await page.workspace.get('/v1/people/lookup?email=evil@evil.example')).body.id).not.toBe(
      (await page.workspace.get('/v1/people/lookup?user_id=u1')).body.id,
    );
    expect(await partitionOf(page.workspace)).toEqual([['m', 'reply'], ['t1']]);
  });

  test('that records a conversion of a match from the server too records it anew', async () => {
    const page = await openPage({}, { goals: ['follow'] });
    await page.workspace.goal('follow', FOLLOW);
    await page.post('touchpoints', seen('f', { user_id: 'a' }, { kind: 'follow' }));
    const refund = { id: 'r', kind: 'restatement', value: 2 };
    await page.workspace.post('/v1/conversions/tp:f/adjustments', refund);
    await page.workspace.touchpoints(touch('f', { occurred_at: AN_HOUR_AGO, kind: 'follow' }));
    const { body } = await page.workspace.get('/v1/conversions/tp:f');
    expect(body).toMatchObject({ occurred_at: AN_HOUR_AGO, touchpoint_id: 'f', value: 5, net_value: 2 });
  });

  test('leaves the link that another item of a page asserts, dated by that', async () => {
    const page = await openPage();
    const person = { user_id: 'u1', anonymous_id: 'a1' };
    await page.post('touchpoints', seen('1', person, { occurred_at: hoursAgo(3) }));
    await page.post('touchpoints', seen('2', person, { occurred_at: hoursAgo(2) }));
    await page.post('touchpoints', seen('3', { anonymous_id: 'a1' }));
    expect(await partitionOf(page.workspace)).toEqual([['1', '2', '3']]);
    await page.workspace.touchpoints(touch('1', { person: { user_id: 'u9' } }));
    expect(await partitionOf(page.workspace)).toEqual([['1'], ['2', '3']]);
    await page.workspace.touchpoints(touch('2', { person: { user_id: 'u9' } }));
    expect(await partitionOf(page.workspace)).toEqual([['1', '2'], ['3']]);
  });

  test('leaves the link that a server asserts', async () => {
    const page = await openPage();
    const person = { user_id: 'u1', anonymous_id: 'a1' };
    await page.post('touchpoints', seen('1', person));
    await page.workspace.load('people', [{ id: 'p', person }]);
    await page.post('touchpoints', seen('3', { anonymous_id: 'a1' }));
    await page.workspace.touchpoints(touch('1', { person: { user_id: 'u1' } }));
    expect(await partitionOf(page.workspace)).toEqual([['1', '3']]);
  });

  test('of a page is no word of the team and names no advocate', async () => {
    const page = await openPage();
    const said = seen(
      't',
      { user_id: 'v' },
      {
        direction: 'outbound',
        conversation: { id: 'th' },
        referred_by: { email: 'friend@evil.example' },
      },
    );
    const answer = await page.post('touchpoints', said);
    expect(warned(answer).toSorted()).toEqual(['/touchpoints/0/direction', '/touchpoints/0/referred_by']);
    const stored = (await page.workspace.get('/v1/touchpoints/t')).body;
    expect(stored).toMatchObject({ direction: null, referred_by_person_id: null });
    expect((await page.workspace.get('/v1/conversations/th')).status).toBe(404);
    const reserved = await page.post('touchpoints', seen('tp:x', { user_id: 'v' }));
    expect(statusesOf(reserved)).toEqual(['rejected']);
  });
});

test('an update of a person by a page gives way too', async () => {
  const page = await openPage();
  await page.post('people', { id: 'p', person: { user_id: 'u1', email: 'evil@evil.example' } });
  const traits = { plan: 'pro' };
  const answer = await page.workspace.post('/v1/people', {
    people: [{ id: 'p', person: { user_id: 'u1' }, traits }],
  });
  expect(statusesOf(answer)).toEqual(['accepted']);
  expect((await page.workspace.get('/v1/people/lookup?user_id=u1')).body.traits).toEqual(traits);
  const evil = await page.workspace.get('/v1/people/lookup?email=evil@evil.example');
  expect(evil.body.traits).toEqual({});
});

test('an erased item of a page is not replaced, and its history is erased with the person', async () => {
  const page = await openPage();
  const person = { email: 'ann@acme.example' };
  await page.post(
    'touchpoints',
    seen('t', person, { url: 'https://acme.example/ann', properties: { name: 'Ann' } }),
  );
  await page.workspace.touchpoints(touch('t', { person, occurred_at: AN_HOUR_AGO }));
  await page.post('touchpoints', seen('u', person));
  const found = await page.workspace.get('/v1/people/lookup?email=ann@acme.example');
  const exported = JSON.parse((await page.workspace.get(`/v1/people/${found.body.id}/export`)).text);
  expect(exported.replaced_items).toMatchObject([{ id: 't', was: { url: 'https://acme.example/ann' } }]);
  await page.workspace.ask('DELETE', `/v1/people/${found.body.id}`);
  const [kept] = await rowsOf('select identity_id, was::text from replaced_items where workspace_id = $1', [
    page.workspace.id,
  ]);
  expect(kept).toMatchObject({ identity_id: null });
  expect(kept?.was).not.toContain('Ann');
  expect(kept?.was).not.toContain('acme.example');
  const again = touch('u', { person: { user_id: 'x' } });
  expect(statusesOf(await page.workspace.touchpoints(again))).toEqual(['dropped']);
});

test('1,000 random orders of a page and a server, and both at once: the server stands in each', async () => {
  const page: Page = await openPage({}, { daily_caps: { default_value_conversions: 100_000 } });
  const orders = Array.from({ length: 1000 }, (_, i) => i);
  const byServer = (i: number): Json =>
    sale(`o${i}`, { occurred_at: AN_HOUR_AGO, value: i, person: { user_id: `s${i}` } });
  const byPage = (i: number): Json =>
    sale(`o${i}`, { occurred_at: hoursAgo(2), person: { user_id: `p${i % 7}`, anonymous_id: `a${i}` } });
  const parts = Array.from({ length: 40 }, (_, n) => orders.slice(n * 25, n * 25 + 25));
  await Promise.all(
    parts.map(async (part) => {
      const server = () => page.workspace.conversions(...part.map(byServer));
      const visitor = () => page.post('conversions', ...part.map(byPage));
      const order = Math.random();
      if (order < 0.33) {
        await server();
        await visitor();
      } else if (order < 0.67) {
        await visitor();
        await server();
      } else await Promise.all([visitor(), server()]);
    }),
  );
  const { body } = await page.workspace.get('/v1/conversions?limit=1000');
  const values = Object.fromEntries(body.data.map(({ id, value }: Json) => [id, value]));
  expect(values).toEqual(Object.fromEntries(orders.map((i) => [`o${i}`, i])));
  expect((await partitionOf(page.workspace, '/v1/conversions')).length).toBe(1000);
});

test('a workspace without pages: other content under a used id is a conflict, and the first stays', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.conversions(sale('a'));
  expect(statusesOf(await workspace.conversions(sale('a', { value: 3 })))).toEqual(['conflict']);
  expect((await workspace.get('/v1/conversions/a')).body.value).toBe(100);
});
