import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';

/** The static pages in a real browser, under the policy that their headers state. */

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const isThere = existsSync(CHROMIUM);
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'];

let stack: Stack;
let browser: Browser;

beforeAll(async () => {
  if (!isThere) return;
  [stack, browser] = await Promise.all([
    startStack({ port: 0 }),
    chromium.launch({ executablePath: CHROMIUM, args: FLAGS }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

/** A page of this size with a list of everything that went wrong on it, and of its requests. */
async function open(path: string, width: number, height: number) {
  const page = await browser.newPage({ viewport: { width, height } });
  const wrong: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) requested.push(request.url());
  });
  await page.goto(stack.url + path);
  return { page, wrong, requested };
}

async function useDocs(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Throughline' }).first().waitFor();
  await page.keyboard.press('Control+K');
  await page.locator('input').first().fill('attribution');
  await expect
    .poll(() => page.getByText('/v1/reports/attribution').count(), { timeout: 10_000 })
    .toBeGreaterThan(0);
  await page.keyboard.press('Escape');
  for (const button of (await page.locator('button').all()).slice(0, 20))
    await button.click({ timeout: 500 }).catch(() => {});
  for (let turn = 0; turn < 10; turn++) await page.mouse.wheel(0, 3000);
}

describe.skipIf(!isThere)('in Chromium,', () => {
  test.for([
    ['a desktop', 1280, 900],
    ['a phone', 390, 844],
  ] as const)('/docs on %s works under its policy, and loads nothing', async ([_name, width, height]) => {
    const { page, wrong, requested } = await open('/docs', width, height);
    await useDocs(page);
    expect(wrong).toEqual([]);
    expect(requested).toEqual([`${stack.url}/docs`]);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await page.close();
  });

  test('/docs runs no script that it was not built with', async () => {
    const { page, wrong } = await open('/docs', 1280, 900);
    await page.evaluate(
      `document.head.append(Object.assign(document.createElement('script'), { text: 'window.ran = true' }))`,
    );
    expect(await page.evaluate('window.ran')).toBeUndefined();
    await expect.poll(() => wrong.join()).toContain('Content Security Policy');
    await page.close();
  });

  test('/ is shown in its style', async () => {
    const { page, wrong } = await open('/', 1280, 900);
    expect(await page.evaluate('getComputedStyle(document.body).maxWidth')).toBe('544px');
    expect(wrong).toEqual([]);
    await page.close();
  });

  test('no page is shown in a frame of another', async () => {
    const server = createServer((_request, response) => {
      const frames = ['/docs', '/'].map((path) => `<iframe src="${stack.url}${path}"></iframe>`);
      response.setHeader('content-type', 'text/html').end(frames.join(''));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const texts = page
      .frames()
      .slice(1)
      .map((frame) => frame.locator('body').innerText());
    expect((await Promise.all(texts)).filter((text) => text.includes('Throughline'))).toEqual([]);
    await page.close();
    await new Promise((resolve) => server.close(resolve));
  });
});
