import { describe, expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, statusesOf, touch } from './items.ts';

/** The size and the number of rejections are bounded, and every result says what is kept. */

needWorld();

const KIB_64 = 65_536;
const listOf = async (workspace: TestWorkspace): Promise<Json[]> =>
  (await workspace.get('/v1/rejections')).body.data;
const sendLines = (workspace: TestWorkspace, lines: string, token = workspace.token) =>
  ask('POST', '/v1/touchpoints', { raw: lines, token, headers: { 'content-type': 'application/x-ndjson' } });

/** A touchpoint of a kind that does not exist, whose JSON text has this many bytes, with text of two bytes a character. */
function itemOf(bytes: number): Json {
  const item = { id: 'big', kind: 'nope', person: { email: 'ann@acme.com' }, properties: { text: '' } };
  const missing = bytes - JSON.stringify(item).length;
  return { ...item, properties: { text: 'é'.repeat(missing >> 1) + 'e'.repeat(missing & 1) } };
}

async function annOf(workspace: TestWorkspace): Promise<string> {
  await workspace.touchpoints(touch('ann', { person: { email: 'ann@acme.com' } }));
  return (await workspace.get('/v1/touchpoints/ann')).body.person_id;
}

describe('an item of 64 KiB', () => {
  test('is kept; one byte more is a digest with the reasons, which erasure finds and a replay refuses', async () => {
    const workspace = await TestWorkspace.make();
    const ann = await annOf(workspace);
    await workspace.touchpoints(itemOf(KIB_64));
    expect(await listOf(workspace)).toMatchObject([
      { item: itemOf(KIB_64), item_digest: null, item_bytes: null },
    ]);
    const { body } = await workspace.touchpoints(itemOf(KIB_64 + 1));
    expect(body.results[0]).not.toHaveProperty('kept');
    const [digest, whole] = await listOf(workspace);
    expect(digest).toMatchObject({
      item_id: 'big',
      item: null,
      item_bytes: KIB_64 + 1,
      errors: body.results[0].errors,
    });
    expect(digest.item_digest).toMatch(/^hmac-sha256:[0-9a-f]{64}$/);
    const answer = await workspace.post(`/v1/rejections/${digest.id}/replay`, undefined);
    expectProblem(answer, 422, 'invalid_request');
    expect(answer.body.detail).toContain('send the item itself again');
    expect((await listOf(workspace)).map(({ id }) => id)).toEqual([digest.id, whole.id]);
    const { rejections } = (await workspace.get(`/v1/people/${ann}/export`)).body;
    expect(rejections.find(({ id }: Json) => id === digest.id)).toEqual({
      ...digest,
      received_at: expect.any(String),
    });
    expect((await workspace.ask('DELETE', `/v1/people/${ann}`)).body.rejections).toBe(2);
  });

  test('is bounded in its id, its pointers and its reasons too', async () => {
    const workspace = await TestWorkspace.make();
    const names = Array.from({ length: 60 }, (_, i) => [`${'n'.repeat(30_000)}${i}`, 1]);
    await workspace.touchpoints({ id: 'i'.repeat(300_000), ...Object.fromEntries(names) });
    const [digest] = await listOf(workspace);
    expect([digest.item, digest.item_id.length, digest.errors.length]).toEqual([null, 255, 51]);
    expect(digest.errors[50].detail).toContain('more reasons');
    expect(JSON.stringify(digest).length).toBeLessThan(KIB_64);
  });

  test('is measured by its bytes as a line too', async () => {
    const workspace = await TestWorkspace.make();
    await sendLines(workspace, `{"a":"${'é'.repeat(32_765)}`);
    await sendLines(workspace, `{"a":"${'é'.repeat(32_765)}x`);
    expect((await listOf(workspace)).map(({ item_bytes }) => item_bytes)).toEqual([KIB_64 + 1, null]);
  });
});

