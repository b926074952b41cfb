import { type SQL, sql } from 'drizzle-orm';
import { cutToPage, PAGE_BYTES } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import { digestOut } from '../ingest/rejection-insert-sql.ts';
import { shownValue } from './shown-value-sql.ts';

/**
 * All data of a person, table by table, as it is stored. A merged id stands for the survivor.
 *
 * Each list is read in pages by its key: columns that identify a row, never change, and come in the order of an index
 * that begins with the person. So a row that exists throughout the export is in it once, whatever else is written, and
 * no page reads the rows of the pages before it. A test walks every table that refers to people, so that a new one is
 * not forgotten here.
 */
interface ExportList {
  /** Columns of `held` with their types. */
  key: readonly (readonly [column: string, type: SQL])[];
  /**
   * Needs: `person.id` and the step `own_identities (id, hash, text_hash)`; `page`, which selects, sorts and cuts rows `held`.
   * Gives: rows `held` in the order of the key.
   */
  rows(workspaceId: string, page: PageOfKey): SQL;
  /** Needs: a row `held`. Gives: its JSON, without `workspace_id`, which is the same in all of them. */
  json: SQL;
}

/** The clauses of a page in the order of a key, for rows `held`. */
interface PageOfKey {
  isAfter: SQL;
  orderAndLimit: SQL;
}

const TEXT = sql`text collate "C"`;
const TIME = sql`timestamptz`;
const UUID = sql`uuid`;
const BIGINT = sql`bigint`;
const INT = sql`int`;
const BYTES = sql`bytea`;

const wholeRow = sql`to_jsonb(held) - 'workspace_id'`;

/** Rows of a table, by a condition on `held`. */
const rowsWhere =
  (table: string, condition: SQL) =>
  (workspaceId: string, { isAfter, orderAndLimit }: PageOfKey) =>
    sql`
        select held.*
        from ${sql.identifier(table)} held
        where held.workspace_id = ${tenant(workspaceId)} and ${condition} and ${isAfter}
        ${orderAndLimit}`;

/** Rows of a table that name an identity of the person in `column`, cut for each identity before they are sorted. */
const rowsOfIdentities = (table: string, column: string) => (workspaceId: string, page: PageOfKey) =>
  sql`
        select held.*
        from own_identities own
        cross join lateral (${rowsWhere(table, sql`held.${sql.identifier(column)} = own.id`)(workspaceId, page)}
        ) held
        ${page.orderAndLimit}`;

const ownRows = (table: string) => rowsWhere(table, sql`held.person_id = person.id`);

/** The adjustments of the person's conversions, in the order of the index of conversions. */
const rowsOfConversions = (workspaceId: string, { isAfter, orderAndLimit }: PageOfKey) => sql`
        select held.*
        from (
          select a.*, c.goal as conversion_goal, c.occurred_at as conversion_at
          from conversions c
          cross join lateral (
            select a.* from adjustments a where a.workspace_id = ${tenant(workspaceId)} and a.conversion_id = c.id offset 0
          ) a
          where c.workspace_id = ${tenant(workspaceId)} and c.person_id = person.id
        ) held
        where ${isAfter}
        ${orderAndLimit}`;

export const EXPORT_LISTS = {
  people: {
    key: [['id', UUID]],
    rows: rowsWhere('people', sql`person.id in (held.id, held.merged_into)`),
    json: wholeRow,
  },
  identities: {
    key: [['id', BIGINT]],
    rows: ownRows('identities'),
    json: sql`${wholeRow} || jsonb_build_object('value', ${shownValue(sql`held`)})`,
  },
  identity_links: {
    key: [
      ['identity_id', BIGINT],
      ['occurred_at', TIME],
      ['link_id', BYTES],
      ['assertion', INT],
    ],
    rows: rowsOfIdentities('identity_links', 'identity_id'),
    json: wholeRow,
  },
  link_cursors: {
    key: [['identity_id', BIGINT]],
    rows: rowsOfIdentities('link_cursors', 'identity_id'),
    json: wholeRow,
  },
  person_updates: {
    key: [
      ['occurred_at', TIME],
      ['id', TEXT],
    ],
    rows: ownRows('person_updates'),
    json: wholeRow,
  },
  account_facts: {
    key: [
      ['occurred_at', TIME],
      ['source', sql`text`],
      ['source_id', TEXT],
      ['assertion', INT],
    ],
    rows: ownRows('account_facts'),
    json: wholeRow,
  },
  touchpoints: {
    key: [
      ['occurred_at', TIME],
      ['id', TEXT],
    ],
    rows: ownRows('touchpoints'),
    json: wholeRow,
  },
  conversions: {
    key: [
      ['goal', TEXT],
      ['occurred_at', TIME],
      ['id', TEXT],
    ],
    rows: ownRows('conversions'),
    json: wholeRow,
  },
  adjustments: {
    key: [
      ['conversion_goal', TEXT],
      ['conversion_at', TIME],
      ['conversion_id', TEXT],
      ['id', TEXT],
    ],
    rows: rowsOfConversions,
    json: sql`to_jsonb(held) - array['workspace_id', 'conversion_goal', 'conversion_at']`,
  },
  rejections: {
    key: [['id', TEXT]],
    rows: rowsWhere(
      'rejections',
      sql`(
            held.identity_hashes && (select array_agg(hash) from own_identities)
            or held.text_hashes && (select array_agg(text_hash) filter (where text_hash is not null) from own_identities)
          )`,
    ),
    json: sql`jsonb_build_object(
          'id', held.id, 'resource', held.resource, 'item_id', held.item_id, 'errors', held.errors,
          'received_at', held.received_at, 'item_digest', ${digestOut(sql`held.item_digest`)}, 'item_bytes', held.item_bytes,
          'item_encrypted', encode(held.item_encrypted, 'hex')
        )`,
  },
  referred_touchpoints: {
    key: [
      ['referred_by_identity_id', BIGINT],
      ['id', TEXT],
    ],
    rows: rowsOfIdentities('touchpoints', 'referred_by_identity_id'),
    json: sql`jsonb_build_object('id', held.id, 'occurred_at', held.occurred_at)`,
  },
  replaced_items: {
    key: [
      ['identity_id', BIGINT],
      ['resource', sql`text`],
      ['id', TEXT],
    ],
    rows: rowsOfIdentities('replaced_items', 'identity_id'),
    json: wholeRow,
  },
} as const satisfies Record<string, ExportList>;

