import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Answer, ask, type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { type DocumentedOperation, exampleOf, operations, pathOf } from '../support/document.ts';
import { ORIGIN } from './pages.ts';

/**
 * Valid requests from the document's own examples, with one change at a time. Every response is documented (`ask`
 * checks that), none is a 5xx, and every rejection is a problem with a reason.
 */

needWorld();

/** `npm run test:fuzz` sends more. */
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? (world.database === 'postgres' ? 1500 : 300));
/** Concurrent requests. */
const AT_ONCE = 4;
const SEED = Number(process.env.FUZZ_SEED ?? 20260606);

/** Operations that would break the other requests. */
const LEFT_OUT = ['deleteWorkspace', 'deleteKey', 'getReady'];
/** Operations that a page may call; it sends a third of their requests. */
const OF_PAGES = ['recordTouchpoints', 'recordConversions', 'recordPeople'];
const fuzzed = operations.filter(({ id }) => !LEFT_OUT.includes(id));

/** Replacements of a text, and of a value of any type. */
const TEXTS = [
  '',
  ' ',
  'x'.repeat(256),
  'x'.repeat(5000),
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff',
  '\u202e',
  'é',
  '💬',
  "'; drop table keys; --",
  '%',
  '\\',
  '../../etc/passwd',
  '{x}',
  'null',
  'undefined',
  '[object Object]',
  '__proto__',
  'constructor',
  'toString',
  '0000-01-01',
  '2026-02-30',
  '2026-13-01T00:00:00Z',
  '-1',
  '1e309',
  'NaN',
  '0x10',
  '9'.repeat(400),
  'a,b',
  '\\0',
  '\\,',
];
const VALUES: Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  2 ** 53,
  1e-320,
  [],
  {},
  [[]],
  [null],
  { a: 1 },
  { __proto__x: 1 },
  { constructor: 1 },
  Array.from({ length: 1001 }, () => 1),
  ...TEXTS,
];

interface Change {
  where: 'path' | 'query' | 'body' | 'unknown query' | 'unknown field' | 'whole body' | 'raw body';
  /** Selects one of the places. */
  place: number;
  value: Json;
  text: string;
  removed: boolean;
}

const change: fc.Arbitrary<Change> = fc.record({
  where: fc.constantFrom<Change['where']>(
    'path',
    'query',
    'query',
    'query',
    'body',
    'body',
    'body',
    'body',
    'unknown query',
    'unknown field',
    'whole body',
    'raw body',
  ),
  place: fc.nat(1000),
  value: fc.oneof(fc.constantFrom(...VALUES), fc.jsonValue({ maxDepth: 3 })),
  text: fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 40 })),
  removed: fc.boolean(),
});

