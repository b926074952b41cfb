import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { touch } from './items.ts';

/** A rejected item is found by erasure and export whatever its shape. */

needWorld();

const ANN = {
  email: 'ann@acme.com',
  x: '@Ann.Lee',
  user_id: 'U 1/a',
  phone: '+49 151 2345678',
  crm: '47110815',
  domain: 'müller.de',
};
/** Somebody whose rejections stay. */
const BOB = { email: 'bob@acme.com', x: 'bob', user_id: 'u2' };
const line = (text: string) => ({ line: text });
const item = (value: unknown) => ({ item: value });
const said = (text: string) => item({ id: 't', kind: 'nope', person: BOB, properties: { text }, extra: 1 });

const SHAPES: Record<string, { item: unknown } | { line: string }> = {
  'in its place': item({ kind: 'nope', person: { email: 'ann@acme.com' } }),
  'in upper case': item({ kind: 'nope', person: { email: ' ANN@ACME.COM ' } }),
  'as a string': item({ kind: 'nope', person: 'ann@acme.com' }),
  'as a list': item({ kind: 'nope', person: ['ann@acme.com'] }),
  'nested too deep': item({ kind: 'nope', person: { email: { value: { it: 'ann@acme.com' } } } }),
  'under a misspelt name': item({ kind: 'nope', persn: { email: 'ann@acme.com' } }),
  'as an advocate': item({ kind: 'nope', person: BOB, referred_by: 'ann@acme.com' }),
  'as an advocate in a list': item({ kind: 'nope', person: BOB, referred_by: [{ email: 'ann@acme.com' }] }),
  'inside properties': item({ kind: 'nope', person: BOB, properties: { by: { email: 'ann@acme.com' } } }),
  'as the name of a member': item({ kind: 'nope', person: { 'ann@acme.com': true } }),
  'as the id': item({ id: 'ann@acme.com', kind: 'nope', person: BOB }),
  'as a mailto: link': item({ kind: 'nope', person: { href: 'mailto:Ann@Acme.com?subject=Hi' } }),
  'with its name': item({ kind: 'nope', to: '"Ann Lee" <Ann@Acme.com>' }),
  'in the query of a URL': item({ kind: 'nope', href: 'https://a.example/?e=ann%40acme.com&x=1' }),
  'in a sentence': said('Please write to Ann@acme.com.'),
  'in a sentence without a space after it': said('See ann@acme.com.Thanks, Bob'),
  'in single quotes': said("to 'ann@acme.com'"),
  'as a text that is the item': item('ann@acme.com'),
  'as a handle': item({ kind: 'nope', person: '@Ann.Lee' }),
  'as a handle in another case, without @': item({ kind: 'nope', handle: 'ANN.LEE' }),
  'as a handle in a sentence': said('thanks, @ann.lee!'),
  'as a user_id': item({ kind: 'nope', person: { uid: 'U 1/a' } }),
  'as a number': item({ kind: 'nope', person: { crm: 47110815 } }),
  'as a phone with brackets': item({ kind: 'nope', person: { tel: '(+49) 151 / 234-5678' } }),
  'as a phone in national form': item({ kind: 'nope', person: { tel: '0151 2345678' } }),
  'as a phone with 00': item({ kind: 'nope', person: { tel: '0049 151 2345678' } }),
  'as a phone without plus': item({ kind: 'nope', person: { tel: 491512345678 } }),
  'as a phone in a sentence': said('Call +49 (0) 151 / 234 56 78 or write.'),
  'as a national phone in a sentence, after a number': said('Order 1234 0151 2345678, thanks.'),
  'as a domain': item({ kind: 'nope', site: 'WWW.Müller.de' }),
  'in a list': item([['x', 'ann@acme.com']]),
  'in JSON in a text': item({ kind: 'nope', person: '{"user_id":"U 1/a"}' }),
  'in a line of broken JSON': line('{"id":"b","person":{"email":"ann@acme.com"},"kind":'),
  'with an escape in a line': line('{"id":"b","person":{"email":"ann\\u0040acme.com"},'),
  'as a user_id in a line': line('{"id":"b","person":{"user_id":"U 1/a"},"kind":'),
  'as a number in a line': line('{"id":"b","person":{"crm":47110815},"kind":'),
  'in a line of CSV': line('t1;visit;"Ann@Acme.com";2026'),
  'as a user_id in a line of CSV': line('t1,visit,U 1/a,2026'),
  'as a handle in a line': line("{id: 'b', person: {x: '@Ann.Lee'}}"),
  'in a form': line('id=b&email=ann%40acme.com&kind=visit'),
};

