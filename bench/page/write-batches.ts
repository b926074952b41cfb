import type pg from 'pg';
import { randomOf } from '../data.ts';
import type { LoadedWorkspace } from '../workspace/load-workspace.ts';
import { userOf } from '../workspace/people-rows.ts';

type Item = Record<string, unknown>;

/** What a batch is about: people by number, each with the time that its touchpoint is dated by. */
export interface Occasion {
  person: number;
  at: Date;
}

/** The people of a batch: some have more than one touchpoint in it. */
const PEOPLE_A_BATCH = 0.7;

const LATE_DAYS = 20;
const DAY_MS = 86_400_000;

/** People without conversions, now. */
export async function newTouches(
  client: pg.Client,
  { workspace_id }: LoadedWorkspace,
  people: number,
  now: Date,
): Promise<Occasion[]> {
  const { rows } = await client.query<{ person: number }>(
    `select (i.id - 1)::int as person
     from identities i
     where i.workspace_id = $1 and i.id % greatest(1, (select count(*) from people where workspace_id = $1) / $2::int / 4) = 0
       and not exists (select from conversions c where c.workspace_id = $1 and c.person_id = i.person_id)
     order by md5(i.id::text)
     limit $2::int`,
    [workspace_id, people],
  );
  return rows.map(({ person }) => ({ person, at: now }));
}

/** Buyers, up to 20 days before one of their purchases, which may be a year ago. */
export async function lateTouches(
  client: pg.Client,
  { workspace_id }: LoadedWorkspace,
  people: number,
  random: () => number,
): Promise<Occasion[]> {
  const { rows } = await client.query<{ person: number; occurred_at: Date }>(
    `select (identity_id - 1)::int as person, occurred_at
     from conversions
     where workspace_id = $1 and goal = 'purchase'
     order by md5(id)
     limit $2::int`,
    [workspace_id, people],
  );
  return rows.map(({ person, occurred_at }) => ({
    person,
    at: new Date(occurred_at.getTime() - random() * LATE_DAYS * DAY_MS),
  }));
}

/** @returns so many batches of touchpoints about these occasions, each of which is in one batch */
export function batchesOf(
  occasions: readonly Occasion[],
  { batches, items, name }: { batches: number; items: number; name: string },
): Item[][] {
  const random = randomOf(batches * items);
  const people = peopleIn(items);
  return Array.from({ length: batches }, (_, batch) =>
    Array.from({ length: items }, (_, i) => {
      const occasion = occasions[batch * people + (i % people)];
      if (!occasion) throw new Error('too few people');
      return touchpoint(`${name}-${batch}-${i}`, occasion, random);
    }),
  );
}

/** The people of one batch. */
export function peopleIn(items: number): number {
  return Math.ceil(items * PEOPLE_A_BATCH);
}

const KINDS = ['visit', 'click', 'email_open', 'reply', 'mention'];
const CHANNELS = ['x', 'linkedin', 'reddit', 'email', 'organic_search', 'direct'];

function touchpoint(id: string, { person, at }: Occasion, random: () => number): Item {
  const pick = (values: readonly string[]) => values[Math.floor(random() * values.length)];
  const isMessage = random() < 0.25;
  return {
    id,
    occurred_at: new Date(at.getTime() - Math.floor(random() * 3_600_000)).toISOString(),
    kind: isMessage ? 'message' : pick(KINDS),
    direction: random() < 0.3 ? 'outbound' : 'inbound',
    channel: pick(CHANNELS),
    campaign: `campaign-${1 + Math.floor(random() * 20)}`,
    ...(isMessage && { conversation: { id: `thread-of-${id}`, topic: 'pricing' } }),
    person: { user_id: userOf(person) },
  };
}
