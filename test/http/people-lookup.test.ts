import { describe, expect, test } from 'vitest';
import { needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, touch } from './items.ts';

/** Looking up the person of an identity: exactly one, in the URL or in a body, in any spelling. */

needWorld();

const lookUp = (workspace: TestWorkspace, query: Record<string, string>) =>
  workspace.get(`/v1/people/lookup?${new URLSearchParams(query)}`);
const lookUpByBody = (workspace: TestWorkspace, person: unknown) =>
  workspace.post('/v1/people/lookup', { person });

describe('a lookup', () => {
  /** The identity as sent with a touchpoint, and as looked up. */
  const SAME: [Record<string, string>, Record<string, string>][] = [
    [{ email: 'ann@acme.com' }, { email: ' ANN@Acme.com ' }],
    [{ email: 'ann+news@acme.com' }, { email: 'Ann+News@acme.com' }],
    [{ phone: '+49 151 12345678' }, { phone: '0151/12345678' }],
    [{ phone: '015112345678' }, { phone: '+4915112345678' }],
    [{ x: '@Ann' }, { x: 'aNN' }],
    [{ github: 'ann' }, { github: '@ANN' }],
    [{ domain: 'acme.com' }, { domain: 'WWW.Acme.com.' }],
    [{ user_id: 'Ann, "1"&=/é' }, { user_id: ' Ann, "1"&=/e\u0301' }],
    [{ stripe_customer: 'cus_1' }, { stripe_customer: 'cus_1' }],
    [{ constructor: '1' }, { constructor: '1' }],
  ];

  test.for(SAME)('finds who sent %j by %j, in the URL and in a body', async ([sent, asked]) => {
    const workspace = await TestWorkspace.make({ default_country: 'DE' });
    await workspace.touchpoints(touch('t', { person: sent }), touch('other'));
    const id = (await workspace.get('/v1/touchpoints/t')).body.person_id;
    for (const answer of [await lookUp(workspace, asked), await lookUpByBody(workspace, asked)]) {
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body).toMatchObject({ id, identities: [{ namespace: Object.keys(sent)[0] }] });
    }
  });

  test('tells namespaces apart, and case where it counts: 404', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t', { person: { user_id: 'ann' } }));
    const others: Record<string, string>[] = [{ x: 'ann' }, { user_id: 'Ann' }, { email: 'ann' }];
    for (const asked of others) {
      expectProblem(await lookUp(workspace, asked), 404, 'not_found');
      expectProblem(await lookUpByBody(workspace, asked), 404, 'not_found');
    }
  });

  /** The parameters, and those that the response names. */
  const REFUSED: [string, string[]][] = [
    ['', ['?']],
    ['?email=bob@acme.com&x=bob', ['?email', '?x']],
    ['?email=a@b.c&email=d@e.f', ['?email']],
    ['?email=', ['?email']],
    [`?user_id=${'x'.repeat(256)}`, ['?user_id']],
    ['?Email=bob@acme.com', ['?Email']],
    ['?e-mail=ann@acme.com', ['?e-mail']],
    ['?=ann', ['?']],
    ['?1=ann', ['?1']],
    ['?__proto__=ann', ['?__proto__']],
    ['?email[x]=ann', ['?email[x]']],
    ['?plan[x]=ann', ['?plan[x]']],
    ['?user_id=a%00b', ['?user_id']],
    ['?phone=015112345678', ['?phone']],
    ['?phone=call%20me', ['?phone']],
    ['?domain=a%20b', ['?domain']],
    ['?user_id=null', ['?user_id']],
    ['?user_id=%20', ['?user_id']],
    ['?x=@anonymous', ['?x']],
  ];

  test.for(REFUSED)('by "%s" is 422 and names %j', async ([query, pointers]) => {
    const workspace = await TestWorkspace.make();
    await workspace.touchpoints(touch('t'));
    const answer = await workspace.get(`/v1/people/lookup${query}`);
    expectProblem(answer, 422, 'invalid_request', pointers);
    expect(answer.text).not.toContain('bob');
  });

  test.for<[unknown, string[]]>([
    [{}, ['/person']],
    [{ email: null }, ['/person']],
    [{ email: 'ann@acme.com', x: 'ann' }, ['/person/email', '/person/x']],
    [{ email: 7 }, ['/person/email']],
    [{ Email: 'ann@acme.com' }, ['/person/Email']],
    [{ user_id: 'undefined' }, ['/person/user_id']],
    [{ phone: '1' }, ['/person/phone']],
    ['ann@acme.com', ['/person']],
  ])('by a body with %j is 422 and points at %j', async ([person, pointers]) => {
    const workspace = await TestWorkspace.make();
    expectProblem(await lookUpByBody(workspace, person), 422, 'invalid_request', pointers);
  });

  test('says what to send when nothing is sent, and that one will do when two are', async () => {
    const workspace = await TestWorkspace.make();
    const detail = async (path: string) => (await workspace.get(path)).body.detail;
    expect(await detail('/v1/people/lookup')).toContain('email=ann@acme.com');
    expect(await detail('/v1/people/lookup?x=a&github=b')).toMatch(/x and github are 2.*one of them/);
  });
});
