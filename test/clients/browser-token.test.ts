import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { startNeonServer } from '../../local/neon-server.ts';
import { openPglite } from '../../local/sql-backend.ts';
import { buildWorker, startWorkerd } from '../../local/workerd.ts';

/** Keys and tokens in a real browser: pages of two origins, and the API at a third. */

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
if (!isThere)
  console.warn(`\n*** NO CHROMIUM at ${CHROMIUM}; set CHROMIUM_PATH. Its tests are skipped. ***\n`);

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];
const ROOT_KEY = 'root-key-of-the-browsers-0123456789abcdef';

type Undo = () => Promise<unknown>;
const undo: Undo[] = [];
let api = '';
let key = '';
let browser: Browser;
/** Origins of the pages: one that keys and tokens name, and one that they do not name. */
let ours = '';
let theirs = '';

/** Serves the pages of the folder `pages` under an origin of their own. */
async function servePages(): Promise<string> {
  const server = createServer(async (request, response) => {
    const name = request.url === '/visit' ? 'visit.html' : 'funnel.html';
    const page = await readFile(join(import.meta.dirname, 'pages', name));
    response.setHeader('content-type', 'text/html').end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  undo.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

async function startApi(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'throughline-browser-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  const backend = await openPglite();
  undo.push(() => backend.close());
  await applyMigrations(backend);
  const neon = await startNeonServer({ backend });
  undo.push(() => neon.close());
  const IDENTITY_SECRET = 'identity-secret-0123456789-0123456789';
  const env = { DATABASE_URL: neon.connectionString, ROOT_KEY, IDENTITY_SECRET };
  const worker = await startWorkerd({ bundle: await buildWorker(folder), env });
  undo.push(worker.stop);
  return worker.url;
}

async function ask(method: string, path: string, token: string, body?: unknown) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(api + path, { method, headers, body: body ? JSON.stringify(body) : null });
  const answer = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer as Record<string, never> & { token: string; key: { token: string }; data: { id: string }[] };
}

beforeAll(async () => {
  if (!isThere) return;
  api = await startApi();
  [ours, theirs] = [await servePages(), await servePages()];
  // Playwright adds its own headless flag.
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  undo.push(() => browser.close());
  key = (await ask('POST', '/v1/workspaces', ROOT_KEY, { name: 'Browsers' })).key.token;
  const at = (user: string, day: number, kind: string, channel = 'x') => ({
    id: `${user}-${day}`,
    person: { user_id: user },
    occurred_at: `2025-06-0${day}T12:00:00Z`,
    kind,
    channel,
  });
  const touchpoints = [
    at('ann', 1, 'mention'),
    at('ann', 2, 'reply'),
    at('bob', 1, 'mention'),
    at('cid', 1, 'mention', 'email'),
  ];
  await ask('POST', '/v1/touchpoints', key, { touchpoints });
});

afterAll(async () => {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
});

/** Opens a page with parameters in its fragment and waits until it has finished. */
async function open(origin: string, path: string, given: Record<string, string>) {
  const page = await browser.newPage();
  const fragment = new URLSearchParams({ api, ...given });
  await page.goto(`${origin}${path}#${fragment}`);
  const state = page.locator('#state');
  await expect.poll(() => state.textContent(), { timeout: 15_000 }).not.toBe('loading');
  const bars = await page.locator('.bar').allTextContents();
  const widths = await page
    .locator('.bar')
    .evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().width));
  const shown = { state: (await state.textContent()) ?? '', bars, widths };
  await page.close();
  return shown;
}

describe.skipIf(!isThere)('in Chromium,', () => {
  async function readToken(changes: Record<string, unknown> = {}): Promise<string> {
    const body = { expires_in: 60, allowed_origins: [ours], reports: ['funnel'], ...changes };
    return (await ask('POST', '/v1/tokens', key, body)).token;
  }

  test('a page of an origin that the read token names draws the funnel, and reads the headers', async () => {
    const shown = await open(ours, '/', { token: await readToken() });
    expect(shown.bars).toEqual(['3', '1']);
    expect(shown.widths[0]).toBeCloseTo(100);
    expect(shown.widths[1]).toBeCloseTo(100 / 3, 1);
    expect(shown.state).toMatch(/^drawn, request [0-9a-f-]{36}, policy "default";q=1000;w=10$/);
  });

  test('it draws what the token is narrowed to', async () => {
    const shown = await open(ours, '/', { token: await readToken({ where: { channel: ['x'] } }) });
    expect(shown.bars).toEqual(['2', '1']);
  });

  test('a page of another origin is refused by the browser, and shows nothing', async () => {
    const shown = await open(theirs, '/', { token: await readToken() });
    // The response is a 403 that the page may not even read.
    expect(shown).toEqual({ state: 'refused: Failed to fetch', bars: [], widths: [] });
  });

  test('a token for other reports draws nothing, and its page can read why', async () => {
    const shown = await open(ours, '/', { token: await readToken({ reports: ['roi'] }) });
    expect(shown).toEqual({ state: 'refused: forbidden', bars: [], widths: [] });
  });

  test('a secret key in a page draws nothing', async () => {
    const shown = await open(ours, '/', { token: key });
    expect(shown).toEqual({ state: 'refused: Failed to fetch', bars: [], widths: [] });
  });

  test("a page of the API's own origin, which sends no Origin, reads with a token that names it and with no other", async () => {
    const page = await browser.newPage();
    await page.goto(`${api}/health`);
    const read = (token: string) =>
      page.evaluate(
        `fetch('/v1/reports/lifecycle', { headers: { authorization: 'Bearer ${token}' } }).then(({ status }) => status)`,
      );
    const made = (allowed_origins: string[]) => readToken({ allowed_origins, reports: ['lifecycle'] });
    expect(await read(await made([api]))).toBe(200);
    for (const token of [await made([ours]), await made([]), key]) expect(await read(token)).toBe(403);
    await page.close();
  });

  test('a publishable key posts from its origin, and from another stores nothing', async () => {
    const settings = { name: 'Shop', kind: 'publishable', allowed_origins: [ours] };
    const { token } = await ask('POST', '/v1/keys', key, settings);
    expect((await open(ours, '/visit', { token, id: 'visit-ours' })).state).toBe('accepted');
    expect((await open(theirs, '/visit', { token, id: 'visit-theirs' })).state).toBe(
      'refused: Failed to fetch',
    );
    const { data } = await ask('GET', '/v1/touchpoints?where[kind]=visit', key);
    expect(data.map(({ id }) => id)).toEqual(['visit-ours']);
  });
});
