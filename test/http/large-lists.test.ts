import { expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { sale, touch } from './items.ts';

/** Lists of large rows: a page ends before the rows exceed its bytes, and the pages together have every row once. */

needWorld();

const PAGE_BYTES = 4 * 1024 * 1024;
/** Near the 16 KiB that the properties of an item may have. */
const properties = { note: 'x'.repeat(16_000) };
/** A character that takes six bytes in JSON. */
const WIDE = '\u0001';
const serial = (i: number) => String(i).padStart(4, '0');

/** The pages of a list, by following `next_cursor`. */
async function pagesOf(workspace: TestWorkspace, path: string): Promise<{ rows: Json[]; bytes: number }[]> {
  const pages = [];
  let cursor: string | null = null;
  do {
    const { body, text } = await workspace.get(`${path}?limit=1000${cursor ? `&cursor=${cursor}` : ''}`);
    expect(body.has_more).toBe(body.next_cursor !== null);
    pages.push({ rows: body.data, bytes: text.length });
    cursor = body.next_cursor;
  } while (cursor !== null);
  return pages;
}

/** Loads so many items in batches that fit into a body. */
async function load(
  workspace: TestWorkspace,
  resource: 'touchpoints' | 'conversions',
  count: number,
  itemOf: (i: number) => object,
) {
  for (let start = 0; start < count; start += 250)
    await workspace.load(
      resource,
      Array.from({ length: Math.min(250, count - start) }, (_, i) => itemOf(start + i)),
    );
}

test('touchpoints and conversions of 16 KB: 600 of them make three pages, which have each of them once', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await load(workspace, 'touchpoints', 600, (i) => touch(`t${serial(i)}`, { properties }));
  await load(workspace, 'conversions', 600, (i) => sale(`c${serial(i)}`, { properties }));
  for (const [path, prefix] of [
    ['/v1/touchpoints', 't'],
    ['/v1/conversions', 'c'],
  ] as const) {
    const pages = await pagesOf(workspace, path);
    expect(pages.flatMap(({ rows }) => rows.map((row) => row.id))).toEqual(
      Array.from({ length: 600 }, (_, i) => `${prefix}${serial(599 - i)}`),
    );
    expect(pages.length).toBe(3);
    for (const { bytes } of pages) expect(bytes).toBeLessThan(PAGE_BYTES);
    // A page ends because the next row does not fit, and not earlier.
    expect(pages[0]?.bytes).toBeGreaterThan(0.9 * PAGE_BYTES);
  }
});

test('rows that fit are not cut: 1,000 small ones are one page', async () => {
  const workspace = await TestWorkspace.make();
  await workspace.load(
    'touchpoints',
    Array.from({ length: 1000 }, (_, i) => touch(`t${i}`)),
  );
  expect((await pagesOf(workspace, '/v1/touchpoints')).map(({ rows }) => rows.length)).toEqual([1000]);
});

test('a history, its threads and its account are cut in the same way', { timeout: 60_000 }, async () => {
  const workspace = await TestWorkspace.make();
  const wide = (i: number) => `${serial(i)}${WIDE.repeat(251)}`;
  await load(workspace, 'touchpoints', 900, (i) =>
    touch(wide(i), {
      direction: 'inbound',
      account: { id: 'acme' },
      conversation: { id: wide(i), topic: WIDE.repeat(500) },
    }),
  );
  const { person_id } = (await workspace.get('/v1/touchpoints?limit=1')).body.data[0];
  for (const path of [
    `/v1/people/${person_id}/timeline`,
    '/v1/accounts/acme/timeline',
    '/v1/conversations',
  ]) {
    const pages = await pagesOf(workspace, path);
    const ids = pages.flatMap(({ rows }) => rows.map((row) => row.id));
    expect([path, ids.length, new Set(ids).size]).toEqual([path, 900, 900]);
    expect(pages.length).toBe(2);
    for (const { bytes } of pages) expect(bytes).toBeLessThan(1.1 * PAGE_BYTES);
  }
});

test('rejections of almost 64 KiB are cut in the same way', { timeout: 60_000 }, async () => {
  const workspace = await TestWorkspace.make();
  const kind = 'x'.repeat(65_000);
  for (let start = 0; start < 150; start += 50) {
    const items = Array.from({ length: 50 }, (_, i) => touch(`r${start + i}`, { kind }));
    expect((await workspace.touchpoints(...items)).body.rejected).toBe(50);
  }
  const pages = await pagesOf(workspace, '/v1/rejections');
  const items = pages.flatMap(({ rows }) => rows);
  expect(new Set(items.map((row) => row.item_id)).size).toBe(150);
  expect(items.every((row) => row.item.kind === kind)).toBe(true);
  expect(pages.length).toBeGreaterThan(2);
  for (const { bytes } of pages) expect(bytes).toBeLessThan(PAGE_BYTES);
});
