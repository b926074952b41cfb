import { describe, expect, test } from 'vitest';
import { type Answer, type Json, needWorld, TestWorkspace } from '../support/api.ts';

needWorld();

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const visit = (id: string, person: Json, minute = 0) => ({
  id,
  kind: 'visit',
  channel: 'x',
  person,
  occurred_at: at(minute),
});
const statusesOf = ({ body }: Answer) => body.results.map((result: Json) => result.status);

/** The person of each stored touchpoint, by the touchpoint's id. */
async function personsOf(workspace: TestWorkspace): Promise<Record<string, string>> {
  const { body } = await workspace.get('/v1/touchpoints?limit=1000');
  return Object.fromEntries(body.data.map((row: Json) => [row.id, row.person_id]));
}

describe('POST /v1/people', () => {
  test('links identities that touchpoints brought one by one', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(visit('a', { x: 'ann' }), visit('b', { email: 'ann@b.c' }));
    const before = await personsOf(workspace);
    expect(before.a).not.toBe(before.b);
    await workspace.load('people', [{ id: 'p', person: { x: '@Ann', email: 'ANN@b.c' } }]);
    const after = await personsOf(workspace);
    expect(after.a).toBe(after.b);
  });

  test('is safe to repeat: duplicate with equal content, conflict with other; a conflict links nobody', async () => {
    const workspace = await TestWorkspace.make();
    const item = { id: 'p', person: { x: 'ann', email: 'a@b.c' }, traits: { plan: 'pro' } };
    await workspace.touchpoints(visit('a', { x: 'ann' }), visit('b', { x: 'bob' }));
    expect(statusesOf(await workspace.post('/v1/people', { people: [item] }))).toEqual(['accepted']);
    expect(statusesOf(await workspace.post('/v1/people', { people: [item] }))).toEqual(['duplicate']);
    const other = { ...item, person: { x: 'ann', github: 'bob' } };
    expect(statusesOf(await workspace.post('/v1/people', { people: [other] }))).toEqual(['conflict']);
  });

  test.for<[what: string, fields: Json, pointer: string]>([
    ['consent that is no boolean', { consent: { analytics: 'no' } }, '/people/0/consent/analytics'],
    [
      'consent of an unknown kind',
      { consent: { analytics: true, marketing: true } },
      '/people/0/consent/marketing',
    ],
    ['traits that are a list', { traits: [] }, '/people/0/traits'],
    [
      'eleven identities',
      { person: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`n${i}`, 'v'])) },
      '/people/0/person',
    ],
    ['a namespace with capitals', { person: { Email: 'a@b.c' } }, '/people/0/person/Email'],
    ['a 256-character value', { person: { email: 'a'.repeat(256) } }, '/people/0/person/email'],
    ['an empty map', { person: {} }, '/people/0/person'],
  ])('refuses %s', async ([_what, fields, pointer]) => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.post('/v1/people', {
      people: [{ id: 'p', person: { x: 'a' }, ...fields }],
    });
    expect(answer.status).toBe(422);
    expect(answer.body.results[0].errors.map((error: Json) => error.pointer)).toContain(pointer);
  });
});

describe('consent', () => {
  const consent = (id: string, analytics: boolean, minute: number, person: Json = { x: 'ann' }) => ({
    id,
    person,
    consent: { analytics },
    occurred_at: at(minute),
  });

  test('false drops touchpoints from then on, and stores those from before, whenever they arrive', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.load('people', [consent('no', false, 10)]);
    const answer = await workspace.touchpoints(
      visit('before', { x: 'ann' }, 9),
      visit('at', { x: 'ann' }, 10),
      visit('after', { x: 'ann' }, 11),
      visit('other', { x: 'bob' }, 11),
    );
    expect(answer.status).toBe(200);
    expect(statusesOf(answer)).toEqual(['accepted', 'dropped', 'dropped', 'accepted']);
    expect(answer.body).toMatchObject({ accepted: 2, dropped: 2, rejected: 0 });
    expect(answer.body.results[1].reason).toBe('consent');
    expect(Object.keys(await personsOf(workspace)).sort()).toEqual(['before', 'other']);
  });

  test('given again counts from then on; the last word before the touchpoint decides, in any order of arrival', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.load('people', [consent('yes', true, 20), consent('no', false, 10)]);
    expect(
      statusesOf(await workspace.touchpoints(visit('a', { x: 'ann' }, 15), visit('b', { x: 'ann' }, 20))),
    ).toEqual(['dropped', 'accepted']);
  });

  test('holds for the whole person: said of an e-mail address, it drops the touchpoints of the handle', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.load('people', [
      { id: 'l', person: { x: 'ann', email: 'a@b.c' } },
      consent('no', false, 10, { email: 'a@b.c' }),
    ]);
    expect(statusesOf(await workspace.touchpoints(visit('t', { x: 'ann' }, 11)))).toEqual(['dropped']);
  });

  test('of any person whom a touchpoint names drops it, and what is dropped links nobody and knows nobody', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.load('people', [
      consent('no', false, 10),
      { id: 'p', person: { email: 'bob@b.c' }, occurred_at: at(1) },
    ]);
    const answer = await workspace.touchpoints(
      visit('t', { email: 'bob@b.c', x: 'ann' }, 11),
      visit('u', { user_id: 'stranger', x: 'ann' }, 11),
    );
    expect(statusesOf(answer)).toEqual(['dropped', 'dropped']);
    const idOf = async (person: Json) => (await workspace.post('/v1/people/lookup', { person })).body.id;
    expect(await idOf({ email: 'bob@b.c' })).not.toBe(await idOf({ x: 'ann' }));
    expect((await workspace.post('/v1/people/lookup', { person: { user_id: 'stranger' } })).status).toBe(404);
  });

  test('says nothing about conversions: an order is an order', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.load('people', [consent('no', false, 10)]);
    expect(
      statusesOf(
        await workspace.conversions({ id: 's', goal: 'purchase', person: { x: 'ann' }, occurred_at: at(11) }),
      ),
    ).toEqual(['accepted']);
  });
});

