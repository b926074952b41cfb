import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { appWithQueue, DEAD_LETTERS, type QueuedApp } from '../support/queue.ts';
import { sale, touch } from './items.ts';

/** A deployment with a queue: nothing is lost, and every item has the same outcome as without one. */

needWorld();

// The application runs in the test's process and writes its log lines there.
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Occurs in everything that a sender chooses. */
const CANARY = 'canary-6b1f';

const manyOf = (count: number, changes: Json = {}) =>
  Array.from({ length: count }, (_, i) => touch(`t${i}`, changes));

const idsOf = async (app: QueuedApp, token: string, list = 'touchpoints') =>
  (await app.ask(token, 'GET', `/v1/${list}?limit=1000`)).body.data.map(({ id }: Json) => id).sort();

describe('what is posted', () => {
  test('is answered 202 before the database has it, and is there once the message was delivered', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    const { status, body } = await app.ask(token, 'POST', '/v1/touchpoints', {
      touchpoints: [touch('a'), touch('b', { person: { user_id: 'u', email: 'null' } })],
    });
    expect(status).toBe(202);
    expect(body).toEqual({
      accepted: 0,
      duplicates: 0,
      dropped: 0,
      rejected: 0,
      queued: 2,
      results: [
        { index: 0, id: 'a', status: 'queued' },
        {
          index: 1,
          id: 'b',
          status: 'queued',
          warnings: [expect.objectContaining({ pointer: '/touchpoints/1/person/email' })],
        },
      ],
    });
    expect(await idsOf(app, token)).toEqual([]);
    expect(await app.deliver(app.sent)).toEqual(['ack']);
    expect(await idsOf(app, token)).toEqual(['a', 'b']);
  });

  test('wrong by itself is told at once, and kept aside by the consumer with its place in the batch', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    const mixed = await app.ask(token, 'POST', '/v1/touchpoints', {
      touchpoints: [touch('a'), touch('wrong', { kind: 'shout' }), touch('a', { kind: 'reply' })],
    });
    expect(mixed.status).toBe(207);
    expect(mixed.body).toMatchObject({ queued: 1, rejected: 2 });
    expect(mixed.body.results.map(({ status }: Json) => status)).toEqual(['queued', 'rejected', 'conflict']);
    const none = await app.ask(token, 'POST', '/v1/touchpoints', {
      touchpoints: [touch('worse', { kind: 'x' })],
    });
    expect([none.status, none.body.code]).toEqual([422, 'no_item_accepted']);
    expect(await app.deliver(app.sent)).toEqual(['ack', 'ack']);
    const kept = (await app.ask(token, 'GET', '/v1/rejections')).body.data;
    const pointers = kept.map(({ item_id, errors }: Json) => [item_id, errors[0].pointer]);
    expect(pointers.sort()).toEqual([
      ['a', '/touchpoints/2/id'],
      ['worse', '/touchpoints/0/kind'],
      ['wrong', '/touchpoints/1/kind'],
    ]);
    expect(await idsOf(app, token)).toEqual(['a']);
  });

  test('without ids keeps the ids that were answered, and those of an Idempotency-Key', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    const { id: _, ...nameless } = touch('');
    const body = { touchpoints: [nameless, nameless] };
    const first = await app.ask(token, 'POST', '/v1/touchpoints', body);
    const keyed = await app.ask(token, 'POST', '/v1/touchpoints', body, { 'idempotency-key': 'k' });
    const again = await app.ask(token, 'POST', '/v1/touchpoints', body, { 'idempotency-key': 'k' });
    expect(again.body).toEqual(keyed.body);
    await app.deliver(app.sent);
    const answered = [first, keyed].flatMap(({ body }) => body.results.map(({ id }: Json) => id));
    expect(await idsOf(app, token)).toEqual(answered.sort());
  });

  test('happened when it was posted, where it does not say, and not when it was delivered', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    const { occurred_at: _, ...now } = touch('a');
    await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints: [now] });
    const [message] = app.sent;
    message.received_at = '2026-05-01T12:00:00.000Z';
    await app.deliver([message]);
    const { body } = await app.ask(token, 'GET', '/v1/touchpoints/a');
    expect(body.occurred_at).toBe('2026-05-01T12:00:00.000Z');
  });

  test('in a large body is several messages of at most 128 KB, in which nothing can be read', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    const noise = () => Array.from({ length: 40 }, () => Math.random().toString(36)).join('');
    const touchpoints = Array.from({ length: 1000 }, (_, i) =>
      touch(`${CANARY}-${i}`, { content: CANARY, properties: { noise: noise() } }),
    );
    const { status } = await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints });
    expect(status).toBe(202);
    expect(app.sent.length).toBeGreaterThan(2);
    for (const message of app.sent) expect(JSON.stringify(message).length).toBeLessThan(128_000);
    expect(JSON.stringify(app.sent)).not.toContain(CANARY);
    await app.deliver(app.sent);
    expect(await idsOf(app, token)).toHaveLength(1000);
  });

  test('as a dry run, or as people, spend and adjustments, goes past the queue', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    const day = { from: '2026-05-01', to: '2026-05-01', channel: 'x', amount: 1, currency: 'USD' };
    await app.ask(token, 'PUT', '/v1/goals/purchase', { name: 'P', kind: 'conversion' });
    const answers = [
      await app.ask(token, 'POST', '/v1/touchpoints?dry_run=true', { touchpoints: [touch('a')] }),
      await app.ask(token, 'POST', '/v1/people', { people: [{ id: 'p', person: { user_id: 'u' } }] }),
      await app.ask(token, 'POST', '/v1/spend', { spend: [{ id: 's', ...day }] }),
    ];
    expect(answers.map(({ status, body }) => [status, body.accepted])).toEqual(Array(3).fill([200, 1]));
    expect(app.sent).toEqual([]);
  });
});

