import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExactJson } from '../../src/domain/exact-json.ts';
import { normaliseIdentity } from '../../src/domain/identities.ts';
import { FIELD_NAMES } from '../../src/domain/line-parts.ts';
import { MAX_STRINGS, textFormsOf } from '../../src/domain/text-forms.ts';

/** Every form that an identity in a rejected item could have. */

const NO_LIMIT = Number.POSITIVE_INFINITY;
const formsOf = (item: unknown, country: string | null = null) =>
  [...(textFormsOf(item, country, NO_LIMIT)?.texts ?? [])].sort();

const NAMESPACES = ['email', 'phone', 'domain', 'x', 'user_id'];

describe('the forms of an item', () => {
  test('hold what every namespace makes of each of its strings, wherever it is', () => {
    const value = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.emailAddress(),
      fc.domain(),
      fc.constantFrom(
        '@Ann',
        'ann@Bücher.example',
        'a\u200Bnn@www.acme.com.',
        '+1 415 555 2671 x 12',
        '+49 151 2345678',
        '0151 2345678',
        'WWW.Müller.de',
        ' Zoe\u0308 ',
        '@@x',
      ),
    );
    fc.assert(
      fc.property(
        value,
        fc.constantFrom(...NAMESPACES),
        fc.constantFrom(null, 'DE'),
        (text, namespace, country) => {
          const identity = normaliseIdentity({ namespace, value: text }, country);
          // A domain or phone that is read out of an address, or a domain out of a number, is none.
          fc.pre(identity.ok && !(text.includes('@') && ['domain', 'phone'].includes(namespace)));
          fc.pre(!FIELD_NAMES.has(text));
          fc.pre(namespace !== 'domain' || !/^\s*[\d.]+\s*$/.test(text));
          for (const item of [{ a: text }, [[text]], { [text]: 1 }, { properties: { x: [{ y: text }] } }])
            expect(formsOf(item, country)).toContain(identity.ok && identity.value);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('hold numbers by their decimal text, and no names of fields, and no placeholders', () => {
    expect(formsOf({ id: 42, person: { user_id: 'null', email: '' }, kind: true, n: -5 })).toEqual([
      '-5',
      '42',
      'n',
    ]);
  });

  test.for([
    ['Write to Ann@Acme.com, please', 'ann@acme.com'],
    ["'o'brien@acme.com'", "o'brien@acme.com"],
    ['mailto:ann+tag@acme.com?x=1', 'ann+tag@acme.com'],
    ['https://a.example/?e=ann%40acme.com', 'ann@acme.com'],
    ['https://a.example/?q=hi+ann%40acme.com', 'ann@acme.com'],
    ['see ann@acme.co.uk.Thanks', 'ann@acme.co.uk'],
    ['Jörg <jörg@müller.de>', 'jörg@xn--mller-kva.de'],
    ['ask @ann_b.', 'ann_b'],
    ['@ann@mastodon.example', 'ann@mastodon.example'],
    ['Call +49 151 2345678 12:30', '+491512345678'],
    ['tel:+49-151-2345678', '+491512345678'],
    ['fax 0049 (151) 2345678', '+491512345678'],
    ['%2B491512345678 is it', '+491512345678'],
  ] as const)('of a text: %s has %s', ([text, form]) => {
    expect(formsOf({ text })).toContain(form);
    expect(formsOf({ text: `x, ${text} and so on` })).toContain(form);
  });

  test('hold the digits of integers beyond 2^53', () => {
    expect(formsOf(parseExactJson('{"uid":1790000000000000001}'))).toContain('1790000000000000001');
  });

  test('of numbers in national form need the country', () => {
    const text = 'order 77 0151 2345678 now';
    expect(formsOf({ text }, 'DE')).toContain('+491512345678');
    expect(formsOf({ text })).not.toContain('+491512345678');
  });
});

describe('an item', () => {
  const list = (count: number) => ({ a: Array.from({ length: count - 1 }, (_, i) => `text ${i}`) });

  test('has forms up to 1,000 strings, numbers and names', () => {
    expect(formsOf(list(MAX_STRINGS))).toHaveLength(MAX_STRINGS);
    expect(textFormsOf(list(MAX_STRINGS + 1), null, NO_LIMIT)).toBeNull();
    expect(textFormsOf('x,'.repeat(5000), null, NO_LIMIT)).not.toBeNull();
    expect(textFormsOf(list(MAX_STRINGS + 1).a.join(','), null, NO_LIMIT)).toBeNull();
  });

  test('that would take more than the work allowed has none', () => {
    const many = { text: Array.from({ length: 50 }, (_, i) => `a${i}@acme.com`).join(' ') };
    const work = textFormsOf(many, null, NO_LIMIT)?.work ?? 0;
    expect(work).toBeGreaterThan(50);
    expect(textFormsOf(many, null, work)?.texts.size).toBeGreaterThan(50);
    expect(textFormsOf(many, null, work - 1)).toBeNull();
  });

  test.for([
    'a',
    '@',
    'a@',
    '1 ',
    '123456 ',
    '(1',
    '-@a.',
    '%41',
    '"\\',
    '{"',
    "'",
    'x,',
    '\\u0040',
    '@-',
    'ö.',
  ])('of 5 MiB of %s takes linear time', (unit) => {
    const text = unit.repeat(Math.floor((5 * 1024 * 1024) / unit.length));
    const started = performance.now();
    for (const item of [text, { text }, { [text]: 1 }]) textFormsOf(item, 'DE', 10_000);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