describe('unlink', () => {
  async function linked() {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.touchpoints(
      visit('u', { user_id: 'u1' }),
      visit('e', { email: 'a@b.c' }),
      visit('x', { x: 'ann' }),
    );
    await workspace.conversions({
      id: 's',
      goal: 'purchase',
      person: { email: 'a@b.c' },
      occurred_at: at(5),
    });
    await workspace.load('people', [
      { id: 'l1', person: { user_id: 'u1', email: 'a@b.c' } },
      { id: 'l2', person: { email: 'a@b.c', x: 'ann' } },
    ]);
    return { workspace, id: (await personsOf(workspace)).u ?? '' };
  }
  const unlink = (workspace: TestWorkspace, id: string, person: Json) =>
    workspace.post(`/v1/people/${id}/unlink`, { person });

  test('gives back the people of the remaining facts, and everybody takes along what came with their identities', async () => {
    const { workspace, id } = await linked();
    const { status, body } = await unlink(workspace, id, { user_id: 'u1', email: 'A@B.c' });
    expect([status, body.removed_links]).toEqual([200, 1]);
    const persons = await personsOf(workspace);
    expect(persons.u).not.toBe(persons.e);
    expect(persons.e).toBe(persons.x);
    expect(Object.fromEntries(body.people.map((row: Json) => [row.namespace, row.person_id]))).toEqual({
      user_id: persons.u,
      email: persons.e,
    });
    expect((await workspace.get('/v1/conversions/s')).body.person_id).toBe(persons.e);
  });

  test('of what was never linked is 404: not by one fact, not at all, not of this person, not of this workspace', async () => {
    const { workspace, id } = await linked();
    await workspace.touchpoints(visit('o', { github: 'other' }));
    const other = (await personsOf(workspace)).o ?? '';
    const elsewhere = await TestWorkspace.make();
    expect((await unlink(workspace, id, { user_id: 'u1', x: 'ann' })).status).toBe(404);
    expect((await unlink(workspace, id, { user_id: 'u1', github: 'other' })).status).toBe(404);
    expect((await unlink(workspace, other, { user_id: 'u1', email: 'a@b.c' })).status).toBe(404);
    expect((await unlink(elsewhere, id, { user_id: 'u1', email: 'a@b.c' })).status).toBe(404);
    expect((await unlink(workspace, 'nobody', { user_id: 'u1', email: 'a@b.c' })).status).toBe(404);
    const persons = await personsOf(workspace);
    expect(persons.u).toBe(persons.e);
  });

  test('of one identity alone is 422', async () => {
    const { workspace, id } = await linked();
    const { status, body } = await unlink(workspace, id, { user_id: 'u1' });
    expect([status, body.errors[0].pointer]).toEqual([422, '/person']);
  });

  test('lets a fact apply that was skipped because of the one that is gone', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(
      visit('u1', { user_id: 'u1' }),
      visit('u2', { user_id: 'u2' }),
      visit('a', { x: 'a' }),
    );
    await workspace.load('people', [
      { id: '1', person: { user_id: 'u1', x: 'a' }, occurred_at: at(1) },
      { id: '2', person: { user_id: 'u2', x: 'a' }, occurred_at: at(2) },
    ]);
    const before = await personsOf(workspace);
    expect(before.a).toBe(before.u1);
    await unlink(workspace, before.u1 ?? '', { user_id: 'u1', x: 'a' });
    const after = await personsOf(workspace);
    expect(after.a).toBe(after.u2);
    expect(after.a).not.toBe(after.u1);
  });
});

test('1,000 touchpoints that merge 500 pairs of people with 50 touchpoints each: every row ends with its person', {
  timeout: 120_000,
}, async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  const earlier = Array.from({ length: 50_000 }, (_, i) => {
    const pair = Math.floor(i / 100);
    return visit(`t${i}`, i % 2 === 0 ? { crm_id: `c${pair}` } : { email: `e${pair}@b.c` }, i % 100);
  });
  await workspace.load('touchpoints', earlier);
  await workspace.load(
    'conversions',
    Array.from({ length: 500 }, (_, i) => ({
      id: `s${i}`,
      goal: 'purchase',
      person: { email: `e${i}@b.c` },
      occurred_at: at(200),
      value: 1,
    })),
  );
  const links = Array.from({ length: 1000 }, (_, i) =>
    visit(`l${i}`, { crm_id: `c${i % 500}`, email: `e${i % 500}@b.c` }, 150),
  );
  const started = performance.now();
  const answer = await workspace.touchpoints(...links);
  console.log(`merging 500 pairs with 50 touchpoints each: ${Math.round(performance.now() - started)} ms`);
  expect(answer.body.accepted).toBe(1000);
  const { body } = await workspace.get(
    '/v1/reports/attribution?goal=purchase&from=2026-01-01&to=2026-02-01&models=linear',
  );
  expect(body.data[0]).toMatchObject({ touchpoints: 51_000, influenced_conversions: 500 });
  expect(body.totals.unattributed.conversions).toBe(0);
});
