import { expect, test } from 'vitest';
import { needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';

needWorld();

/** Large tables have no foreign keys between them, so these queries check the references. */
const ORPHANS = {
  'a touchpoint of a person who is gone or merged away': `select t.id from touchpoints t
    left join people p on p.workspace_id = t.workspace_id and p.id = t.person_id and p.merged_into is null
    where t.workspace_id = $1 and p.id is null`,
  'a conversion of a person who is gone or merged away': `select c.id from conversions c
    left join people p on p.workspace_id = c.workspace_id and p.id = c.person_id and p.merged_into is null
    where c.workspace_id = $1 and p.id is null`,
  'an identity of a person who is gone or merged away': `select i.id from identities i
    left join people p on p.workspace_id = i.workspace_id and p.id = i.person_id and p.merged_into is null
    where i.workspace_id = $1 and p.id is null`,
  'a touchpoint of another person than its identity': `select t.id from touchpoints t
    left join identities i on i.workspace_id = t.workspace_id and i.id = t.identity_id
    where t.workspace_id = $1 and i.person_id is distinct from t.person_id`,
  'a merged person that points at another merged one': `select p.id from people p
    join people q on q.workspace_id = p.workspace_id and q.id = p.merged_into
    where p.workspace_id = $1 and q.merged_into is not null`,
  'a person without an identity': `select p.id from people p
    where p.workspace_id = $1 and p.merged_into is null
      and not exists (select from identities i where i.workspace_id = p.workspace_id and i.person_id = p.id)`,
  'an adjustment of a conversion that is not there, which does not wait': `select a.id from adjustments a
    left join conversions c on c.workspace_id = a.workspace_id and c.id = a.conversion_id
    where a.workspace_id = $1 and c.id is null and a.waiting_since is null`,
  'a link of an identity that is gone': `select l.item_id from identity_links l
    left join identities i on i.workspace_id = l.workspace_id and i.id = l.identity_id
    where l.workspace_id = $1 and i.id is null`,
};

// crm_id links only merge; user_id links also conflict, and people are split again.
test.for([
  ['crm_id', 'select id from people where workspace_id = $1 and merged_into is not null'],
  ['user_id', 'select item_id from identity_links where workspace_id = $1 and skipped and is_current'],
] as const)(
  'after 24 batches that link by %s at random, 6 at a time, no row points at nothing',
  {
    timeout: 120_000,
  },
  async ([namespace, evidence]) => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    // A small generator with a fixed seed: the same links in every run, enough of them to merge most people.
    let state = 7;
    const next = (limit: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % limit;
    };
    const batches = Array.from({ length: 24 }, (_, batch) =>
      Array.from({ length: 40 }, (_unused, i) => ({
        id: `b${batch}-${i}`,
        occurred_at: new Date(Date.UTC(2026, 0, 1, batch, i)).toISOString(),
        person: {
          [namespace]: `u${next(150)}`,
          ...(next(3) === 0 && { email: `e${next(150)}@example.com` }),
        },
      })),
    );
    const post = async (batch: object[], i: number) => {
      const body =
        i % 3 === 0
          ? await workspace.conversions(...batch.map((item) => ({ ...item, goal: 'purchase' })))
          : await workspace.touchpoints(...batch.map((item) => ({ ...item, kind: 'visit' })));
      expect(body.body.accepted).toBe(40);
    };
    for (let start = 0; start < batches.length; start += 6) {
      await Promise.all(batches.slice(start, start + 6).map((batch, i) => post(batch, start + i)));
    }
    for (const id of ['b0-1', 'missing'])
      await workspace.post(`/v1/conversions/${id}/adjustments`, { kind: 'retraction' });
    for (const [what, query] of Object.entries(ORPHANS)) {
      expect(await rowsOf(query, [workspace.id]), what).toEqual([]);
    }
    // Enough merges or conflicts happened for the test to be meaningful.
    expect((await rowsOf(evidence, [workspace.id])).length).toBeGreaterThan(20);
  },
);