describe('a queue that does not take it', () => {
  const refused = async () => {
    throw new Error(`the platform says ${CANARY}`);
  };

  test('is passed by: the items are stored at once, and the log says so in no word of theirs', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue(refused);
    const { status, body } = await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints: [touch('a')] });
    expect([status, body.results]).toEqual([200, [{ index: 0, id: 'a', status: 'accepted' }]]);
    const lines = vi.mocked(console.error).mock.calls.flat().join('\n');
    expect(JSON.parse(lines)).toMatchObject({ level: 'error', queue: 'not taken', error: 'Error' });
    expect(lines).not.toContain(CANARY);
  });

  test('is waited for five seconds; what it took after all is a duplicate', async () => {
    const { token } = await TestWorkspace.make();
    const taken: Json[] = [];
    const app = appWithQueue((message) => {
      taken.push(message);
      return new Promise(() => {});
    });
    const started = Date.now();
    const { id: _, ...nameless } = touch('');
    const { status } = await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints: [nameless] });
    expect(status).toBe(200);
    expect(Date.now() - started).toBeGreaterThanOrEqual(4900);
    expect(await app.deliver(taken)).toEqual(['ack']);
    expect(await idsOf(app, token)).toHaveLength(1);
  });

  test('beside a database that does not answer is 503', async () => {
    const { token } = await TestWorkspace.make();
    // A warm isolate, which knows the key without the database.
    const app = appWithQueue(refused);
    await app.ask(token, 'GET', '/v1/goals');
    const away = appWithQueue(refused, { database_url: 'postgres://a:b@127.0.0.1:1/none' });
    const { status, body } = await away.ask(token, 'POST', '/v1/touchpoints', { touchpoints: [touch('a')] });
    expect([status, body.code]).toEqual([503, 'database_unavailable']);
  });

  test('is not asked to take an item that is too large for a message', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    const noise = Array.from({ length: 12_000 }, () => Math.random().toString(36)).join('');
    const touchpoints = [touch('a'), touch('wrong', { properties: { noise } })];
    const { status, body } = await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints });
    expect([status, body.accepted, body.rejected]).toEqual([207, 1, 1]);
    expect(app.sent).toEqual([]);
    expect((await app.ask(token, 'GET', '/v1/rejections')).body.data).toHaveLength(1);
  });
});

