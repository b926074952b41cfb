import type { SQL } from 'drizzle-orm';
import type { Database, Row, RowsOf, Statements } from '../db/client.ts';

/** Whether a statement has been run by this isolate. */
export interface Noted {
  isDone(): boolean;
  done(): void;
}

/**
 * A database whose first `query`, `atomic` or `report` runs a statement before its own ones, in the same round trip and
 * transaction.
 */
export function runningFirst(database: Database, first: SQL, { isDone, done }: Noted): Database {
  const withFirst = async <T extends object[]>(
    ask: Database['atomic'],
    statements: Statements<T>,
  ): Promise<RowsOf<T>> => {
    if (isDone()) return ask<T>(statements);
    const [, ...rows] = await ask<[Row, ...T]>([first, ...statements]);
    done();
    return rows;
  };
  return {
    ...database,
    query: async <R extends object>(statement: SQL) =>
      (await withFirst<[R]>(database.atomic, [statement]))[0],
    atomic: (statements) => withFirst(database.atomic, statements),
    report: (statements) => withFirst(database.report, statements),
  };
}
