import fc from 'fast-check';
import { expect, test } from 'vitest';
import { summaryOf } from '../../src/domain/conversations.ts';
import { needWorld, runs, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

const START = Date.UTC(2026, 0, 1);

/** Few threads and few instants give many ties. */
const THREADS = ['a', 'B', 'é/ü', null] as const;
const message = fc.record({
  thread: fc.constantFrom(...THREADS),
  occurred_at: fc.integer({ min: 0, max: 8 }).map((step) => START + step * 1000),
  direction: fc.constantFrom('inbound' as const, 'inbound' as const, 'outbound' as const, null),
  /** Voided after its batch, while later batches arrive. */
  voided: fc.constantFrom(true, false, false, false),
  /** Deleted at the end, directly in the table, as retention does. */
  deleted: fc.constantFrom(true, false, false, false, false, false),
  batch: fc.integer({ min: 0, max: 3 }),
});
const sample = fc.record({
  messages: fc.array(message, { maxLength: 30, size: 'max' }),
  atOnce: fc.boolean(),
});
type Sample = typeof sample extends fc.Arbitrary<infer T> ? T : never;

test('the rows of threads equal the definition, whatever came late, out of order, twice, at once or was taken back', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(sample, async (log) => {
      const workspace = await TestWorkspace.make();
      await post(workspace, log);
      expect(await storedIn(workspace)).toEqual(expectedOf(log));
    }),
    { numRuns: runs(30), seed: 20260104 },
  );
});

test('of forty batches that write to the same threads at once none waits for another in a circle, and none is forgotten', async () => {
  const workspace = await TestWorkspace.make();
  const threads = ['a', 'b', 'c', 'd', 'e', 'f'];
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      workspace.load(
        'touchpoints',
        (i % 2 ? threads : threads.toReversed()).map((thread, j) => ({
          id: `${(i * 7) % 40}-${(j * 5 + i) % 6}`,
          kind: 'message',
          channel: 'x',
          direction: i % 2 ? 'inbound' : 'outbound',
          occurred_at: new Date(START + i * 1000).toISOString(),
          person: { user_id: thread },
          conversation: { id: thread },
        })),
      ),
    ),
  );
  expect(await storedIn(workspace)).toMatchObject(
    threads.map((id) => ({
      id,
      inbound: 20,
      outbound: 20,
      opened_at: START + 1000,
      last_at: START + 39_000,
    })),
  );
});

const idOf = (i: number) => `${['b', 'A', 'é', 'a', 'Z'][i % 5]}${i}`;

async function post(workspace: TestWorkspace, { messages, atOnce }: Sample): Promise<void> {
  const items = messages.map(({ thread, occurred_at, direction, batch, voided }, i) => ({
    batch,
    voided,
    item: {
      id: idOf(i),
      kind: 'message',
      channel: 'x',
      direction,
      occurred_at: new Date(occurred_at).toISOString(),
      person: { user_id: `u${i % 3}` },
      ...(thread !== null && { conversation: { id: thread } }),
    },
  }));
  const send = async (batch: number) => {
    const own = items.filter((one) => one.batch === batch);
    if (own.length === 0) return;
    await workspace.load(
      'touchpoints',
      own.map(({ item }) => item),
    );
    for (const { item, voided } of own)
      if (voided) await workspace.ask('DELETE', `/v1/touchpoints/${encodeURIComponent(item.id)}`);
    // Sending the batch again changes nothing.
    await workspace.touchpoints(...own.map(({ item }) => item));
  };
  if (atOnce) await Promise.all([0, 1, 2, 3].map(send));
  else for (const batch of [0, 1, 2, 3]) await send(batch);
  const deleted = messages.flatMap((one, i) => (one.deleted ? [idOf(i)] : []));
  await rowsOf('delete from touchpoints where workspace_id = $1 and id = any($2::text[])', [
    workspace.id,
    deleted,
  ]);
}

async function storedIn(workspace: TestWorkspace): Promise<unknown[]> {
  const rows = await rowsOf(
    `select id, opened_at, opening_id, first_response_at, last_at, last_direction, inbound, outbound
     from conversations where workspace_id = $1 order by id`,
    [workspace.id],
  );
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.getTime() : value]),
    ),
  );
}

function expectedOf({ messages }: Sample): unknown[] {
  const known = messages.map((one, i) => ({ ...one, id: idOf(i) })).filter(({ deleted }) => !deleted);
  return ['B', 'a', 'é/ü'].flatMap((id) => {
    const summary = summaryOf(known.filter(({ thread }) => thread === id));
    return summary ? [{ id, ...summary }] : [];
  });
}