const RAW = [
  '',
  '{',
  '[]',
  'null',
  '"x"',
  '{"a":1',
  '\u0000',
  `${'['.repeat(10_000)}`,
  `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
  '{"a":1}{"b":2}',
  'NaN',
];

/** The path of every value in a body. */
function placesIn(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, member]) => placesIn(member, [...path, key]))].filter(
    (one) => one.length > 0,
  );
}

function changed(body: Json, { place, value, removed }: Change): Json {
  const copy = structuredClone(body);
  const places = placesIn(copy);
  const path = places[place % Math.max(1, places.length)];
  if (!path) return value;
  const parent = path.slice(0, -1).reduce((inner: Json, key) => inner[key], copy);
  const key = path.at(-1) ?? '';
  if (removed && !Array.isArray(parent)) delete parent[key];
  else parent[key] = value;
  return copy;
}

/** A URL cannot contain a lone surrogate; it is sent as its replacement character. */
const inUrl = (text: string) => encodeURIComponent(text.toWellFormed());

function requestOf(operation: DocumentedOperation, one: Change): { path: string; body?: Json; raw?: string } {
  const { body } = operation;
  const rest = body === undefined ? {} : { body };
  const base = pathOf(operation);
  const also = (name: string, value: string) =>
    `${base}${base.includes('?') ? '&' : '?'}${name}=${inUrl(value)}`;
  const inQuery = operation.parameters.filter((parameter) => parameter.in === 'query');
  const inPath = operation.parameters.filter((parameter) => parameter.in === 'path');
  switch (one.where) {
    case 'path': {
      const parameter = inPath[one.place % Math.max(1, inPath.length)];
      return {
        path: parameter ? pathOf(operation, { [parameter.name]: one.text.toWellFormed() || 'x' }) : base,
        ...rest,
      };
    }
    case 'query': {
      const parameter = inQuery[one.place % Math.max(1, inQuery.length)];
      if (!parameter) return { path: base, ...rest };
      const [path = base] = base.split('?');
      const others = inQuery.filter((other) => other.required && other !== parameter);
      const isRecord = parameter.schema.type === 'object';
      const name = isRecord
        ? `${parameter.name}[${one.place % 2 ? 'channel' : one.text.slice(0, 9)}]`
        : parameter.name;
      const value = one.removed ? exampleOf(parameter) : one.text;
      const query = [
        ...others.map((other) => [other.name, exampleOf(other)] as const),
        [name, value] as const,
      ];
      return {
        path: `${path}?${query.map(([key, text]) => `${inUrl(key)}=${inUrl(text)}`).join('&')}`,
        ...rest,
      };
    }
    case 'unknown query':
      return { path: also(one.text.slice(0, 20) || 'x', 'y'), ...rest };
    case 'unknown field':
      return {
        path: base,
        ...(body !== undefined && { body: { ...body, [one.text.slice(0, 20)]: one.value } }),
      };
    case 'whole body':
      return { path: base, ...(body !== undefined && { body: one.value ?? null }) };
    case 'raw body':
      return { path: base, ...(body !== undefined && { raw: RAW[one.place % RAW.length] ?? '' }) };
    default:
      return { path: base, ...(body !== undefined && { body: changed(body, one) }) };
  }
}

function expectPromised(answer: Answer, what: string): void {
  expect(answer.status, `${what}\n${answer.text.slice(0, 500)}`).toBeLessThan(500);
  if (answer.status < 400) return;
  expect(answer.headers.get('content-type'), what).toContain('application/problem+json');
  expect(answer.body, what).toMatchObject({ status: answer.status, code: expect.any(String) });
  expect(answer.body.detail, what).not.toBe('');
}

test(`${REQUESTS} valid requests with one thing changed are answered as the document promises, seed ${SEED}`, {
  timeout: 60_000 + REQUESTS * 100,
}, async () => {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.goal('follow', { kind: 'cultivation' });
  const key = { name: 'Page', kind: 'publishable', allowed_origins: [ORIGIN], goals: ['purchase', 'follow'] };
  const page = (await workspace.post('/v1/keys', key)).body.token;
  const requests = fc.sample(fc.tuple(fc.constantFrom(...fuzzed), change), { numRuns: REQUESTS, seed: SEED });
  const statuses = new Map<number, number>();
  const send = async ([operation, one]: [DocumentedOperation, Change]) => {
    const { path, body, raw } = requestOf(operation, one);
    const byPage = OF_PAGES.includes(operation.id) && one.place % 3 === 0;
    const keyed = operation.access === 'root' ? world.rootKey : workspace.token;
    const token = byPage ? page : keyed;
    const what = `${operation.method} ${path} ${JSON.stringify(raw ?? body)?.slice(0, 800)}`;
    const answer = await ask(operation.method, path, {
      token,
      ...(body !== undefined && { body }),
      ...(raw !== undefined && { raw }),
      headers: {
        ...(raw !== undefined && { 'content-type': 'application/json' }),
        ...(byPage && { origin: ORIGIN }),
      },
    });
    expectPromised(answer, what);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  };
  for (let at = 0; at < requests.length; at += AT_ONCE)
    await Promise.all(requests.slice(at, at + AT_ONCE).map(send));
  // Some requests were accepted and some rejected; otherwise the examples would not fit their schemas.
  expect([...statuses.keys()].some((status) => status < 300)).toBe(true);
  expect(statuses.get(422)).toBeGreaterThan(REQUESTS / 10);
});
