import { PAGE_BYTES } from '../db/page-sql.ts';
import { parseExactJson } from '../domain/exact-json.ts';
import type { WorkspaceSecrets } from '../http/secrets.ts';
import { EXPORT_LIST_NAMES, type ExportListName, type ExportPage, type FirstPage } from './export-sql.ts';

/** Rows that one call looks at, at most; each is sent, or measured and cut off. */
const MAX_ROWS = 5000;

/** Reads the page of a list after a key; no page if the person was erased in the meantime. */
export type ReadPage = (
  list: ExportListName,
  after: string,
  max_rows: number,
) => Promise<ExportPage | undefined>;

/**
 * The JSON text of the export, list by list. The database renders the rows, so they pass through the isolate as text;
 * only rejections are parsed, because their items are encrypted.
 * @param first the first page of every list
 */
export async function* exportDocument(
  head: { person_id: string; exported_at: string },
  first: readonly FirstPage[],
  read: ReadPage,
  secrets: WorkspaceSecrets,
): AsyncGenerator<string, void> {
  // A page is dropped when it is sent.
  const pages = new Map<string, ExportPage>(first.map((page) => [page.list, page]));
  yield JSON.stringify(head).slice(0, -1);
  for (const list of EXPORT_LIST_NAMES) {
    let page = pages.get(list);
    pages.delete(list);
    let separator = `,"${list}":[`;
    while (page?.rows) {
      const { rows, count, next }: ExportPage = page;
      page = undefined;
      for await (const text of list === 'rejections' ? opened(rows, secrets) : [rows]) {
        yield separator + text;
        separator = ',';
      }
      if (next !== null) page = await read(list, next, rowsToRead(rows.length / count));
    }
    yield separator === ',' ? ']' : `${separator}]`;
  }
  yield '}';
}

/** As many rows as fit a page if they are as long as those of the page before. */
function rowsToRead(meanLength: number): number {
  return Math.max(1, Math.min(MAX_ROWS, Math.ceil(PAGE_BYTES / meanLength)));
}

/** Rejections with their items as they were sent, one at a time. */
async function* opened(rows: string, secrets: WorkspaceSecrets): AsyncGenerator<string, void> {
  const held = parseExactJson(`[${rows}]`) as { item_encrypted: string; [column: string]: unknown }[];
  for (const { item_encrypted, ...rest } of held) {
    const text = await secrets.open(item_encrypted);
    const item = text === null ? null : parseExactJson(text);
    yield JSON.stringify({ ...rest, item, item_unreadable: text === null });
  }
}
