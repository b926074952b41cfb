import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { touch } from './items.ts';

needWorld();

const BOB = { email: 'bob@b.example' };
const personOf = async (workspace: TestWorkspace, id: string) =>
  (await workspace.get(`/v1/touchpoints/${id}`)).body;
const referred = (id: string, extra: object = {}) =>
  touch(id, { kind: 'referral', person: { user_id: 'ann' }, referred_by: BOB, ...extra });

describe('referred_by', () => {
  test('names the advocate, who becomes a person even if nothing else is known of them', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(referred('t'));
    const { referred_by_person_id, person_id } = await personOf(workspace, 't');
    const advocate = await workspace.post('/v1/people/lookup', { person: BOB });
    expect(advocate.body.id).toBe(referred_by_person_id);
    expect(referred_by_person_id).not.toBe(person_id);
  });

  test('follows the advocate through a merge', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.load('people', [{ id: 'p1', person: { user_id: 'bob' } }]);
    await workspace.touchpoints(referred('t'));
    await workspace.load('people', [{ id: 'p2', person: { user_id: 'bob', ...BOB } }]);
    const { body } = await workspace.post('/v1/people/lookup', { person: { user_id: 'bob' } });
    expect((await personOf(workspace, 't')).referred_by_person_id).toBe(body.id);
  });

  test('with two identities says that they are one person', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(referred('t', { referred_by: { ...BOB, x: '@bob' } }));
    const { body } = await workspace.post('/v1/people/lookup', { person: { x: 'bob' } });
    expect(body.identities.map((identity: Json) => identity.namespace)).toEqual(['email', 'x']);
  });

  test('is rejected where it names the person themself, by the same identity', async () => {
    const workspace = await TestWorkspace.make();
    const { status, body } = await workspace.touchpoints(
      referred('t', { referred_by: { user_id: ' ann ' } }),
    );
    expect(status).toBe(422);
    expect(body.results[0].errors[0].pointer).toBe('/touchpoints/0/referred_by');
  });

  test('is rejected where the graph says that it is the person themself, and kept for replay', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.load('people', [{ id: 'p', person: { user_id: 'ann', ...BOB } }]);
    const { status, body } = await workspace.touchpoints(referred('t'));
    expect(status).toBe(422);
    expect(body.results[0].errors[0]).toMatchObject({ pointer: '/touchpoints/0/referred_by' });
    expect((await workspace.get('/v1/touchpoints/t')).status).toBe(404);
    expect((await workspace.get('/v1/rejections')).body.data.map((row: Json) => row.item_id)).toEqual(['t']);
  });

  test('of placeholders alone is rejected, naming the place', async () => {
    const workspace = await TestWorkspace.make();
    const { body } = await workspace.touchpoints(referred('t', { referred_by: { email: 'null' } }));
    expect(body.results[0].errors[0].pointer).toBe('/touchpoints/0/referred_by');
  });

  test('belongs to the content: the same id with another advocate is a conflict', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(referred('t'));
    expect((await workspace.touchpoints(referred('t'))).body.duplicates).toBe(1);
    const { body } = await workspace.touchpoints(referred('t', { referred_by: { email: 'eve@b.example' } }));
    expect(body.results[0].status).toBe('conflict');
  });

  test('of an advocate who was erased names a nameless person; sent again it names nobody', async () => {
    const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
    await workspace.touchpoints(referred('t'));
    const { referred_by_person_id } = await personOf(workspace, 't');
    await workspace.ask('DELETE', `/v1/people/${referred_by_person_id}`);
    const nameless = (await personOf(workspace, 't')).referred_by_person_id;
    expect(nameless).not.toBe(referred_by_person_id);
    expect((await workspace.get(`/v1/people/${nameless}`)).body.identities).toEqual([]);
    await workspace.touchpoints(referred('later'));
    expect((await personOf(workspace, 'later')).referred_by_person_id).toBeNull();
    expect((await workspace.post('/v1/people/lookup', { person: BOB })).status).toBe(404);
  });

  test('is found in a rejected item when the advocate is erased', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(referred('t'), referred('bad', { kind: 'telepathy' }));
    const { referred_by_person_id } = await personOf(workspace, 't');
    const { body } = await workspace.ask('DELETE', `/v1/people/${referred_by_person_id}`);
    expect(body.rejections).toBe(1);
    expect((await workspace.get('/v1/rejections')).body.data).toEqual([]);
  });
});
