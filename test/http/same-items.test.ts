import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { sale, statusesOf, touch } from './items.ts';

/** An item is the same as the stored one if it means the same, however it is spelled. */

needWorld();

describe('sent again, a touchpoint is', () => {
  const email = { person: { email: 'ann@acme.com' } };
  test.for<[string, Json, Json, string]>([
    ['a duplicate when nothing changed', {}, {}, 'duplicate'],
    ['a duplicate when a null is spelled out', {}, { campaign: null, sentiment: null }, 'duplicate'],
    [
      'a duplicate when null properties inside are left out',
      { properties: { a: { b: null } } },
      { properties: { a: {} } },
      'duplicate',
    ],
    [
      'a duplicate when keys come in another order',
      { properties: { a: 1, b: { c: 2, d: 3 } } },
      { properties: { b: { d: 3, c: 2 }, a: 1 } },
      'duplicate',
    ],
    ['a duplicate when @Ann becomes ann', { person: { x: '@Ann' } }, { person: { x: 'ann' } }, 'duplicate'],
    ['a duplicate when an e-mail changes case', { person: { email: ' ANN@Acme.com ' } }, email, 'duplicate'],
    [
      'a duplicate when a phone number is spaced out',
      { person: { phone: '+49 151 1234 5678' } },
      { person: { phone: '+4915112345678' } },
      'duplicate',
    ],
    [
      'a duplicate when a domain has www. and a dot',
      { person: { domain: 'WWW.Acme.com.' } },
      { person: { domain: 'acme.com' } },
      'duplicate',
    ],
    [
      'a duplicate when identities change places',
      { person: { x: 'a', email: 'b@c.d' } },
      { person: { email: 'b@c.d', x: 'a' } },
      'duplicate',
    ],
    [
      'a duplicate when a placeholder comes beside',
      email,
      { person: { ...email.person, user_id: 'null' } },
      'duplicate',
    ],
    [
      'a duplicate when blank text comes beside',
      {},
      { campaign: ' ', url: '', conversation: null },
      'duplicate',
    ],
    [
      'a duplicate when source and medium change case',
      { source: 'Google', medium: ' CPC' },
      { source: 'google ', medium: 'cpc' },
      'duplicate',
    ],
    [
      'a duplicate when an address is in another spelling',
      { person: { email: 'Ann@bücher.example', phone: '+1 415 555 2671' } },
      { person: { email: 'ann\u200B@xn--bcher-kva.example.', phone: '+14155552671' } },
      'duplicate',
    ],
    [
      'a duplicate when the account domain is in another spelling',
      { account: { domain: 'www.Acme.com' } },
      { account: { domain: 'acme.com.' } },
      'duplicate',
    ],
    [
      'a duplicate when the instant is in another zone or in lower case',
      { occurred_at: '2025-06-01T14:00:00.000+02:00' },
      { occurred_at: '2025-06-01t12:00:00z' },
      'duplicate',
    ],
    ['a conflict when the kind changes', {}, { kind: 'reply' }, 'conflict'],
    ['a conflict when a field is added', {}, { campaign: 'spring' }, 'conflict'],
    [
      'a conflict when a list changes order',
      { properties: { a: [1, 2] } },
      { properties: { a: [2, 1] } },
      'conflict',
    ],
    [
      'a conflict when a null is in a list',
      { properties: { a: [1, null] } },
      { properties: { a: [1] } },
      'conflict',
    ],
    [
      'a conflict when a number becomes text',
      { properties: { a: 1 } },
      { properties: { a: '1' } },
      'conflict',
    ],
    ['a conflict when an identity is added', email, { person: { ...email.person, x: 'ann' } }, 'conflict'],
    [
      'a conflict when a user id changes case',
      { person: { user_id: 'A' } },
      { person: { user_id: 'a' } },
      'conflict',
    ],
    [
      'a conflict when the channel it would get is spelled out',
      { channel: null, kind: 'visit' },
      { channel: 'direct', kind: 'visit' },
      'conflict',
    ],
    ['a conflict when __proto__ changes', proto(1), proto(2), 'conflict'],
  ])('%s', async ([, first, second, status]) => {
    const workspace = await TestWorkspace.make();
    expect(statusesOf(await workspace.touchpoints(touch('t', first)))).toEqual(['accepted']);
    const before = (await workspace.get('/v1/touchpoints/t')).body;
    expect(statusesOf(await workspace.touchpoints(touch('t', second)))).toEqual([status]);
    expect((await workspace.get('/v1/touchpoints/t')).body).toEqual(before);
    const together = await workspace.touchpoints(touch('pair', first), touch('pair', second));
    expect(statusesOf(together)).toEqual(['accepted', status]);
  });

  test('a conflict when an integer beyond 2^53 changes in its last digit; both keep their digits', async () => {
    const workspace = await TestWorkspace.make();
    const post = (number: string) =>
      workspace.ask('POST', '/v1/touchpoints', {
        raw: `{"touchpoints":[{"id":"t","kind":"mention","person":{"user_id":"u"},"properties":{"post":${number},"list":[-${number}]}}]}`,
        headers: { 'content-type': 'application/json' },
      });
    expect(statusesOf(await post('1790000000000000001'))).toEqual(['accepted']);
    expect(statusesOf(await post('1790000000000000001'))).toEqual(['duplicate']);
    const conflict = await post('1790000000000000002');
    expect(conflict.body.results[0].status).toBe('conflict');
    for (const path of ['/v1/touchpoints/t', '/v1/touchpoints', '/v1/touchpoints?format=ndjson'])
      expect((await workspace.get(path)).text).toMatch(/"post":1790000000000000001,?/);
    expect((await workspace.get('/v1/touchpoints?format=csv')).text).toContain('-1790000000000000001');
    expect((await workspace.get('/v1/rejections')).text).toContain('"post":1790000000000000002');
    const { person_id } = (await workspace.get('/v1/touchpoints/t')).body;
    const exported = (await workspace.get(`/v1/people/${person_id}/export`)).text;
    expect(exported).toMatch(/"post": ?1790000000000000001/);
    const [row] = await rowsOf('select properties::text from touchpoints where workspace_id = $1', [
      workspace.id,
    ]);
    expect(row?.properties).toContain('1790000000000000001');
  });

  test('a duplicate without occurred_at, whenever it comes', async () => {
    const workspace = await TestWorkspace.make();
    const now = touch('t', { occurred_at: undefined });
    await workspace.touchpoints(now);
    expect(statusesOf(await workspace.touchpoints(now))).toEqual(['duplicate']);
  });

  test('for a conversion too: 10 and "10.00" are the same, and another value is not', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    await workspace.conversions(sale('s', { value: 10 }));
    expect(statusesOf(await workspace.conversions(sale('s', { value: 10 })))).toEqual(['duplicate']);
    expect(statusesOf(await workspace.conversions(sale('s', { value: '10.00' })))).toEqual(['duplicate']);
    expect(statusesOf(await workspace.conversions(sale('s', { value: 11 })))).toEqual(['conflict']);
    expect((await workspace.get('/v1/conversions/s')).body.value).toBe(10);
  });
});

function proto(value: number): Json {
  return { properties: JSON.parse(`{"__proto__": ${value}}`) };
}
