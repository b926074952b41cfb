import { describe, expect, test } from 'vitest';
import { type Answer, type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { idsIn, pointersOf, sale, statusesOf, touch } from './items.ts';

/** A bad item between two good ones: it is named and kept as a rejection, nothing of it is stored, the others are. */

type Changes = Record<string, unknown>;
const manyIdentities = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`n${i}`, 'v']));

/** The defect, and the pointers below the item that the response names. */
const ANY_ITEM: [string, Changes, string[]][] = [
  ['an unknown field', { colour: 'red' }, ['/colour']],
  ['two unknown fields', { a: 1, 'b/c~d': 2 }, ['/a', '/b~1c~0d']],
  ['an id that is a number', { id: 7 }, ['/id']],
  ['an id of 256 characters', { id: 'x'.repeat(256) }, ['/id']],
  ['NUL in the id', { id: 'a\0b' }, ['/id']],
  ['a lone surrogate in the id', { id: 'a\udc00' }, ['/id']],
  ['a date that is a word', { occurred_at: 'yesterday' }, ['/occurred_at']],
  ['a date without time', { occurred_at: '2025-06-01' }, ['/occurred_at']],
  ['a time without offset', { occurred_at: '2025-06-01T12:00:00' }, ['/occurred_at']],
  ['30 February', { occurred_at: '2025-02-30T00:00:00Z' }, ['/occurred_at']],
  ['29 February of a common year', { occurred_at: '2025-02-29T00:00:00Z' }, ['/occurred_at']],
  ['hour 24', { occurred_at: '2025-06-01T24:00:00Z' }, ['/occurred_at']],
  ['a date in 2999', { occurred_at: '2999-01-01T00:00:00Z' }, ['/occurred_at']],
  ['the last instant of year 9999, west', { occurred_at: '9999-12-31T23:59:59-23:59' }, ['/occurred_at']],
  ['year 0000', { occurred_at: '0000-01-01T00:00:00Z' }, ['/occurred_at']],
  ['seconds as a number', { occurred_at: 1_748_779_200 }, ['/occurred_at']],
  ['seconds as a string', { occurred_at: '1748779200' }, ['/occurred_at']],
  ['seconds read as milliseconds', { occurred_at: '1970-01-21T05:46:19Z' }, ['/occurred_at']],
  ['milliseconds read as seconds', { occurred_at: '9999-01-01T00:00:00Z' }, ['/occurred_at']],
  ['no person', { person: undefined }, ['/person']],
  ['person null', { person: null }, ['/person']],
  ['a person that is a string', { person: 'ann' }, ['/person']],
  ['a person that is a list', { person: ['ann'] }, ['/person']],
  ['an empty person', { person: {} }, ['/person']],
  ['a person of nulls', { person: { email: null } }, ['/person']],
  ['only placeholders', { person: { user_id: 'null', email: ' undefined ', x: '@' } }, ['/person']],
  ['11 identities', { person: manyIdentities }, ['/person']],
  ['a value of 256 characters', { person: { user_id: 'x'.repeat(256) } }, ['/person/user_id']],
  ['an empty value alone', { person: { user_id: '' } }, ['/person']],
  ['a value that is a number', { person: { user_id: 7 } }, ['/person/user_id']],
  ['a capital namespace', { person: { Email: 'a@b.c' } }, ['/person/Email']],
  [
    'a namespace of 33 characters',
    { person: { [`n${'x'.repeat(32)}`]: 'v' } },
    [`/person/n${'x'.repeat(32)}`],
  ],
  ['toString as a namespace', { person: { toString: 'u1' } }, ['/person/toString']],
  ['two wrong identities', { person: { A: 'x', user_id: 'u', b: 3 } }, ['/person/A', '/person/b']],
  ['a phone number without country', { person: { phone: '030 123456' } }, ['/person/phone']],
  ['a domain with a space', { person: { domain: 'acme corp' } }, ['/person/domain']],
  ['NUL in an identity', { person: { user_id: 'a\0' } }, ['/person/user_id']],
  ['a lone surrogate in an identity', { person: { user_id: '\ud83d' } }, ['/person/user_id']],
  ['NUL in a namespace', { person: { 'a\0': 'x' } }, ['/person']],
  ['properties that are a list', { properties: [1] }, ['/properties']],
  ['properties that are text', { properties: '{}' }, ['/properties']],
  ['properties over 16 KiB', { properties: { text: 'x'.repeat(16 * 1024) } }, ['/properties']],
  [
    'properties over 16 KiB in bytes, not characters',
    { properties: { text: '€'.repeat(5500) } },
    ['/properties'],
  ],
  ['NUL in a property', { properties: { a: [{ b: 'x\0' }] } }, ['/properties/a/0/b']],
  ['NUL in a property key', { properties: { 'a\0': 1 } }, ['/properties']],
  ['a lone surrogate in a property', { properties: { a: '\ud800' } }, ['/properties/a']],
  ['a lone surrogate in a property key', { properties: { '\udfff': 1 } }, ['/properties']],
];

