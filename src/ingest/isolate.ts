import { DatabaseRefusal } from '../db/client.ts';
import type { FieldError } from '../domain/json.ts';

/**
 * The limit of calls to the database for finding bad items. One item among 1,000 takes 10 to 20 calls, and a request
 * may make 50 on the smallest plan of the platform.
 */
export const MAX_ISOLATION_CALLS = 40;

export interface Isolated<R, A> {
  /** Answers for the parts that were stored. */
  answers: A[];
  /** Single rows that the database rejects. */
  refused: { row: R; sqlstate: string }[];
  /** Rows of rejected parts that could not be bisected within the limit of calls. */
  undecided: R[];
}

/**
 * Stores as many as possible of the rows that the database rejected together, by bisecting rejected parts until single
 * rows are left. The largest parts go first, so that most rows are stored if the calls do not suffice.
 * @param write stores some rows, all of them or none, or throws the error of the database
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
      // If the left half was stored, the fault is in the right half, which is tried only if it is a single row.
      const ofRight = ofLeft === null && right.length > 1 ? part.sqlstate : await refusalOf(right);
      if (ofRight !== null) refusedParts.push({ rows: right, sqlstate: ofRight });
    }
  }
  return found;
}

export function isRefusalOfData(error: unknown): error is DatabaseRefusal {
  return error instanceof DatabaseRefusal && error.isOfData;
}

/** The fault to look for, by SQLSTATE. */
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
  const what = WHAT_IS_WRONG[sqlstate] ?? 'a value is invalid';
  const detail = `The database rejects this item: ${what} (SQLSTATE ${sqlstate}). Change it and send it again.`;
  return { pointer, detail };
}

export function notIsolated(pointer: string): FieldError {
  const detail =
    'Not stored: the database rejects items of this batch, too many to tell apart in one request. Send this one again in a smaller batch, or replay its rejection.';
  return { pointer, detail };
}
