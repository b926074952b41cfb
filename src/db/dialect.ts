import { type SQL, sql } from 'drizzle-orm';
import { CasingCache } from 'drizzle-orm/casing';

/**
 * The parts of `PgDialect` of drizzle-orm that render a statement. The class itself would
 * bundle every column type.
 */
const POSTGRES = {
  casing: new CasingCache(),
  escapeName: (name: string) => `"${name.replaceAll('"', '""')}"`,
  escapeParam: (index: number) => `$${index + 1}`,
  escapeString: (text: string) => `'${text.replaceAll("'", "''")}'`,
};

/** The text and the parameters of a statement. */
export function compile(statement: SQL) {
  return statement.toQuery(POSTGRES);
}

/**
 * A statement inside of another one, which is planned only if the other one gets to it. Planning the steps of journeys
 * takes longer than reading kept sums.
 *
 * Needs: `state`, a jsonb expression, which `statement` knows as `nestedState`. Gives: a json expression, the one value
 * that the statement returns; see `migrations/functions/query_json.sql`.
 */
export function nestedStatement(statement: SQL, state: SQL): SQL {
  const values: unknown[] = [];
  const { sql: text } = statement.toQuery({
    ...POSTGRES,
    escapeParam: (_index: number, value: unknown) => {
      values.push(value);
      const literal = `%${values.length}$L`;
      if (typeof value !== 'number') return literal;
      return Number.isInteger(value) ? `${literal}::int` : `${literal}::float8`;
    },
  });
  const format = text.replaceAll(/%(?!\d+\$L)/g, '%%');
  return sql`query_json(${format}::text, ${sql.param(values.map(textOf))}::text[], ${state})`;
}

/** The state of a nested statement. */
export const nestedState = sql`$1`;

/** A value as Postgres reads it in a text array. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `{${value.map(elementOf).join(',')}}`;
  return String(value);
}

function elementOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return `"${String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