describe('an item of 1,000 strings', () => {
  const withStrings = (count: number) => ({
    kind: 'nope',
    persn: Array.from({ length: count - 2 }, (_, i) => (i === 0 ? 'ann@acme.com' : `text ${i}`)),
  });

  test('is kept and found; with one more it is a digest without anything that names somebody', async () => {
    const workspace = await TestWorkspace.make();
    const ann = await annOf(workspace);
    await workspace.touchpoints(withStrings(1000));
    expect(await listOf(workspace)).toMatchObject([{ item: withStrings(1000), item_digest: null }]);
    expect((await workspace.ask('DELETE', `/v1/people/${ann}`)).body.rejections).toBe(1);
    const many = { ...withStrings(1001), 'ann@acme.com': 1 };
    const { results } = (await workspace.touchpoints(many)).body;
    expect(JSON.stringify(results[0].errors)).toContain('ann@acme.com');
    const [digest] = await listOf(workspace);
    expect(digest).toMatchObject({ item: null, item_bytes: JSON.stringify(many).length });
    expect(JSON.stringify(digest)).not.toContain('ann@acme.com');
    expect(digest.errors[0].detail).toContain('1,000 strings');
  });

  test('under an id that is an address is found by its id', async () => {
    const workspace = await TestWorkspace.make();
    const ann = await annOf(workspace);
    await workspace.touchpoints({ ...withStrings(1001), id: 'ann@acme.com' });
    expect((await workspace.ask('DELETE', `/v1/people/${ann}`)).body.rejections).toBe(1);
  });
});

describe('10,000 broken lines, each with an address,', () => {
  const broken = (i: number) => `{"id":"b${i}","person":{"email":"ann${i}@acme.com"},"kind":`;
  const again = JSON.stringify({ id: 'again', kind: 'nope' });
  const unkept = ({ body }: { body: Json }) => body.results.map((result: Json) => result.kept);

  test('are all kept and found by their address; beyond them the key keeps none today', {
    timeout: 60_000,
  }, async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('ann', { person: { email: 'ann7777@acme.com' } }));
    const ann: string = (await workspace.get('/v1/touchpoints/ann')).body.person_id;
    const started = performance.now();
    const answer = await sendLines(
      workspace,
      [again, ...Array.from({ length: 9_999 }, (_, i) => broken(i))].join('\n'),
    );
    const ms = Math.round(performance.now() - started);
    console.log(`10,000 broken lines: ${ms} ms, ${answer.headers.get('server-timing')}`);
    expect([answer.status, answer.body.rejected]).toEqual([422, 10_000]);
    expect(answer.body.results.some((result: Json) => 'kept' in result)).toBe(false);

    // A new one, the same one twice, and one that is kept already.
    const more = await sendLines(workspace, [broken(10_000), broken(10_000), again].join('\n'));
    expect(unkept(more)).toEqual([false, false, undefined]);
    const mixed = await workspace.touchpoints(touch('t'), touch('ann'), touch('t', { kind: 'nope' }));
    expect([statusesOf(mixed), unkept(mixed)]).toEqual([
      ['accepted', 'conflict', 'rejected'],
      [undefined, false, false],
    ]);
    expect((await listOf(workspace))[0].item).toEqual(JSON.parse(again));

    const key = (await workspace.post('/v1/keys', { name: 'other', scopes: ['ingest'] })).body;
    expect(unkept(await sendLines(workspace, broken(10_001), key.token))).toEqual([undefined]);

    // Room for one: the first of two.
    expect((await workspace.ask('DELETE', `/v1/people/${ann}`)).body.rejections).toBe(1);
    expect(unkept(await sendLines(workspace, `${broken(10_002)}\n${broken(10_003)}`))).toEqual([
      undefined,
      false,
    ]);

    await rowsOf('update rejections set kept_on = kept_on - 1 where workspace_id = $1', [workspace.id]);
    expect(unkept(await sendLines(workspace, broken(10_003)))).toEqual([undefined]);
  });

  test('in a dry run are not kept, and no result speaks of it', async () => {
    const workspace = await TestWorkspace.make();
    const answer = await ask('POST', '/v1/touchpoints?dry_run=true', {
      raw: `${broken(1)}\n${broken(2)}`,
      token: workspace.token,
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(unkept(answer)).toEqual([undefined, undefined]);
    expect(await listOf(workspace)).toEqual([]);
  });
});