export type ExportListName = keyof typeof EXPORT_LISTS;
export const EXPORT_LIST_NAMES = Object.keys(EXPORT_LISTS) as ExportListName[];

/** A page of a list. */
export interface ExportPage {
  /** JSON of the rows, without brackets; null without rows. */
  rows: string | null;
  count: number;
  /** The key of the last row, as JSON; null on the last page. */
  next: string | null;
}

/** The bounds of a page of the export: its rows and the bytes of their JSON. */
interface ExportBounds {
  max_rows: number;
  bytes: number;
}

/** Needs: `person` and `own_identities`. Gives: `rows, count, next` of `ExportPage`, in one row. */
function pageOfList(
  workspaceId: string,
  name: ExportListName,
  after: string | null,
  { max_rows, bytes }: ExportBounds,
): SQL {
  const { key, rows, json }: ExportList = EXPORT_LISTS[name];
  const columns = (row: SQL) => key.map(([column]) => sql`${row}.${sql.identifier(column)}`);
  const bounds = key.map(([, type], i) => sql`(${after}::jsonb ->> ${i}::int)::${type}`);
  const ordered = (row: SQL) => sql.join(columns(row), sql`, `);
  const page = {
    isAfter: after === null ? sql`true` : sql`(${ordered(sql`held`)}) > (${sql.join(bounds, sql`, `)})`,
    orderAndLimit: sql`order by ${ordered(sql`held`)} limit ${max_rows + 1}`,
  };
  const texts = sql`
      select (${json})::text as json, ${ordered(sql`held`)}
      from (${rows(workspaceId, page)}
      ) held`;
  const backwards = sql.join(
    columns(sql`held`).map((column) => sql`${column} desc`),
    sql`, `,
  );
  return sql`
    select string_agg(held.json, ',' order by ${ordered(sql`held`)}) as rows, count(*)::int as count,
      (array_agg(case when held.has_next then jsonb_build_array(${ordered(sql`held`)}) end order by ${backwards}))[1]::text as next
    from (${cutToPage(texts, ordered(sql`held`), max_rows, { bytes, size: sql`octet_length(held.json)` })}
    ) held`;
}

/** Needs: nothing. Gives: the steps `person (id)`, of one row or none, and `own_identities (id, hash, text_hash)`. */
function personSteps(workspaceId: string, personId: string): SQL {
  return sql`
    person as materialized (
      select coalesce(p.merged_into, p.id) as id
      from people p
      where p.workspace_id = ${tenant(workspaceId)} and p.id = ${personId}
    ), own_identities as materialized (
      select i.id, i.namespace || ':' || encode(i.value_hash, 'hex') as hash, i.text_hash
      from identities i, person
      where i.workspace_id = ${tenant(workspaceId)} and i.person_id = person.id
    )`;
}

/** Rows of a list in the first call. Most people have fewer, so that one call reads all of them. */
const FIRST_ROWS = 200;

/** The first page of every list, in one snapshot: a row for each list, or none if there is no such person. */
export function selectFirstPages(workspaceId: string, personId: string): SQL {
  const bounds = { max_rows: FIRST_ROWS, bytes: Math.floor(PAGE_BYTES / EXPORT_LIST_NAMES.length) };
  const lists = EXPORT_LIST_NAMES.map(
    (name) => sql`
    select person.id as person_id, ${name}::text as list, page.*
    from person
    cross join lateral (${pageOfList(workspaceId, name, null, bounds)}
    ) page`,
  );
  return sql`
    with ${personSteps(workspaceId, personId)}
    ${sql.join(lists, sql` union all `)}`;
}

/** A row of `selectFirstPages`. */
export type FirstPage = ExportPage & { person_id: string; list: ExportListName };

/**
 * The page of a list after a key; no row if the person was erased in the meantime.
 * @param max_rows bounds the work of the statement, which measures rows that it then cuts off
 */
export function selectNextPage(
  workspaceId: string,
  personId: string,
  name: ExportListName,
  after: string,
  max_rows: number,
): SQL {
  return sql`
    with ${personSteps(workspaceId, personId)}
    select page.*
    from person
    cross join lateral (${pageOfList(workspaceId, name, after, { max_rows, bytes: PAGE_BYTES })}
    ) page`;
}