const TOUCHPOINT: [string, Changes, string[]][] = [
  ['no kind', { kind: undefined }, ['/kind']],
  ['an unknown kind', { kind: 'telepathy' }, ['/kind']],
  ['an unknown direction', { direction: 'sideways' }, ['/direction']],
  ['an unknown stage', { stage: 'bargaining' }, ['/stage']],
  ['sentiment 2', { sentiment: 2 }, ['/sentiment']],
  ['sentiment as text', { sentiment: '0.5' }, ['/sentiment']],
  ['a conversation without id', { conversation: { topic: 'pricing' } }, ['/conversation/id']],
  [
    'an unknown field of the conversation',
    { conversation: { id: 'c', title: 'x' } },
    ['/conversation/title'],
  ],
  ['a channel of 65 characters', { channel: 'x'.repeat(65) }, ['/channel']],
  ['NUL in the campaign', { campaign: 'spring\0' }, ['/campaign']],
  ['a URL of 4,097 characters', { url: `https://a.b/${'x'.repeat(4085)}` }, ['/url']],
  [
    'everything at once',
    { kind: 'x', direction: 'y', person: { A: 'x' } },
    ['/person/A', '/kind', '/direction'],
  ],
];

const CONVERSION: [string, Changes, string[]][] = [
  ['no goal', { goal: undefined }, ['/goal']],
  ['an unknown goal', { goal: 'nowhere' }, ['/goal']],
  ['a goal that is no key', { goal: 'Not A Key' }, ['/goal']],
  ['__proto__ as the goal', { goal: '__proto__' }, ['/goal']],
  ['constructor as the goal', { goal: 'constructor' }, ['/goal']],
  ['a negative value', { value: -0.01 }, ['/value']],
  ['a negative value as text', { value: '-1' }, ['/value']],
  ['the value "NaN"', { value: 'NaN' }, ['/value']],
  ['the value "Infinity"', { value: 'Infinity' }, ['/value']],
  ['the value 1e15', { value: 1e15 }, ['/value']],
  ['the value "1e3"', { value: '1e3' }, ['/value']],
  ['the value "1,50"', { value: '1,50' }, ['/value']],
  ['the value true', { value: true }, ['/value']],
  ['the currency ZZZ', { currency: 'ZZZ' }, ['/currency']],
  ['the currency eurs', { currency: 'eurs' }, ['/currency']],
  ['an id that begins with tp:', { id: 'tp:1' }, ['/id']],
  ['a touchpoint field', { channel: 'x' }, ['/channel']],
];

needWorld();

describe('a touchpoint with', () => {
  test.for([...ANY_ITEM, ...TOUCHPOINT])('%s', async ([, changes, places]) => {
    const workspace = await TestWorkspace.make();
    const bad = touch('bad', changes);
    const answer = await workspace.touchpoints(touch('before'), bad, touch('after'));
    await expectOnlyBadOut(workspace, answer, { resource: 'touchpoints', bad, places });
  });
});

describe('a conversion with', () => {
  test.for([...ANY_ITEM, ...CONVERSION])('%s', async ([, changes, places]) => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const bad = sale('bad', changes);
    const answer = await workspace.conversions(sale('before'), bad, sale('after'));
    await expectOnlyBadOut(workspace, answer, { resource: 'conversions', bad, places });
  });
});

describe('JSON that only text can say', () => {
  const number = (value: string) => `{"goal":"purchase","person":{"user_id":"u"},"value":${value}}`;
  test.for([['1e400'], ['-1e400'], ['-5e-324'], ['10000000000000']])(
    'the value %s is rejected',
    async ([value = '']) => {
      const workspace = await TestWorkspace.make();
      await workspace.goal('purchase');
      const raw = `{"conversions":[${number(value)}]}`;
      const answer = await workspace.ask('POST', '/v1/conversions', {
        raw,
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.status).toBe(422);
      expect(pointersOf(answer.body.results[0].errors)).toEqual(['/conversions/0/value']);
    },
  );

  test('a property that no double holds (1e400) is rejected, not turned into null', async () => {
    const workspace = await TestWorkspace.make();
    const raw = '{"touchpoints":[{"kind":"visit","person":{"user_id":"u"},"properties":{"a":[1e400]}}]}';
    const answer = await workspace.ask('POST', '/v1/touchpoints', {
      raw,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status, answer.text).toBe(422);
    expect(pointersOf(answer.body.results[0].errors)).toEqual(['/touchpoints/0/properties/a/0']);
  });

  test('items that are no objects are rejected one by one', async () => {
    const workspace = await TestWorkspace.make();
    const answer = await workspace.touchpoints(null, 1, 'text', [], true, touch('good'));
    expect(statusesOf(answer)).toEqual([...Array(5).fill('rejected'), 'accepted']);
    expect(answer.body.results.slice(0, 5).flatMap((result: Json) => pointersOf(result.errors))).toEqual(
      [0, 1, 2, 3, 4].map((index) => `/touchpoints/${index}`),
    );
  });
});

interface Bad {
  resource: string;
  bad: Changes;
  places: string[];
}

async function expectOnlyBadOut(
  workspace: TestWorkspace,
  answer: Answer,
  { resource, bad, places }: Bad,
): Promise<void> {
  expect(answer.status, answer.text).toBe(207);
  expect(statusesOf(answer)).toEqual(['accepted', 'rejected', 'accepted']);
  const { id, errors } = answer.body.results[1];
  expect(id).toEqual(typeof bad.id === 'string' ? bad.id : expect.stringMatching(/^(tp|cv)_/));
  expect(pointersOf(errors).sort()).toEqual(places.map((place) => `/${resource}/1${place}`).sort());
  for (const { detail } of errors) expect(detail).toMatch(/^[^\0]{5,400}$/s);
  expect((await idsIn(workspace, `/v1/${resource}`)).sort()).toEqual(['after', 'before']);
  const { body } = await workspace.get('/v1/rejections');
  expect(body.data).toHaveLength(1);
  expect(body.data[0]).toMatchObject({ resource, errors });
  expect(body.data[0].item).toEqual(JSON.parse(JSON.stringify(bad)));
}
