import { DatabaseRefusal } from '../db/client.ts';
import type { FieldError } from '../domain/json.ts';

/**
 * Calls to the database that finding bad items takes at most: one among 1,000 takes 10 to 20, and a request may make
 * 50 on the smallest plan of the platform.
 */
export const MAX_ISOLATION_CALLS = 40;

export interface Isolated<R, A> {
  /** Of the parts that went in. */
  answers: A[];
  /** Rows that the database refuses on their own. */
  refused: { row: R; sqlstate: string }[];
  /** Rows of parts that were refused, and could not be told apart in so many calls. */
  undecided: R[];
}

/**
 * Stores what can be stored of rows that were refused together, by halving what is refused until single rows are left.
 * The largest parts go first, so that most is stored if the calls do not suffice.
 * @param write stores some rows, all of them or none, or throws the refusal
 */
export async function isolate<R, A>(
  rows: readonly R[],
  sqlstate: string,
  write: (rows: readonly R[]) => Promise<A>,
): Promise<Isolated<R, A>> {
  const found: Isolated<R, A> = { answers: [], refused: [], undecided: [] };
  const refusedParts = [{ rows, sqlstate }];
  let calls = 0;
  const refusalOf = async (part: readonly R[]): Promise<string | null> => {
    calls += 1;
    try {
      found.answers.push(await write(part));
      return null;
    } catch (error) {
      if (isRefusalOfData(error)) return error.sqlstate;
      throw error;
    }
  };
  for (let part = refusedParts.shift(); part; part = refusedParts.shift()) {
    const [only] = part.rows;
    if (only !== undefined && part.rows.length === 1) {
      found.refused.push({ row: only, sqlstate: part.sqlstate });
    } else if (calls + 2 > MAX_ISOLATION_CALLS) {
      found.undecided.push(...part.rows);
    } else {
      const middle = part.rows.length >> 1;
      const [left, right] = [part.rows.slice(0, middle), part.rows.slice(middle)];
      const ofLeft = await refusalOf(left);
      if (ofLeft !== null) refusedParts.push({ rows: left, sqlstate: ofLeft });
      // Where the left went in, what was refused is on the right, which is asked only before a single item is blamed.
      const ofRight = ofLeft === null && right.length > 1 ? part.sqlstate : await refusalOf(right);
      if (ofRight !== null) refusedParts.push({ rows: right, sqlstate: ofRight });
    }
  }
  return found;
}

export function isRefusalOfData(error: unknown): error is DatabaseRefusal {
  return error instanceof DatabaseRefusal && error.isOfData;
}

/** What to look for, by SQLSTATE. */
const WHAT_IS_WRONG: Readonly<Record<string, string>> = {
  '22003': 'a number is too large, or too close to zero',
  '22007': 'a date or time cannot be read',
  '22008': 'a date or time is out of range',
  '22021': 'a text has a character that cannot be stored',
  '22P05': 'a text has a character that cannot be stored',
  '22001': 'a text is too long',
  '54000': 'a text is too long',
};

export function rejectedByDatabase(pointer: string, sqlstate: string): FieldError {
  const what = WHAT_IS_WRONG[sqlstate] ?? 'a value does not fit';
  const detail = `The database refuses this item: ${what} (SQLSTATE ${sqlstate}). Change it and send it again.`;
  return { pointer, detail };
}

export function notIsolated(pointer: string): FieldError {
  const detail =
    'Not stored: the database refuses items beside this one, too many to tell apart in one request. Send it again in a smaller batch, or replay its rejection.';
  return { pointer, detail };
}
