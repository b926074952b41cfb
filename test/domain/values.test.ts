import { describe, expect, test } from 'vitest';
import { proposePeople } from '../../src/domain/batch-people.ts';
import { canonicalJson, canonicalJsonV1 } from '../../src/domain/canonical.ts';
import { parseExactJson } from '../../src/domain/exact-json.ts';
import { byPriority, normaliseDomain, normaliseIdentity } from '../../src/domain/identities.ts';
import { isDeeperThan, protoKeys, unstorable } from '../../src/domain/json.ts';
import { decimalOf, isCurrency } from '../../src/domain/money.ts';
import { boundOf, isTimeZone, namedRange } from '../../src/domain/time.ts';
import { formatToken, isWellFormedToken } from '../../src/domain/token.ts';

describe('an amount as an exact decimal', () => {
  test.each([
    [99.9, '99.9'],
    [0, '0'],
    ['0.10', '0.1'],
    ['0099.90', '99.9'],
    ['100.00', '100'],
    ['000', '0'],
    ['1234567890123.99', '1234567890123.99'],
    [0.1 + 0.2, '0.30000000000000004'],
    [1e-7, '0.0000001'],
  ])('%s is %s', (amount, expected) => expect(decimalOf(amount)).toBe(expected));
  test.each([
    -1,
    -0.01,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e13,
    '1e3',
    '-1',
    '',
    ' 1',
    '1.',
    '.5',
    'NaN',
    '12345678901234',
    `0.${'1'.repeat(21)}`,
  ])('%s is none', (amount) => expect(decimalOf(amount)).toBeNull());
  test('EUR is a currency; eur, EURO and XYZW are none', () => {
    expect(['EUR', 'eur', 'EURO', 'XYZW'].map(isCurrency)).toEqual([true, false, false, false]);
  });
});

