import { type SQL, sql } from 'drizzle-orm';
import type { Dimension, Where } from '../domain/touchpoint-fields.ts';

/**
 * The column of each dimension. No other text reaches `group by`, `order by` or a condition as a name.
 *
 * Needs: `t`, a touchpoint. Gives: a text expression per dimension.
 */
export const DIMENSION_COLUMNS: Record<Dimension, SQL> = {
  channel: sql`t.channel`,
  source: sql`t.source`,
  medium: sql`t.medium`,
  campaign: sql`t.campaign`,
  content: sql`t.content`,
  term: sql`t.term`,
  kind: sql`t.kind`,
  direction: sql`t.direction`,
  stage: sql`t.stage`,
  conversation: sql`t.conversation`,
  topic: sql`t.topic`,
};

/**
 * The column has one of the values; null stands for an empty field.
 *
 * Needs: `column`, a text expression. Gives: a condition.
 */
export function isOneOf(column: SQL, values: readonly (string | null)[]): SQL {
  const texts = values.filter((value) => value !== null);
  const among = sql`${column} = any(${sql.param(texts)}::text[])`;
  if (texts.length === values.length) return among;
  return texts.length === 0 ? sql`${column} is null` : sql`(${among} or ${column} is null)`;
}

/**
 * The filter `where`: fields AND-ed, values OR-ed.
 *
 * Needs: `t`, a touchpoint. Gives: conditions to join with `and`.
 */
export function whereConditions(where: Where): SQL[] {
  return Object.entries(where).map(([dimension, values]) =>
    isOneOf(DIMENSION_COLUMNS[dimension as Dimension], values ?? []),
  );
}
