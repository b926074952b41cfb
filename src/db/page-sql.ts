import { type SQL, sql } from 'drizzle-orm';

/**
 * The bytes of JSON that one call returns at most, if rows can be cut. In the isolate, the response of the database,
 * the rows and the text of the answer are alive at once, and text with a character beyond Latin-1 takes two bytes a
 * character. The isolate has 128 MiB for all its requests (ADR 25).
 */
export const PAGE_BYTES = 4 * 1024 * 1024;

/** Needs: a row `held`. Gives: the bytes of its JSON. */
const JSON_SIZE = sql`octet_length(to_json(held)::text)`;

/** What `cutToPage` adds to each row. */
export interface OfPage {
  /** Whether another row follows, in this page or in the next one. */
  has_next: boolean;
}

/**
 * The first rows of a select: at most `limit`, and no more than make `bytes` of JSON, but at least one.
 *
 * Needs: `rows`, a select of one row more than the limit in the order `order`, whose expressions name the row `held`.
 * Gives: the rows in this order, with `page_bytes` and `has_next`, as a select.
 * @param options.size the bytes of a row `held`; without it those of its JSON
 */
export function cutToPage(
  rows: SQL,
  order: SQL,
  limit: number,
  { bytes = PAGE_BYTES, size = JSON_SIZE } = {},
): SQL {
  return sql`
    select *
    from (
      select held.*,
        case when lag(true) over page then sum(${size}) over page else 0 end as page_bytes,
        lead(true) over page is not null as has_next
      from (${rows}) held
      window page as (order by ${order} rows unbounded preceding)
    ) held
    where held.page_bytes <= ${bytes}::int
    order by ${order}
    limit ${limit}`;
}