async function withAnnAndBob(workspace?: TestWorkspace) {
  workspace ??= await TestWorkspace.make({ default_country: 'DE' });
  await workspace.load('touchpoints', [touch('ann', { person: ANN }), touch('bob', { person: BOB })]);
  const idOf = async (id: string): Promise<string> =>
    (await workspace.get(`/v1/touchpoints/${id}`)).body.person_id;
  return { workspace, ann: await idOf('ann'), bob: await idOf('bob') };
}

const send = (workspace: TestWorkspace, shape: { item: unknown } | { line: string }) =>
  'line' in shape
    ? workspace.ask('POST', '/v1/touchpoints', {
        raw: shape.line,
        headers: { 'content-type': 'application/x-ndjson' },
      })
    : workspace.touchpoints(shape.item);

const heldOf = (workspace: TestWorkspace) =>
  rowsOf('select item_id from rejections where workspace_id = $1 order by item_id', [workspace.id]);

describe('a rejection that names somebody', () => {
  test.for(Object.entries(SHAPES))('%s is exported and erased', async ([, shape]) => {
    const { workspace, ann, bob } = await withAnnAndBob();
    await workspace.touchpoints({ id: 'other', kind: 'nope', person: { email: 'carl@acme.com' } });
    expect((await send(workspace, shape)).body.rejected).toBe(1);
    expect(await heldOf(workspace)).toHaveLength(2);
    const { body } = await workspace.get(`/v1/people/${ann}/export`);
    expect(body.rejections.map((row: Json) => row.item)).toEqual(['line' in shape ? shape.line : shape.item]);
    const receipt = (await workspace.ask('DELETE', `/v1/people/${ann}`)).body;
    expect(receipt).toMatchObject({ person_id: ann, rejections: 1 });
    expect(await heldOf(workspace)).toEqual([{ item_id: 'other' }]);
    expect((await workspace.ask('DELETE', `/v1/people/${bob}`)).body.rejections).toBe(0);
  });

  test('is left alone by the erasure of people whose values only resemble it', async () => {
    const { workspace, ann } = await withAnnAndBob();
    await workspace.touchpoints(
      { kind: 'nope', person: { email: 'joann@acme.com', user_id: 'u 1/a' } },
      { kind: 'nope', person: { email: 'ann@acme.com.example', crm: 47_110 } },
      { kind: 'nope', person: { phone: '+4915123456789' }, properties: { text: 'ann at acme.com, Ann Lee' } },
    );
    const { body } = await workspace.ask('DELETE', `/v1/people/${ann}`);
    expect(body.rejections).toBe(0);
    expect(await heldOf(workspace)).toHaveLength(3);
  });
});

test('a short number, which may be a price, is found under its namespace only', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('t', { person: { user_id: '42' } }));
  await workspace.touchpoints(
    { kind: 'nope', person: { user_id: '42' } },
    { kind: 'nope', person: BOB, properties: { price: 42 } },
  );
  const { person_id } = (await workspace.get('/v1/touchpoints/t')).body;
  expect((await workspace.ask('DELETE', `/v1/people/${person_id}`)).body.rejections).toBe(1);
  expect(await heldOf(workspace)).toHaveLength(1);
});

describe('an identity that release 0.1.0 stored, which has no hash of its text,', () => {
  test('gets it when an item names it again, whatever becomes of the item', async () => {
    const older = await TestWorkspace.make({ default_country: 'DE' });
    // Only the version tells the keys of a workspace of that release.
    await rowsOf('update identity_keys set hash_version = 1 where workspace_id = $1', [older.id]);
    const { workspace, ann } = await withAnnAndBob(older);
    const forget = () =>
      rowsOf('update identities set text_hash = null where workspace_id = $1', [workspace.id]);
    const bare = () =>
      rowsOf('select namespace from identities where workspace_id = $1 and text_hash is null order by 1', [
        workspace.id,
      ]);
    const hashes = () =>
      rowsOf('select namespace, text_hash from identities where workspace_id = $1 order by 1, 2', [
        workspace.id,
      ]);
    const before = await hashes();
    for (const items of [
      [touch('ann', { person: ANN }), touch('bob', { person: BOB })],
      [touch('ann2', { person: ANN }), touch('bob2', { person: BOB })],
    ]) {
      await forget();
      expect(await bare()).toHaveLength(9);
      await Promise.all([workspace.touchpoints(...items), workspace.touchpoints(...items.toReversed())]);
      expect(await bare()).toEqual([]);
      expect(await hashes()).toEqual(before);
    }
    await workspace.touchpoints({ kind: 'visit', person: 'ann@acme.com' });
    expect((await workspace.ask('DELETE', `/v1/people/${ann}`)).body.rejections).toBe(1);
  });
});
