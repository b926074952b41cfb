import { describe, expect, test } from 'vitest';
import { type Json, needWorld } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, partitionOf, pointersOf, sale, statusesOf, touch } from './items.ts';
import { hoursAgo, openPage, type Page, seen, warned } from './pages.ts';

/** How far items of a publishable key are trusted, which anyone can read in a page. */

needWorld();

test('opens touchpoints, conversions and people, and is 403 everywhere else', async () => {
  const page = await openPage();
  const sold = sale('s', { occurred_at: undefined, value: undefined });
  expect((await page.post('touchpoints', seen('t', { email: 'a@b.c' }))).status).toBe(200);
  expect((await page.post('conversions', sold)).status).toBe(200);
  expect((await page.post('people', { person: { email: 'a@b.c', anonymous_id: 'x' } })).status).toBe(200);
  for (const [method, path, body] of [
    ['POST', '/v1/conversions/s/adjustments', { id: 'a', kind: 'retraction' }],
    ['POST', '/v1/spend', { spend: [{ id: 'x', from: '2025-06-01', to: '2025-06-02', amount: 1 }] }],
    ['POST', '/v1/tokens', {}],
    ['GET', '/v1/touchpoints'],
    ['GET', '/v1/touchpoints/t'],
    ['GET', '/v1/people/lookup?email=a@b.c'],
    ['GET', '/v1/reports/attribution?goal=purchase'],
    ['GET', '/v1/keys'],
    ['DELETE', '/v1/touchpoints/t'],
  ] as const) {
    const answer = await page.ask(method, path, body);
    expectProblem(answer, 403, 'forbidden');
  }
  expect((await page.workspace.get('/v1/conversions/s')).body.retracted).toBe(false);
});

test('items are of the last 24 hours: an older one is rejected and named, by a secret key it is taken', async () => {
  const page = await openPage();
  const [late, fine] = [hoursAgo(24.1), hoursAgo(23.9)];
  const touchpoints = await page.post(
    'touchpoints',
    touch('old', { occurred_at: late }),
    touch('new', { occurred_at: fine }),
  );
  expect(statusesOf(touchpoints)).toEqual(['rejected', 'accepted']);
  expect(pointersOf(touchpoints.body.results[0].errors)).toEqual(['/touchpoints/0/occurred_at']);
  expect(statusesOf(await page.post('conversions', sale('old', { occurred_at: late })))).toEqual([
    'rejected',
  ]);
  const linked = { id: 'old', person: { email: 'a@b.c', x: 'a' }, occurred_at: late };
  expect(statusesOf(await page.post('people', linked))).toEqual(['rejected']);
  expect(statusesOf(await page.workspace.touchpoints(touch('old', { occurred_at: late })))).toEqual([
    'accepted',
  ]);
});

describe('the value of a conversion', () => {
  const sold = sale('s', { occurred_at: hoursAgo(1), value: 9999, currency: 'USD' });

  test("is set aside with a warning, and the goal's default counts", async () => {
    const page = await openPage();
    const answer = await page.post('conversions', sold);
    expect(statusesOf(answer)).toEqual(['accepted']);
    expect(warned(answer)).toEqual(['/conversions/0/value', '/conversions/0/currency']);
    const stored = (await page.workspace.get('/v1/conversions/s')).body;
    expect(stored).toMatchObject({ value: 30, currency: 'EUR' });
    // The server's item stands in place of the page's.
    expect(statusesOf(await page.workspace.conversions(sold))).toEqual(['accepted']);
    expect((await page.workspace.get('/v1/conversions/s')).body).toMatchObject({
      value: 9999,
      currency: 'USD',
    });
  });

  test('counts where the workspace trusts publishable values', async () => {
    const page = await openPage({ trust_publishable_values: true });
    const answer = await page.post('conversions', sold);
    expect(answer.body.results[0].warnings).toBeUndefined();
    const stored = (await page.workspace.get('/v1/conversions/s')).body;
    expect(stored).toMatchObject({ value: 9999, currency: 'USD' });
  });

  test('of a secret key always counts', async () => {
    const page = await openPage();
    await page.workspace.conversions(sold);
    expect((await page.workspace.get('/v1/conversions/s')).body.value).toBe(9999);
  });
});

test('traits, consent and account are set aside with warnings: a page links its visitor and says no more', async () => {
  const page = await openPage();
  const person = { email: 'a@b.c', user_id: 'u' };
  await page.workspace.load('people', [
    { id: 'k', person, traits: { plan: 'pro' }, account: { id: 'acme', name: 'Acme' } },
  ]);
  const answer = await page.post('people', {
    id: 'p',
    person: { ...person, anonymous_id: 'x' },
    traits: { plan: 'free' },
    consent: { analytics: false },
    account: { id: 'evil', name: 'Evil', domain: 'b.c' },
  });
  expect(statusesOf(answer)).toEqual(['accepted']);
  expect(warned(answer).toSorted()).toEqual(['/people/0/account', '/people/0/consent', '/people/0/traits']);
  const { body } = await page.workspace.get('/v1/people/lookup?anonymous_id=x');
  expect(body).toMatchObject({
    traits: { plan: 'pro' },
    consent: { analytics: true },
    account: { id: 'acme', name: 'Acme' },
  });
  const named = await page.post('touchpoints', { ...seen('t', person), account: { domain: 'evil.example' } });
  expect(warned(named)).toEqual(['/touchpoints/0/account']);
  expect((await page.workspace.get('/v1/touchpoints/t')).body.account_id).toBe('acme');
});