describe('a message', () => {
  test('delivered three times, in any order, stores everything once', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    await app.ask(token, 'PUT', '/v1/goals/purchase', { name: 'P', kind: 'conversion' });
    await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints: manyOf(50) });
    await app.ask(token, 'POST', '/v1/conversions', {
      conversions: [sale('s'), sale('u', { goal: 'none' })],
    });
    const [touchpoints, conversions] = app.sent;
    await Promise.all([app.deliver([conversions, touchpoints]), app.deliver([touchpoints, conversions])]);
    expect(await app.deliver([touchpoints, conversions])).toEqual(['ack', 'ack']);
    expect(await idsOf(app, token)).toHaveLength(50);
    expect(await idsOf(app, token, 'conversions')).toEqual(['s']);
    const kept = (await app.ask(token, 'GET', '/v1/rejections')).body.data;
    expect(kept).toMatchObject([{ item_id: 'u', errors: [{ pointer: '/conversions/1/goal' }] }]);
  });

  test('with an item that only the database refuses is done with: the others stored, that one kept', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    const touchpoints = [...manyOf(20), touch('poison', { sentiment: 1e-46 })];
    await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints });
    expect(await app.deliver(app.sent)).toEqual(['ack']);
    expect(await idsOf(app, token)).toHaveLength(20);
    expect((await app.ask(token, 'GET', '/v1/rejections')).body.data).toMatchObject([{ item_id: 'poison' }]);
  });

  test('that cannot be stored comes again, later each time, and does not keep the others', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints: [touch('a')] });
    const [message] = app.sent;
    const unreadable = { ...message, items_encrypted: `${message.items_encrypted.slice(0, -2)}00` };
    const unknown = { ...message, version: 2 };
    expect(await app.deliver([unreadable, unknown, null, message])).toEqual([
      { delaySeconds: 10 },
      { delaySeconds: 10 },
      { delaySeconds: 10 },
      'ack',
    ]);
    const delays = [];
    for (const attempts of [2, 3, 9, 10, 20]) delays.push(...(await app.deliver([unknown], { attempts })));
    const seconds = [20, 40, 2560, 3600, 3600];
    expect(delays).toEqual(seconds.map((delaySeconds) => ({ delaySeconds })));
    expect(await idsOf(app, token)).toEqual(['a']);
  });

  test('of a workspace that was deleted meanwhile is done with', async () => {
    const workspace = await TestWorkspace.make();
    const app = appWithQueue();
    await app.ask(workspace.token, 'POST', '/v1/touchpoints', { touchpoints: [touch('a')] });
    const deleted = await app.ask(world.rootKey, 'DELETE', `/v1/workspaces/${workspace.id}`);
    expect(deleted.status).toBe(200);
    expect(await app.deliver(app.sent)).toEqual(['ack']);
  });

  test('among the dead letters is stored if it can be by now', async () => {
    const { token } = await TestWorkspace.make();
    const app = appWithQueue();
    await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints: [touch('a')] });
    expect(await app.deliver(app.sent, { queue: DEAD_LETTERS, attempts: 1 })).toEqual(['ack']);
    expect(await idsOf(app, token)).toEqual(['a']);
    expect(await app.deliver([null], { queue: DEAD_LETTERS, attempts: 1 })).toEqual([{ delaySeconds: 3600 }]);
  });

  test('is one line of the log, without a word of what was sent', async () => {
    const { token, id } = await TestWorkspace.make();
    const app = appWithQueue();
    const touchpoints = [touch(CANARY, { content: CANARY })];
    await app.ask(token, 'POST', '/v1/touchpoints', { touchpoints }, { 'x-request-id': 'mine' });
    vi.mocked(console.log).mockClear();
    await app.deliver(app.sent, { attempts: 2 });
    const lines = vi.mocked(console.log).mock.calls.flat().map(String);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        level: 'info',
        request_id: 'mine',
        queue: 'ingest',
        outcome: 'stored',
        attempts: 2,
        workspace_id: id,
        key_id: expect.stringMatching(/^key_/),
        error: null,
        sqlstate: null,
        database_ms: expect.any(Number),
        database_calls: 2,
      },
    ]);
    expect(lines.join()).not.toContain(CANARY);
  });
});
