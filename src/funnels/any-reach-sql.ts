import { type SQL, sql } from 'drizzle-orm';
import type { EventFilter } from '../domain/funnel.ts';
import { covers, overlapGroups } from '../domain/overlap.ts';
import type { FunnelQuestion } from './funnel-question.ts';

/*
 * Where the steps of a funnel in any order are reached from a start on.
 *
 * Events and steps are matched. The size of the largest matching within a group of steps that share events is
 * the minimum, over all sets S of its steps, of the number of steps outside S plus the number of events that
 * match a step in S (Kőnig, Hall). It comes to j at the event where that holds for every S: the last of the
 * (j − steps outside S)-th events that match S. Each of them is an element of the list of the positions that
 * match S, found by the number of those before the start.
 */

/** Steps that share events, by their indexes, and the sets of them that decide, as bits. */
export interface Group {
  steps: readonly number[];
  sets: readonly number[];
}

/** The groups of a funnel's steps: of touchpoints, or of conversions, because no event matches both. */
export function groupsOf({ steps }: FunnelQuestion): { ofTouchpoints: Group[]; ofConversions: Group[] } {
  const filters = steps as readonly EventFilter[];
  const groups = overlapGroups(filters).map((group) => ({
    steps: group,
    sets: subsets(group).filter((set) => isClosed(filters, group, set)),
  }));
  const [ofConversions = [], ofTouchpoints = []] = [true, false].map((isOfConversions) =>
    groups.filter(({ steps: [first = 0] }) => 'conversion' in (filters[first] ?? {}) === isOfConversions),
  );
  return { ofTouchpoints, ofConversions };
}

/** All subsets except the empty one, as bits. */
function subsets(group: readonly number[]): number[] {
  const sets: number[] = [];
  for (const i of group) sets.push(...sets.map((set) => set | (1 << i)), 1 << i);
  return sets;
}

const isIn = (set: number, i: number) => (set & (1 << i)) !== 0;

/**
 * No step outside the set matches only events that a step inside matches too. Other sets never decide: with
 * that step, the events are the same and the steps outside fewer.
 */
function isClosed(filters: readonly EventFilter[], group: readonly number[], set: number): boolean {
  const filterOf = (i: number) => filters[i] as EventFilter;
  return group.every(
    (i) => isIn(set, i) || !group.some((j) => isIn(set, j) && covers(filterOf(j), filterOf(i))),
  );
}

const setsOf = (groups: readonly Group[]) => groups.flatMap(({ sets }) => sets);

/** The event matches a step of the set. Needs: the column `steps`. Gives: a condition. */
const matches = (set: number) => sql`steps & ${set}::int <> 0`;

/** The name of the column with the number of events up to this one that match a set of steps. */
const total = (set: number) => sql.identifier(`total_${set}`);

/** The name of the column with the positions of the events that match a set of steps. */
const places = (set: number) => sql.identifier(`places_${set}`);

/**
 * How many events up to each one match each set.
 *
 * Needs: the window `events`, of an entity or a lane in order. Gives: a list of columns, each after a comma.
 */
export function totals(groups: readonly Group[], events: SQL): SQL {
  const columns = setsOf(groups).map(
    (set) => sql`,
        count(*) filter (where ${matches(set)}) over ${events} as ${total(set)}`,
  );
  return sql.join(columns);
}

/** The columns of `totals`. Needs: a row with them. Gives: a list of columns, each after a comma. */
export function carried(groups: readonly Group[]): SQL {
  return sql.join(setsOf(groups).map((set) => sql`, ${total(set)}`));
}

/**
 * The positions of the events that match each set. Each list exists once, and not once per event.
 *
 * Needs: the step `running`, and `keys`, the columns of an entity or a lane. Gives: a select of `keys` and the lists.
 */
export function listed(groups: readonly Group[], keys: SQL): SQL {
  const columns = setsOf(groups).map(
    (set) => sql`,
        array_agg(pos) filter (where ${matches(set)}) as ${places(set)}`,
  );
  return sql`
      select ${keys}${sql.join(columns)}
      from (select ${keys}, pos, steps from running where steps <> 0 order by ${keys}, pos) sorted
      group by ${keys}`;
}

/**
 * The positions at which events from a start on fill one, two and all steps of each group.
 *
 * Needs: a row of `running`, which is the start, joined with a row of `listed`. Gives: one expression per step, null
 * where the events do not fill so many.
 */
export function reaches(groups: readonly Group[]): SQL[] {
  return groups.flatMap(({ steps, sets }) =>
    steps.map((_, i) => {
      const nths = sets.flatMap((set) => {
        const outside = steps.filter((step) => !isIn(set, step)).length;
        const nth = i + 1 - outside;
        return nth > 0 ? [sql`${places(set)}[${total(set)} - (${matches(set)})::int + ${nth}::int]`] : [];
      });
      const [only, ...others] = nths;
      if (only && others.length === 0) return only;
      return sql`nullif(greatest(${sql.join(
        nths.map((nth) => sql`coalesce(${nth}, ${NEVER})`),
        sql`, `,
      )}), ${NEVER})`;
    }),
  );
}

/** After every position. */
const NEVER = sql`2147483647`;
