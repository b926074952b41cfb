import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_ROOT } from './workerd.ts';

/** The folder with the present text of every database function. */
export const FUNCTIONS = join(PROJECT_ROOT, 'migrations/functions');

/** A file of `migrations/functions`: a function or an aggregate, and the triggers that call it. */
export interface DatabaseFunction {
  name: string;
  /** In the order of the file; the first includes the header. Applying them again changes nothing. */
  statements: string[];
}

/** Aggregates come last, because the functions that they consist of have to exist. */
export async function readDatabaseFunctions(): Promise<DatabaseFunction[]> {
  const files = (await readdir(FUNCTIONS)).filter((file) => file.endsWith('.sql')).toSorted();
  const functions = await Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.sql'.length),
      statements: statementsOf(await readFile(join(FUNCTIONS, file), 'utf8')),
    })),
  );
  const isAggregate = ({ statements }: DatabaseFunction) =>
    statements.some((statement) => /^create or replace aggregate /m.test(statement));
  return functions.toSorted((a, b) => Number(isAggregate(a)) - Number(isAggregate(b)));
}

/** Each statement of a file begins with `create or replace` at the start of a line. No line of a body does. */
function statementsOf(text: string): string[] {
  const [header = '', ...statements] = text.split(/^(?=create or replace )/m);
  return statements.map((statement, i) => (i === 0 ? header + statement : statement).trim());
}
