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
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text)?.[1]?.split('; ') ?? [];
  expect(policy).toContain("default-src 'none'");
  expect(policy.filter((directive) => /https?:|\*|'self'/.test(directive))).toEqual([]);
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

test('/health and /ready are answered by the Worker', async () => {
  expect(await get('/health')).toEqual({ status: 200, type: 'application/json', text: '{"status":"ok"}' });
  expect(await get('/ready')).toEqual({
    status: 200,
    type: 'application/json',
    text: '{"status":"ready","schema":"current"}',
  });
});
