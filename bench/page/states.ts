import { openDatabases } from '../../src/db/client.ts';
import { settlerOf, waitForOthers } from '../../src/stats/kept/settle-credit.ts';
import { DAYS } from '../workspace/size.ts';
import type { Space } from './space.ts';

/** Returns to the state before. */
type Leave = () => Promise<void>;

/** A state of the workspace in which reports are measured. */
export interface State {
  name: string;
  /**
   * Brings the workspace into the state, once, before everything that is measured in it. Work that goes on meanwhile, such
   * as a writer, is ended by the result.
   */
  make(space: Space): Promise<Leave | null>;
}

/**
 * In the order in which they are made. Every read is measured in the first state, and those with `is_by_day` in all of
 * them.
 */
export const STATES: readonly [State, ...State[]] = [
  { name: 'nothing kept', make: nothingKept },
  { name: 'all settled', make: allSettled },
  { name: '1 day open', make: (space) => open(space, 1) },
  { name: 'writes going on', make: writing },
  { name: '10 days open', make: (space) => open(space, 10) },
  { name: 'every day open', make: (space) => open(space, 366) },
];

/** The state of a workspace whose reports are asked again and again: the one that the page shows first. */
export const MAIN_STATE = 'all settled';

const SUMS = ['marks', 'days', 'months', 'totals', 'cells'];

const DAY_MS = 86_400_000;

/** Time for a full year of a question, and the longest of one step. */
const SETTLING_MS = 30 * 60 * 1000;

/** Between two batches of the writer. */
const WRITE_EVERY_MS = 200;

/** Keeps everybody else from settling. */
async function holding({ client, loaded }: Space, rest: Leave): Promise<Leave> {
  const lock = `hashtextextended('settle_credit ' || $1, 0)`;
  await client.query(`select pg_advisory_lock(${lock})`, [loaded.workspace_id]);
  return async () => {
    await client.query(`select pg_advisory_unlock(${lock})`, [loaded.workspace_id]);
    await rest();
  };
}

async function nothingKept(space: Space): Promise<Leave> {
  const { client, loaded } = space;
  const leave = await holding(space, async () => {});
  for (const table of SUMS)
    await client.query(`delete from credit_${table} where workspace_id = $1`, [loaded.workspace_id]);
  await client.query('update credit_questions set kept_at = null, cells = 0 where workspace_id = $1', [
    loaded.workspace_id,
  ]);
  return leave;
}

/** The questions that were asked once are kept, and all of their days are settled. */
async function allSettled({ world, client, loaded: { workspace_id } }: Space): Promise<null> {
  await client.query(
    'update credit_questions set asked = 2, kept_at = coalesce(kept_at, now()) where workspace_id = $1',
    [workspace_id],
  );
  await client.query(
    `insert into credit_horizons (workspace_id, written_by) values ($1, pg_current_xact_id()) on conflict do nothing`,
    [workspace_id],
  );
  const database = openDatabases(world.neonUrl, SETTLING_MS).inWorkspace(workspace_id);
  const settler = settlerOf(database, workspace_id, { question_id: null, min_age_seconds: 0 });
  while (await settler.step()) if (settler.isWaiting()) await waitForOthers();
  return null;
}

/** Marks the last days, or some that are spread over a year. */
async function open(space: Space, days: number): Promise<Leave> {
  const { client, loaded } = space;
  const every = days === 10 ? 3 : 1;
  const leave = await holding(space, async () => {
    await client.query('delete from credit_marks where workspace_id = $1 and conversion_id is null', [
      loaded.workspace_id,
    ]);
  });
  await client.query(
    `insert into credit_marks (workspace_id, goal, from_at, until_at, is_added, made_by)
     select $1, 'purchase', $2::timestamptz - n * interval '1 day', $2::timestamptz - n * interval '1 day', false,
       pg_current_xact_id()
     from generate_series(0, $3::int - 1, $4::int) n`,
    [loaded.workspace_id, lastDayOf(space), days * every, every],
  );
  return leave;
}

/**
 * The purchases of an hour are posted, with touchpoints of the same people, and further ones while reports are measured.
 * The trigger settles them once an hour.
 */
async function writing(space: Space): Promise<Leave> {
  const leave = await holding(space, async () => {});
  let people = 0;
  const write = async (count: number) => {
    const occurred_at = lastDayOf(space);
    const persons = Array.from({ length: count }, () => ({ user_id: `live-${people++}` }));
    const touchpoints = persons.flatMap((person) =>
      ['x', 'email', 'linkedin'].map((channel) => ({ kind: 'visit', channel, occurred_at, person })),
    );
    const conversions = persons.map((person) => ({
      goal: 'purchase',
      occurred_at,
      person,
      value: 10,
      currency: 'USD',
    }));
    await space.world.ask('POST', '/v1/touchpoints', space.token, { touchpoints });
    await space.world.ask('POST', '/v1/conversions', space.token, { conversions });
  };
  await write(Math.ceil(space.size.purchases / DAYS / 24));
  let isOver = false;
  const writeOn = async () => {
    while (!isOver) {
      await write(1);
      await new Promise((resolve) => setTimeout(resolve, WRITE_EVERY_MS));
    }
  };
  const written = writeOn();
  return async () => {
    isOver = true;
    await written;
    await leave();
  };
}

const lastDayOf = ({ loaded }: Space): string =>
  new Date(loaded.ends_at.getTime() - DAY_MS / 2).toISOString();
