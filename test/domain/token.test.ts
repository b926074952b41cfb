import { expect, test } from 'vitest';
import { maskTokens, unescapeAscii } from '../../src/domain/token.ts';
import { tokenInUrl } from '../../src/http/token-in-url.ts';

test.each([
  ['/v1/goals', '/v1/goals'],
  ['/v1/people/tl_sk_1/export', '/v1/people/***/export'],
  ['/v1/people/%74l_sk_1', '/v1/people/***'],
  ['/a/tl_pk_1/b/x-tl_rt_2', '/a/***/b/***'],
  ['/v1/touchpoints/100%25-%zz', '/v1/touchpoints/100%25-%zz'],
])('the path %s is shown as %s', (path, shown) => {
  expect(maskTokens(path)).toBe(shown);
});

test('escaped ASCII is decoded once, and anything else is left', () => {
  expect(unescapeAscii('%74%6C%5fsk%2F%zz%E0%A4%2574')).toBe('tl_sk/%zz%E0%A4%74');
});

const PATHS = [/^\/v1\/projects\/[^/]+\/settings$/];
const at = (path: string) => new URL(`https://api.example${path}`);

test('no path may have a key in it by itself', () => {
  expect(tokenInUrl(at('/v1/projects/tl_pk_1/settings'))?.code).toBe('unauthenticated');
  expect(tokenInUrl(at('/v1/projects/x/settings'))).toBeNull();
});

test.each([
  ['/v1/projects/tl_pk_1/settings', null],
  ['/v1/projects/%74l_pk_1/settings', null],
  ['/v1/projects/tl_sk_1/settings', 'unauthenticated'],
  ['/v1/projects/tl_pk_1.tl_sk_1/settings', 'unauthenticated'],
  ['/v1/projects/tl_rt_1/settings', 'unauthenticated'],
  ['/v1/projects/tl_pk_1/settings?key=tl_pk_1', 'unauthenticated'],
  ['/v1/projects/tl_pk_1', 'unauthenticated'],
])('a configuration path may hold a publishable key and no other: %s', (path, code) => {
  expect(tokenInUrl(at(path), PATHS)?.code ?? null).toBe(code);
});
