import type { Random } from '../../local/demo/random.ts';
import { TestWorkspace } from '../support/api.ts';
import type { Batch } from './clients.ts';
import { type Attempt, judge, type Verdict } from './history.ts';
import type { Stand } from './stand.ts';

/** Few enough that most batches contain known people, and enough that batches also contain new ones. */
const PEOPLE = 400;

/** So few that concurrent batches write to the same threads. */
const THREADS = 100;

const START = Date.UTC(2026, 0, 1);

/** A workspace with a goal that each tenth touchpoint matches, and with readable identities. */
export async function makeWorkspace(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  await workspace.goal('follow', { kind: 'cultivation', match: { touchpoints: [{ kind: ['follow'] }] } });
  await workspace.goal('purchase');
  return workspace;
}

/** Two of three identities of a person, so that several items are needed to link them. */
function personOf(n: number, random: Random): Record<string, string> {
  const all = { user_id: `u${n}`, email: `u${n}@example.com`, x: `x${n}` };
  const left_out = random.pick(['user_id', 'email', 'x'] as const);
  return Object.fromEntries(Object.entries(all).filter(([namespace]) => namespace !== left_out));
}

function touchpoint(name: string, n: number, random: Random) {
  return {
    kind: n % 10 === 0 ? 'follow' : 'visit',
    occurred_at: new Date(START + n * 1000).toISOString(),
    channel: 'x',
    content: name,
    direction: n % 3 === 0 ? 'outbound' : 'inbound',
    conversation: { id: `thread-${n % THREADS}` },
    person: personOf(random.integer(0, PEOPLE - 1), random),
  };
}

/**
 * Batches of `size` items: every fifth has conversions, and every second of the others has no ids but an
 * `Idempotency-Key`. Each item contains its name.
 */
export function batchesOf(count: number, size: number, random: Random): Batch[] {
  return Array.from({ length: count }, (_, b): Batch => {
    const names = Array.from({ length: size }, (_, i) => `b${b}-${i}`);
    if (b % 5 === 4) {
      const items = names.map((name, i) => {
        const { occurred_at, person } = touchpoint(name, b * size + i, random);
        const item = { id: name, goal: 'purchase', value: 10, occurred_at, person, properties: { name } };
        return { name, item };
      });
      return { resource: 'conversions', items };
    }
    const hasIds = b % 2 !== 0;
    const items = names.map((name, i) => {
      const item = touchpoint(name, b * size + i, random);
      return { name, item: hasIds ? { id: name, ...item } : item };
    });
    return { resource: 'touchpoints', items, ...(hasIds ? {} : { idempotencyKey: `batch-${b}` }) };
  });
}

/** Compares the stored rows with the responses. Consequences of stored items must also exist exactly once. */
export async function judgeStored(
  stand: Stand,
  workspace: TestWorkspace,
  attempts: readonly Attempt[],
): Promise<Verdict> {
  const stored = await stand.rows<{ name: string }>(
    `select content as name from touchpoints where workspace_id = $1
     union all
     select properties ->> 'name' from conversions where workspace_id = $1 and touchpoint_id is null`,
    [workspace.id],
  );
  const verdict = judge(
    attempts,
    stored.map(({ name }) => name),
  );
  const effects = await wrongEffects(stand, workspace);
  verdict.lost.push(...effects.missing);
  verdict.doubled.push(...effects.doubled);
  return verdict;
}

/** Conversions that touchpoints record by the goal's `match`, merged people, and summaries of threads. */
async function wrongEffects(stand: Stand, workspace: TestWorkspace) {
  const matched = await stand.rows<{ id: string; conversions: number }>(
    `select t.id, count(c.id)::int as conversions
     from touchpoints t
     left join conversions c on c.workspace_id = t.workspace_id and c.touchpoint_id = t.id
     where t.workspace_id = $1 and t.kind = 'follow'
     group by t.id
     having count(c.id) <> 1`,
    [workspace.id],
  );
  // Checked by link fact: all identities of a fact must belong to one person.
  const split = await stand.rows<{ link: string }>(
    `select encode(l.link_id, 'hex') as link
     from identity_links l
     join identities i on i.workspace_id = l.workspace_id and i.id = l.identity_id
     where l.workspace_id = $1 and l.is_current
     group by l.link_id
     having count(distinct i.person_id) > 1 or bool_or(l.skipped)`,
    [workspace.id],
  );
  const strays = await stand.rows<{ id: string }>(
    `select t.id
     from touchpoints t
     left join identities i on i.workspace_id = t.workspace_id and i.id = t.identity_id and i.person_id = t.person_id
     where t.workspace_id = $1 and i.id is null`,
    [workspace.id],
  );
  const wrongThreads = await stand.rows<{ id: string }>(
    `select coalesce(c.id, t.id) as id
     from (select * from conversations where workspace_id = $1) c
     full join (
       select conversation as id, min(occurred_at) filter (where direction = 'inbound') as opened_at,
         max(occurred_at) as last_at, count(*) filter (where direction = 'inbound') as inbound,
         count(*) filter (where direction = 'outbound') as outbound
       from touchpoints
       where workspace_id = $1 and voided_at is null and direction is not null and conversation is not null
       group by conversation
     ) t on t.id = c.id
     where (c.inbound, c.outbound, c.opened_at, c.last_at) is distinct from (t.inbound, t.outbound, t.opened_at, t.last_at)`,
    [workspace.id],
  );
  return {
    missing: matched.filter(({ conversions }) => conversions === 0).map(({ id }) => `conversion of ${id}`),
    doubled: [
      ...matched.filter(({ conversions }) => conversions > 1).map(({ id }) => `conversion of ${id}`),
      ...split.map(({ link }) => `person of link ${link}`),
      ...strays.map(({ id }) => `person of ${id}`),
      ...wrongThreads.map(({ id }) => `counts of ${id}`),
    ],
  };
}

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