describe('a bound of a report', () => {
  test.each([
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    ['2026-01-01', 'Asia/Kolkata', '2025-12-31T18:30:00.000Z'],
    ['2026-01-01', 'UTC', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01T10:00:00+02:00', 'Asia/Kolkata', '2026-01-01T08:00:00.000Z'],
  ])('%s in %s is %s', (text, zone, expected) => expect(boundOf(text, zone).toISOString()).toBe(expected));

  test('7d on a Monday evening in New York are the seven local days up to its midnight, with the change to summer time among them', () => {
    const range = namedRange('7d', 'America/New_York', new Date('2026-03-10T02:00:00Z'));
    expect([range.from.toISOString(), range.to.toISOString()]).toEqual([
      '2026-03-03T05:00:00.000Z',
      '2026-03-10T04:00:00.000Z',
    ]);
  });

  test('12mo on 22 November begins on 23 November of the year before', () => {
    const range = namedRange('12mo', 'UTC', new Date('2026-11-22T12:00:00Z'));
    expect([range.from.toISOString(), range.to.toISOString()]).toEqual([
      '2025-11-23T00:00:00.000Z',
      '2026-11-23T00:00:00.000Z',
    ]);
  });

  test.each([
    ['UTC', true],
    ['Europe/Kyiv', true],
    ['America/Argentina/Buenos_Aires', true],
    ['Etc/GMT+5', true],
    ['+05:00', false],
    ['IST', false],
    ['Mars/Olympus', false],
    ['', false],
    ['SystemV/PST8', false],
  ])('the zone %s is known: %s', (zone, known) => expect(isTimeZone(zone)).toBe(known));
});

describe('an identity', () => {
  test.each([
    ['email', ' Ann@ACME.com ', 'ann@acme.com'],
    ['email', 'ann@bücher.example', 'ann@xn--bcher-kva.example'],
    ['email', 'ann@acme.com.', 'ann@acme.com'],
    ['email', 'ann\u200B@acme.com\uFEFF', 'ann@acme.com'],
    ['email', 'no address', 'no address'],
    ['phone', '+1 415 555 2671 ext. 12', '+14155552671;ext=12'],
    ['phone', '+14155552671 x13', '+14155552671;ext=13'],
    ['x', '@Ann_B', 'ann_b'],
    ['mastodon', '@Ann@Social.example', 'ann@social.example'],
    ['phone', '+49 (1511) 2345678', '+4915112345678'],
    ['phone', '01511 2345678', '+4915112345678'],
    ['domain', 'WWW.Bücher.example.', 'xn--bcher-kva.example'],
    ['user_id', ' A\u030A1 ', '\u00C51'],
  ])('%s %j is compared as %j', (namespace, value, expected) => {
    expect(normaliseIdentity({ namespace, value }, 'DE')).toEqual({ ok: true, value: expected });
  });
  test.each([
    'null',
    'UNDEFINED',
    '[object Object]',
    'anonymous',
    '0',
    '00000000-0000-0000-0000-000000000000',
    '00000000000000000000000000000000',
    '{00000000-0000-0000-0000-000000000000}',
    'urn:uuid:00000000-0000-0000-0000-000000000000',
    'None',
    'N/A',
    'guest',
    'not_authenticated',
    '-1',
    'false',
    ' ',
  ])('%j is a placeholder', (value) => {
    expect(normaliseIdentity({ namespace: 'user_id', value }, null)).toEqual({
      ok: false,
      reason: 'placeholder',
    });
  });
  test('a phone number without + needs a country', () => {
    expect(normaliseIdentity({ namespace: 'phone', value: '01511 2345678' }, null)).toEqual({
      ok: false,
      reason: 'invalid_phone',
    });
  });
  test('a domain is no address, no path and no port', () => {
    expect(['a b', 'acme.com/x', 'acme.com:8080', ''].map(normaliseDomain)).toEqual([null, null, null, null]);
  });
  test('user_id decides before email, phone, the others a–z, and anonymous_id last', () => {
    const names = ['anonymous_id', 'x', 'github', 'phone', 'email', 'user_id'].map((namespace) => ({
      namespace,
      value: '',
    }));
    expect(names.sort(byPriority).map(({ namespace }) => namespace)).toEqual([
      'user_id',
      'email',
      'phone',
      'github',
      'x',
      'anonymous_id',
    ]);
  });
  test('items that share an identity, directly or through others, get one proposed person', () => {
    let made = 0;
    const people = proposePeople([['a'], ['b'], ['a', 'c'], ['d'], ['c', 'b']], () => `p${made++}`);
    expect(people).toEqual(['p0', 'p0', 'p0', 'p1', 'p0']);
  });
});

describe('JSON', () => {
  test('canonical: keys sorted at every depth, null members left out, lists as they are', () => {
    expect(canonicalJson({ b: [1, null, { d: null, c: 2 }], a: null, __proto__: null })).toBe(
      '{"b":[1,null,{"c":2}]}',
    );
    expect(canonicalJson(JSON.parse('{"z":1,"__proto__":{"y":2}}'))).toBe('{"__proto__":{"y":2},"z":1}');
  });
  test('canonical: blank text is absent, integers keep their digits however they were sent', () => {
    const text =
      '{"a":" ","b":[""],"n":1790000000000000001,"m":1e21,"k":1000000000000000000000,"x":0.30000000000000004}';
    expect(canonicalJson(parseExactJson(text))).toBe(
      '{"b":[""],"k":1000000000000000000000,"m":1000000000000000000000,"n":1790000000000000001,"x":0.30000000000000004}',
    );
  });
  test('the first version: as release 0.1.0 wrote it', () => {
    expect(canonicalJsonV1(parseExactJson('{"b":1790000000000000001,"a":"","c":null}'))).toBe(
      '{"a":"","b":1790000000000000000}',
    );
  });
  test.each([
    '{"n":1790000000000000001}',
    '{"n":[-9007199254740993,{"m":12345678901234567890123}]}',
    '{"n":9007199254740991,"text":"1790000000000000001"}',
    '{"__proto__":{"n":1790000000000000001}}',
    '[0.1234567890123456,1790000000000000001]',
  ])('keeps the digits of %s', (text) => {
    expect(JSON.stringify(parseExactJson(text))).toBe(text);
  });
  test('depth counts objects and lists', () => {
    expect([
      isDeeperThan(1, 0),
      isDeeperThan([], 0),
      isDeeperThan([[1]], 2),
      isDeeperThan([[[]]], 2),
    ]).toEqual([false, true, false, true]);
  });
  test('what cannot be stored is pointed at', () => {
    expect(
      unstorable({ 'a/b': ['\0'], n: Number.POSITIVE_INFINITY, 'k\0': 1, s: '\ud800', fine: '😀' }),
    ).toEqual(['/a~1b/0', '/n', '', '/s']);
  });
  test('__proto__ is an unknown field, but an ordinary property', () => {
    expect(protoKeys(JSON.parse('{"__proto__":1,"properties":{"__proto__":2},"a":{"__proto__":3}}'))).toEqual(
      ['/__proto__', '/a/__proto__'],
    );
  });
});

test('a token has its prefix and 49 characters, and one changed character is noticed', () => {
  const token = formatToken(new Uint8Array(32).fill(255));
  expect(token).toMatch(/^tl_sk_[0-9A-Za-z]{49}$/);
  expect(isWellFormedToken(token)).toBe(true);
  expect(isWellFormedToken(formatToken(new Uint8Array(32), 'publishable'))).toBe(true);
  for (let i = 6; i < token.length; i++) {
    const other = token[i] === 'a' ? 'b' : 'a';
    expect(isWellFormedToken(token.slice(0, i) + other + token.slice(i + 1)), `at ${i}`).toBe(false);
  }
});
