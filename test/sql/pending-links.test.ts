import { expect, test } from 'vitest';
import { type LinkFact, peopleOf } from '../../src/domain/people.ts';
import { runSchedule } from '../../src/schedule.ts';
import { ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

/** Links that change the order of thousands of others, and identities that hold thousands. */

needWorld();

const START = Date.UTC(2026, 0, 1);
const LINKS = 1600;

function link(number: number, second: number, identities: string[]): LinkFact {
  return {
    from_secret_key: true,
    occurred_at: START + second * 1000,
    item_id: `i${String(number).padStart(5, '0')}`,
    identities,
  };
}

function itemOf({ item_id, occurred_at, identities }: LinkFact): Json {
  const person = Object.fromEntries(identities.map((name) => name.split(':') as [string, string]));
  return { id: item_id, occurred_at: new Date(occurred_at).toISOString(), person };
}

async function load(workspace: TestWorkspace, links: readonly LinkFact[]): Promise<void> {
  for (let start = 0; start < links.length; start += 1000)
    await workspace.load('people', links.slice(start, start + 1000).map(itemOf));
}

async function storedPeople(workspace: TestWorkspace): Promise<string[]> {
  const rows = await rowsOf(
    `select array_agg(namespace || ':' || value) as names from identities where workspace_id = $1 group by person_id`,
    [workspace.id],
  );
  return rows.map(({ names }) => (names as string[]).toSorted().join(' ')).toSorted();
}

const expected = (links: readonly LinkFact[]) =>
  peopleOf(links)
    .people.map((names) => names.toSorted().join(' '))
    .toSorted();

/** A chain of identities, cut into people of 100: one link before all others moves every cut. */
const chain = Array.from({ length: LINKS }, (_, i) =>
  link(i + 1, i + 10, i % 2 === 0 ? [`x:v${i}`, `github:v${i + 1}`] : [`github:v${i}`, `x:v${i + 1}`]),
);
const early = link(0, 0, ['email:e@b.c', 'x:v0']);

const lookup = async (workspace: TestWorkspace, person: Json) =>
  (await workspace.post('/v1/people/lookup', { person })).body;
const config = { database_url: world.connectionString, root_key: '', identity_secret: '' };

test('a link that moves 1,600 others waits, says so, and is settled by the hourly trigger', {
  timeout: 120_000,
}, async () => {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  await load(workspace, chain);
  expect(await storedPeople(workspace)).toEqual(expected(chain));
  expect((await lookup(workspace, { x: 'v0' })).links_pending).toBe(false);

  const answer = await workspace.post('/v1/people', { people: [itemOf(early)] });
  expect(answer.body.accepted).toBe(1);
  const [pending] = await rowsOf(
    `select count(*)::int as rows from identity_links where workspace_id = $1 and pending`,
    [workspace.id],
  );
  expect(pending?.rows).toBeGreaterThan(0);
  const [somebody] = await rowsOf(
    `select i.person_id from identity_links l join identities i on i.workspace_id = l.workspace_id and i.id = l.identity_id
     where l.workspace_id = $1 and l.pending limit 1`,
    [workspace.id],
  );
  expect((await workspace.get(`/v1/people/${somebody?.person_id}`)).body.links_pending).toBe(true);

  await runSchedule(config, undefined, 5000);
  expect(await storedPeople(workspace)).toEqual(expected([...chain, early]));
  expect((await workspace.get(`/v1/people/${somebody?.person_id}`)).body.links_pending).toBe(false);
});

test('further links settle what waits; an unlink and an erasure settle it first', {
  timeout: 120_000,
}, async () => {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  await load(workspace, chain);
  await load(workspace, [early]);
  const others = [1, 2].map((n) => link(9000 + n, 9000 + n, [`x:other${n}`, `github:other${n}`]));
  await load(workspace, others);
  const { id } = await lookup(workspace, { x: 'v0' });
  const unlinked = await workspace.post(`/v1/people/${id}/unlink`, {
    person: { email: 'e@b.c', x: 'v0' },
  });
  expect([unlinked.status, unlinked.body.removed_links]).toEqual([200, 1]);
  while ((await rowsOf(`select has_pending_links($1) as is_left`, [workspace.id]))[0]?.is_left)
    await runSchedule(config, undefined, 5000);
  expect(await storedPeople(workspace)).toEqual(
    [...expected([...chain, ...others]), 'email:e@b.c'].toSorted(),
  );

  await load(workspace, [link(1_000_000, 0, ['email:late@b.c', 'x:v0'])]);
  const late = await lookup(workspace, { x: 'v0' });
  expect((await workspace.ask('DELETE', `/v1/people/${late.id}`)).status).toBe(200);
  expect((await rowsOf(`select has_pending_links($1) as is_left`, [workspace.id]))[0]?.is_left).toBe(false);
});

test('a person whose address has 1,500 skipped links shows the newest 100, and how many there are', {
  timeout: 120_000,
}, async () => {
  const workspace = await TestWorkspace.make();
  const star = Array.from({ length: LINKS }, (_, i) => link(i, i, ['email:kiosk@b.c', `anonymous_id:a${i}`]));
  await load(workspace, star);
  const person = await lookup(workspace, { email: 'kiosk@b.c' });
  expect(person.identities).toHaveLength(100);
  expect(person.skipped_links).toHaveLength(100);
  expect(person.skipped_links[0]).toMatchObject({
    item_id: `i0${LINKS - 1}`,
    namespaces: ['anonymous_id', 'email'],
  });
  expect([person.skipped_links_count, person.links_pending]).toEqual([LINKS - 99, false]);
  const timeline = `/v1/people/${person.id}/timeline?limit=1000`;
  const { body } = await workspace.get(timeline);
  expect(body.data.map(({ id }: Json) => id).slice(0, 3)).toEqual(['i01599', 'i01598', 'i01597']);
  expect(body.data).toHaveLength(1000);
  expect((await workspace.get(`${timeline}&cursor=${body.next_cursor}`)).body.data[0].id).toBe('i00599');
});

test('a link of a page that a server replaces is undone while others wait', {
  timeout: 120_000,
}, async () => {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  await load(workspace, chain);
  const origin = 'https://shop.example';
  const key = { name: 'Page', kind: 'publishable', allowed_origins: [origin] };
  const { token } = (await workspace.post('/v1/keys', key)).body;
  const person = { user_id: 'visitor', anonymous_id: 'a' };
  await ask('POST', '/v1/people', {
    token,
    headers: { origin },
    body: { people: [{ id: 'visit', person }] },
  });
  await load(workspace, [early]);
  const isWaiting = async () =>
    (await rowsOf('select has_pending_links($1) as is_left', [workspace.id]))[0]?.is_left;
  expect(await isWaiting()).toBe(true);
  const identified = { id: 'visit', person: { user_id: 'visitor' } };
  expect((await workspace.post('/v1/people', { people: [identified] })).body.accepted).toBe(1);
  expect((await lookup(workspace, { anonymous_id: 'a' })).id).not.toBe(
    (await lookup(workspace, { user_id: 'visitor' })).id,
  );
  while (await isWaiting()) await runSchedule(config, undefined, 5000);
  expect(await storedPeople(workspace)).toEqual(
    [...expected([...chain, early]), 'anonymous_id:a', 'user_id:visitor'].toSorted(),
  );
});
