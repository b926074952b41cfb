import { describe, expect, test } from 'vitest';
import { type Answer, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { AT, expectProblem, sale, touch } from './items.ts';

/** One person: by id, by the id of a merged person, by an identity. */

needWorld();

const NOBODY = '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3';

async function personIdOf(workspace: TestWorkspace, touchpointId: string): Promise<string> {
  return (await workspace.get(`/v1/touchpoints/${touchpointId}`)).body.person_id;
}

/** Inserts a trait or consent assertion for the person of a touchpoint directly into the table. */
async function say(
  workspace: TestWorkspace,
  touchpointId: string,
  update: { id: string; at?: string; traits?: unknown; analytics?: boolean },
): Promise<void> {
  await rowsOf(
    `insert into person_updates
       (workspace_id, id, person_id, identity_id, occurred_at, content_hash, traits, analytics_consent)
     select t.workspace_id, $3, t.person_id, t.identity_id, $4::timestamptz, '\\x00', $5::jsonb, $6::boolean
     from touchpoints t
     where t.workspace_id = $1::uuid and t.id = $2`,
    [
      workspace.id,
      touchpointId,
      update.id,
      update.at ?? AT,
      update.traits === undefined ? null : JSON.stringify(update.traits),
      update.analytics ?? null,
    ],
  );
}

const lookUp = (workspace: TestWorkspace, query: Record<string, string>) =>
  workspace.get(`/v1/people/lookup?${new URLSearchParams(query)}`);
const lookUpByBody = (workspace: TestWorkspace, person: unknown) =>
  workspace.post('/v1/people/lookup', { person });

const day = (n: number) => `2025-06-${String(n).padStart(2, '0')}T00:00:00.000Z`;

describe('a person', () => {
  test('of whom nothing was said has identities, no traits, consent, and when they were seen', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t', { person: { x: '@Ann', email: 'ann@acme.com' } }));
    const id = await personIdOf(workspace, 't');
    const { status, body } = await workspace.get(`/v1/people/${id}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      id,
      identities: [{ namespace: 'email' }, { namespace: 'x' }],
      account: null,
      traits: {},
      consent: { analytics: true },
      first_seen_at: AT,
      last_seen_at: AT,
      skipped_links: [],
    });
  });

  test('shows normalised values where the workspace stores them', async () => {
    const workspace = await TestWorkspace.make({ identity_storage: 'plain', default_country: 'DE' });
    const person = { x: '@Ann', email: ' Ann@Acme.com', phone: '0151 12345678' };
    await workspace.touchpoints(touch('t', { person }));
    expect((await lookUp(workspace, { x: 'ann' })).body.identities).toEqual([
      { namespace: 'email', value: 'ann@acme.com' },
      { namespace: 'phone', value: '+4915112345678' },
      { namespace: 'x', value: 'ann' },
    ]);
  });

  test('was seen first and last by touchpoints and conversions, voided ones and what they recorded aside', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase', { match: { touchpoints: [{ kind: ['demo'] }] } });
    await workspace.touchpoints(
      touch('void-first', { occurred_at: day(1), kind: 'demo' }),
      touch('t', { occurred_at: day(3) }),
      touch('void-last', { occurred_at: day(9), kind: 'demo' }),
    );
    await workspace.conversions(sale('s', { occurred_at: day(5) }));
    const seen = async () => {
      const { body } = await lookUp(workspace, { user_id: 'u1' });
      return [body.first_seen_at, body.last_seen_at];
    };
    expect(await seen()).toEqual([day(1), day(9)]);
    await workspace.ask('DELETE', '/v1/touchpoints/void-first');
    await workspace.ask('DELETE', '/v1/touchpoints/void-last');
    expect(await seen()).toEqual([day(3), day(5)]);
  });

  test('of whom every touchpoint is voided was never seen, and is still there', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'));
    await workspace.ask('DELETE', '/v1/touchpoints/t');
    expect((await lookUp(workspace, { user_id: 'u1' })).body).toMatchObject({
      identities: [{ namespace: 'user_id' }],
      first_seen_at: null,
      last_seen_at: null,
    });
  });

  test('of a conversion alone was seen at it', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.conversions(sale('s', { occurred_at: day(5) }));
    expect((await lookUp(workspace, { user_id: 'u1' })).body).toMatchObject({
      first_seen_at: day(5),
      last_seen_at: day(5),
    });
  });

  test.for(['ann', NOBODY, '%00', NOBODY.slice(1)])('with the id %s is 404', async (id) => {
    const workspace = await TestWorkspace.make();
    expectProblem(await workspace.get(`/v1/people/${id}`), 404, 'not_found');
  });

  test('of another workspace is 404, by id, by identity', async () => {
    const [mine, other] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
    await mine.touchpoints(touch('t'));
    const id = await personIdOf(mine, 't');
    expect((await mine.get(`/v1/people/${id}`)).status).toBe(200);
    expectProblem(await other.get(`/v1/people/${id}`), 404, 'not_found');
    expectProblem(await lookUp(other, { user_id: 'u1' }), 404, 'not_found');
    expectProblem(await lookUpByBody(other, { user_id: 'u1' }), 404, 'not_found');
  });

  test('needs the scope read', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'));
    const id = await personIdOf(workspace, 't');
    const { body } = await workspace.post('/v1/keys', { name: 'in', scopes: ['ingest'] });
    for (const path of [`/v1/people/${id}`, '/v1/people/lookup?user_id=u1']) {
      const headers = { authorization: `Bearer ${body.token}` };
      expectProblem(await workspace.ask('GET', path, { headers }), 403, 'forbidden');
    }
  });

  test('who was merged away answers as the survivor, who has the identities of both', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('a', { person: { user_id: 'u1' } }));
    await workspace.touchpoints(touch('b', { person: { email: 'ann@acme.com' }, occurred_at: day(2) }));
    await workspace.touchpoints(touch('c', { person: { x: 'ann' }, occurred_at: day(9) }));
    const ids = await Promise.all(['a', 'b', 'c'].map((id) => personIdOf(workspace, id)));
    await workspace.touchpoints(touch('bc', { person: { email: 'ann@acme.com', x: 'ann' } }));
    await workspace.touchpoints(touch('ab', { person: { user_id: 'u1', email: 'ann@acme.com' } }));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) {
      expect((await workspace.get(`/v1/people/${id}`)).body).toMatchObject({
        id: ids[0],
        identities: [{ namespace: 'email' }, { namespace: 'user_id' }, { namespace: 'x' }],
        first_seen_at: AT,
        last_seen_at: day(9),
      });
    }
  });
});

describe('what was said of a person', () => {
  test('is merged key by key, the last word deciding; null takes a key away, and a later word brings it back', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'));
    // Inserted in another order than the order of time.
    await say(workspace, 't', { id: '3', at: day(3), traits: { plan: 'pro', city: null, back: null } });
    await say(workspace, 't', { id: '1', at: day(1), traits: { plan: 'free', city: 'Ulm', back: 1 } });
    await say(workspace, 't', { id: '4', at: day(4), traits: { back: { a: [1, null] } } });
    await say(workspace, 't', { id: '2', at: day(2), traits: { plan: 'trial', seats: 3 } });
    await say(workspace, 't', { id: '5', at: day(5) });
    expect((await lookUp(workspace, { user_id: 'u1' })).body.traits).toEqual({
      plan: 'pro',
      seats: 3,
      back: { a: [1, null] },
    });
  });

  test('at one instant is in the order of ids, bytewise', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'));
    for (const id of ['é', 'Z', 'a']) await say(workspace, 't', { id, traits: { by: id } });
    expect((await lookUp(workspace, { user_id: 'u1' })).body.traits).toEqual({ by: 'é' });
    await say(workspace, 't', { id: '😀', traits: { by: '😀' }, analytics: false });
    await say(workspace, 't', { id: 'B', analytics: true });
    expect((await lookUp(workspace, { user_id: 'u1' })).body).toMatchObject({
      traits: { by: '😀' },
      consent: { analytics: false },
    });
  });

  test('decides the consent by the last update that speaks of it', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'));
    await say(workspace, 't', { id: '2', at: day(2), analytics: false });
    await say(workspace, 't', { id: '1', at: day(1), analytics: true });
    await say(workspace, 't', { id: '3', at: day(3), traits: { plan: 'pro' } });
    const consent = async () => (await lookUp(workspace, { user_id: 'u1' })).body.consent;
    expect(await consent()).toEqual({ analytics: false });
    await say(workspace, 't', { id: '4', at: day(4), analytics: true });
    expect(await consent()).toEqual({ analytics: true });
  });

  test('is of this person only', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'), touch('other', { person: { user_id: 'u2' } }));
    await say(workspace, 'other', { id: '1', traits: { plan: 'pro' }, analytics: false });
    expect((await lookUp(workspace, { user_id: 'u1' })).body).toMatchObject({
      traits: {},
      consent: { analytics: true },
    });
  });
});

test('a link that was skipped is named by each person it touches', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(
    touch('1', { person: { user_id: 'u1', email: 'ann@acme.com' } }),
    touch('2', { person: { user_id: 'u2', x: 'ann' }, occurred_at: day(2) }),
    touch('3', { person: { user_id: 'u3' } }),
  );
  await workspace.touchpoints(
    touch('4', { person: { email: 'ann@acme.com', x: 'ann' }, occurred_at: day(20) }),
  );
  const skipped = async (user: string) => (await lookUp(workspace, { user_id: user })).body.skipped_links;
  const link = { item_id: '4', resource: 'touchpoints', occurred_at: day(20), namespaces: ['email', 'x'] };
  expect(await skipped('u1')).toEqual([link]);
  expect(await skipped('u2')).toEqual([link]);
  expect(await skipped('u3')).toEqual([]);
});

test('a person is read from one workspace, even if another has the same id', async () => {
  const [mine, other] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
  await mine.touchpoints(touch('t'));
  const id = await personIdOf(mine, 't');
  const before = await Promise.all([
    mine.get(`/v1/people/${id}`),
    mine.get(`/v1/people/${id}/timeline`),
    lookUp(mine, { user_id: 'u1' }),
  ]);
  await other.goal('purchase');
  await other.touchpoints(touch('o', { occurred_at: day(9), person: { user_id: 'u1', x: 'ann' } }));
  await other.conversions(sale('o', { occurred_at: day(9) }));
  await say(other, 'o', { id: 'o', traits: { plan: 'pro' }, analytics: false });
  for (const table of ['identities', 'touchpoints', 'conversions', 'person_updates'])
    await rowsOf(`update ${table} set person_id = $1::uuid where workspace_id = $2::uuid`, [id, other.id]);
  await rowsOf('update people set id = $1::uuid where workspace_id = $2::uuid', [id, other.id]);
  const after = await Promise.all([
    mine.get(`/v1/people/${id}`),
    mine.get(`/v1/people/${id}/timeline`),
    lookUp(mine, { user_id: 'u1' }),
  ]);
  expect(after.map(({ body }) => body)).toEqual(before.map(({ body }) => body));
  expect((await other.get(`/v1/people/${id}`)).body).toMatchObject({ id, traits: { plan: 'pro' } });
});

test('each of these is one call to the database', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.touchpoints(touch('t', { person: { user_id: 'u1', email: 'ann@acme.com' } }));
  const id = await personIdOf(workspace, 't');
  const answers: Answer[] = [
    await workspace.get(`/v1/people/${id}`),
    await lookUp(workspace, { user_id: 'u1' }),
    await lookUpByBody(workspace, { email: 'ann@acme.com' }),
    await workspace.get(`/v1/people/${id}/timeline`),
  ];
  for (const { status, headers } of answers) {
    expect([status, headers.get('server-timing')]).toEqual([200, expect.stringContaining('calls=1"')]);
  }
});
