import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';
import { PROJECT_ROOT } from '../../local/workerd.ts';

const START_TIMEOUT_MS = 90_000;

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ port: 0 });
}, START_TIMEOUT_MS);

afterAll(() => stack?.stop());

const document = await readFile(join(PROJECT_ROOT, 'openapi.json'), 'utf8');

const headersOf = async (path: string) => (await fetch(stack.url + path, { redirect: 'manual' })).headers;

async function get(path: string): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(stack.url + path, { redirect: 'manual' });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    text: await response.text(),
  };
}

test('/openapi.json is the committed document', async () => {
  const { status, type, text } = await get('/openapi.json');
  expect({ status, type }).toEqual({ status: 200, type: 'application/json' });
  expect(JSON.parse(text)).toEqual(JSON.parse(document));
});

test('/docs is one page that the browser lets load nothing', async () => {
  const { status, type, text } = await get('/docs');
  expect({ status, type }).toEqual({ status: 200, type: 'text/html; charset=utf-8' });
  const headers = await headersOf('/docs');
  expect(headers.get('x-frame-options')).toBe('DENY');
  const policy = headers.get('content-security-policy')?.split('; ') ?? [];
  for (const part of [
    "default-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ])
    expect(policy).toContain(part);
  // Only what the page was built with runs: by hash, from nowhere else.
  expect(policy.filter((directive) => /https?:|\*|'self'|unsafe-(inline|eval)/.test(directive))).toEqual([]);
  expect(policy.filter((directive) => /^script-src( 'sha256-[^']+')+$/.test(directive))).toHaveLength(1);
  // The policy would block these requests; the page must not even try.
  expect(text.match(/<(script|img|iframe)[^>]*\ssrc="[^"]*"/g)).toBeNull();
  expect(text.match(/<link[^>]*\shref="(?!data:)[^"]*"/g)).toBeNull();
  expect(text).not.toMatch(/src:[^,]{0,20}`https:|@import url/);
});

test('/llms.txt names every operation', async () => {
  const { status, type, text } = await get('/llms.txt');
  expect({ status, type }).toEqual({ status: 200, type: 'text/plain; charset=utf-8' });
  const { paths } = JSON.parse(document) as { paths: Record<string, object> };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `\`${method.toUpperCase()} ${path}\``),
  );
  expect(operations.filter((operation) => !text.includes(operation))).toEqual([]);
});

test('/ links to them', async () => {
  const { status, text } = await get('/');
  expect(status).toBe(200);
  for (const path of ['/docs', '/openapi.json', '/llms.txt']) expect(text).toContain(`href="${path}"`);
});

test('every asset has its type and no referrer, and none but a page runs anything', async () => {
  for (const path of ['/', '/docs', '/openapi.json', '/llms.txt']) {
    const headers = await headersOf(path);
    expect([path, headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual([
      path,
      'nosniff',
      'no-referrer',
    ]);
    const policy = headers.get('content-security-policy') ?? '';
    expect([
      path,
      policy.startsWith("default-src 'none'"),
      policy.includes("frame-ancestors 'none'"),
    ]).toEqual([path, true, true]);
    expect([path, policy.includes('script-src')]).toEqual([path, path === '/docs']);
    const { status } = await fetch(stack.url + path, {
      headers: { 'if-none-match': headers.get('etag') ?? '' },
    });
    expect([path, status]).toEqual([path, 304]);
  }
  expect((await headersOf('/docs.html')).get('x-content-type-options')).toBe('nosniff');
});

test('no policy reaches other paths, and the file of the headers is none of the assets', async () => {
  const headers = await readFile(join(PROJECT_ROOT, 'dist/assets/_headers'), 'utf8');
  const [everywhere = ''] = headers.split(/\n(?=\/)/);
  expect(everywhere.trim().split('\n')).toEqual([
    '/*',
    '  X-Content-Type-Options: nosniff',
    '  Referrer-Policy: no-referrer',
  ]);
  // Cloudflare's limit; a longer line would be left out.
  expect(headers.split('\n').filter((line) => line.length > 2000)).toEqual([]);
  for (const path of ['/_headers', '/dashboard', '/v1/nowhere']) {
    const response = await fetch(stack.url + path);
    expect([path, response.status]).toEqual([path, 404]);
    expect([path, response.headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
    expect([path, response.headers.get('x-frame-options')]).toEqual([path, null]);
  }
});

test('/health and /ready are answered by the Worker', async () => {
  expect(await get('/health')).toEqual({ status: 200, type: 'application/json', text: '{"status":"ok"}' });
  expect(await get('/ready')).toEqual({
    status: 200,
    type: 'application/json',
    text: '{"status":"ready","schema":"current"}',
  });
});