describe('links of a page', () => {
  const [ann, bob] = [{ email: 'ann@a.com' }, { email: 'bob@b.com' }];
  /** A page of a workspace in which Ann and Bob exist. */
  async function withTwo(): Promise<Page> {
    const page = await openPage();
    await page.workspace.touchpoints(touch('ann', { person: ann }), touch('bob', { person: bob }));
    return page;
  }
  const LINKS = [
    ['touchpoints', (id: string, person: Json) => seen(id, person)],
    [
      'conversions',
      (id: string, person: Json) => sale(id, { occurred_at: undefined, value: undefined, person }),
    ],
    ['people', (id: string, person: Json) => ({ id, person })],
  ] as const;

  test.for(LINKS)(
    'in %s make a visitor known, and are kept as not from a secret key',
    async ([resource, make]) => {
      const page = await withTwo();
      const answer = await page.post(resource, make('l', { ...ann, anonymous_id: 'x' }));
      expect(answer.body.results).toEqual([{ index: 0, id: 'l', status: 'accepted' }]);
      const { body } = await page.workspace.get('/v1/people/lookup?anonymous_id=x');
      expect(body.id).toBe((await page.workspace.get('/v1/touchpoints/ann')).body.person_id);
      const facts = await rowsOf(
        'select distinct from_secret_key from identity_links where workspace_id = $1',
        [page.workspace.id],
      );
      expect(facts).toEqual([{ from_secret_key: false }]);
    },
  );

  test.for(LINKS)(
    'in %s never join two who are known: stored for the first identity, and the page is not told',
    async ([resource, make]) => {
      const page = await withTwo();
      const person = { email: ann.email, user_id: 'bob-1' };
      await page.workspace.touchpoints(touch('b1', { person: { ...bob, user_id: 'bob-1' } }));
      const answer = await page.post(resource, make('l', person));
      expect(statusesOf(answer)).toEqual(['accepted']);
      expect(answer.body.results[0].warnings).toBeUndefined();
      expect(await partitionOf(page.workspace)).toEqual(
        resource === 'touchpoints' ? [['ann'], ['b1', 'bob', 'l']] : [['ann'], ['b1', 'bob']],
      );
      // With a secret key it is an ordinary link.
      await page.workspace.load('people', [{ id: 's', person }]);
      expect((await partitionOf(page.workspace)).length).toBe(1);
    },
  );

  test('do not join two by a stranger between them, in one batch or one after the other', async () => {
    const page = await withTwo();
    const batch = await page.post(
      'people',
      { id: '1', person: { ...ann, anonymous_id: 'x' } },
      { id: '2', person: { anonymous_id: 'x', x: 'between' } },
      { id: '3', person: { ...bob, x: 'between' } },
      { id: '4', person: { anonymous_id: 'alone', user_id: 'new' } },
    );
    expect(batch.body.results.map(({ warnings }: Json) => warnings)).toEqual(Array(4).fill(undefined));
    expect(await partitionOf(page.workspace)).toEqual([['ann'], ['bob']]);
    await page.post('people', { id: '5', person: { ...ann, anonymous_id: 'y' } });
    await page.post('people', { id: '6', person: { ...bob, anonymous_id: 'y' } });
    expect(await partitionOf(page.workspace)).toEqual([['ann'], ['bob']]);
  });

  test('do not join strangers who share nothing but a batch that was refused its links', async () => {
    const page = await withTwo();
    await page.post(
      'touchpoints',
      seen('1', { user_id: 'n1', ...ann, x: 'bobs' }),
      seen('2', { user_id: 'n2', ...bob, x: 'bobs' }),
      seen('3', { user_id: 'n1' }),
    );
    expect(await partitionOf(page.workspace)).toEqual([['1', '3'], ['2'], ['ann'], ['bob']]);
  });

  test('that are known already are said again', async () => {
    const page = await withTwo();
    await page.workspace.load('people', [{ id: 's', person: { ...ann, ...{ x: 'ann' } } }]);
    const answer = await page.post('people', { id: 'p', person: { ...ann, x: 'ann' } });
    expect(answer.body.results).toEqual([{ index: 0, id: 'p', status: 'accepted' }]);
  });

  test('of two pages at once do not join two who are known either', async () => {
    const page = await withTwo();
    for (let round = 0; round < 15; round++) {
      const stranger = { anonymous_id: `r${round}` };
      const answers = await Promise.all([
        page.post('people', { id: `a${round}`, person: { ...ann, ...stranger } }),
        page.post('people', { id: `b${round}`, person: { ...bob, ...stranger } }),
      ]);
      expect(answers.flatMap(statusesOf)).toEqual(['accepted', 'accepted']);
    }
    expect(await partitionOf(page.workspace)).toEqual([['ann'], ['bob']]);
  });
});
