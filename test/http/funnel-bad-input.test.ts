import { beforeAll, describe, expect, test } from 'vitest';
import { DIRECTIONS, KINDS, STAGES } from '../../src/domain/touchpoint-fields.ts';
import { type Json, needWorld, TestWorkspace, world } from '../support/api.ts';
import { expectProblem } from './items.ts';

/** Invalid funnels: 422 with a pointer and the change to make; never a guess and never a 5xx. */

needWorld();

const mention = { touchpoint: { kind: ['mention'] } };
const reply = { touchpoint: { kind: ['reply'] } };
const purchase = { conversion: { goal: ['purchase'] } };
const FUNNEL = { steps: [mention, reply, purchase], window_seconds: 604_800 };
const RANGE = { from: '2025-06-01', to: '2025-07-01' };
const DAYS = 86_400;

let workspace: TestWorkspace;
beforeAll(async () => {
  if (world.missing !== null) return;
  workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
});

const exclude = (bounds: Json) => ({ exclude: [{ touchpoint: { kind: ['other'] }, ...bounds }] });

/** The change, the pointer of the response, and a part of its detail. */
const REFUSED: [what: string, changes: Json, pointers: string[], says?: string][] = [
  ['one step', { steps: [mention] }, ['/steps'], 'at least 2'],
  ['eleven steps', { steps: Array.from({ length: 11 }, () => mention) }, ['/steps'], 'at most 10'],
  ['steps left out', { steps: undefined }, ['/steps']],
  ['a step of nothing', { steps: [mention, {}] }, ['/steps/1'], '`touchpoint` or `conversion`'],
  ['a step of both', { steps: [mention, { ...reply, ...purchase }] }, ['/steps/1'], 'one of the two'],
  ['a step of no field', { steps: [mention, { touchpoint: {} }] }, ['/steps/1/touchpoint'], 'campaign'],
  [
    'a step of an unknown field',
    { steps: [mention, { touchpoint: { kind: ['reply'], colour: ['red'] } }] },
    ['/steps/1/touchpoint/colour'],
  ],
  [
    'a step of no value',
    { steps: [mention, { touchpoint: { channel: [] } }] },
    ['/steps/1/touchpoint/channel'],
  ],
  [
    'a step of 101 values',
    { steps: [mention, { touchpoint: { channel: Array.from({ length: 101 }, (_, i) => `c${i}`) } }] },
    ['/steps/1/touchpoint/channel'],
  ],
  [
    'a step of text in place of a list',
    { steps: [mention, { touchpoint: { channel: 'x' } }] },
    ['/steps/1/touchpoint/channel'],
  ],
  [
    'a step of a number',
    { steps: [mention, { touchpoint: { channel: [1] } }] },
    ['/steps/1/touchpoint/channel/0'],
  ],
  ['a step with an unknown key', { steps: [mention, { ...reply, weight: 2 }] }, ['/steps/1/weight']],
  ['a step with an empty name', { steps: [mention, { ...reply, name: '' }] }, ['/steps/1/name']],
  ['a step of no goal', { steps: [mention, { conversion: { goal: [] } }] }, ['/steps/1/conversion/goal']],
  [
    'a step of a conversion without goal',
    { steps: [mention, { conversion: {} }] },
    ['/steps/1/conversion/goal'],
  ],
  [
    'a step of a goal that is no key',
    { steps: [mention, { conversion: { goal: ['No Key'] } }] },
    ['/steps/1/conversion/goal/0'],
  ],
  [
    'a conversion by another field',
    { steps: [mention, { conversion: { goal: ['purchase'], plan: ['pro'] } }] },
    ['/steps/1/conversion/plan'],
  ],
  ['an unknown order', { order: 'random' }, ['/order'], 'strict'],
  ['an unknown entry', { entry: 'last' }, ['/entry'], 'first'],
  ['an unknown count', { count: 'events' }, ['/count'], 'completions'],
  ['an unknown scope', { scope: 'planet' }, ['/scope'], 'account'],
  ['no window', { window_seconds: undefined }, ['/window_seconds']],
  ['a window of 0', { window_seconds: 0 }, ['/window_seconds'], '1'],
  ['a window below 0', { window_seconds: -1 }, ['/window_seconds']],
  ['a window above 366 days', { window_seconds: 366 * DAYS + 1 }, ['/window_seconds'], '366 days'],
  ['half a second', { window_seconds: 1.5 }, ['/window_seconds']],
  ['a window as text', { window_seconds: '7d' }, ['/window_seconds']],
  ['hold of an unknown field', { hold: ['colour'] }, ['/hold/0'], 'conversation'],
  ['hold of a field twice', { hold: ['channel', 'topic', 'channel'] }, ['/hold/2'], 'once'],
  ['an exclusion after the last step', exclude({ after_step: 3 }), ['/exclude/0/after_step'], 'at most 2'],
  [
    'an exclusion before a step that is not there',
    exclude({ before_step: 4 }),
    ['/exclude/0/before_step'],
    '3',
  ],
  ['an exclusion between 2 and 2', exclude({ after_step: 2, before_step: 2 }), ['/exclude/0/before_step']],
  ['an exclusion backwards', exclude({ after_step: 2, before_step: 1 }), ['/exclude/0/before_step']],
  ['an exclusion before the first step', exclude({ before_step: 1 }), ['/exclude/0/before_step']],
  ['an exclusion after step 0', exclude({ after_step: 0 }), ['/exclude/0/after_step']],
  ['an exclusion of nothing', { exclude: [{ after_step: 1 }] }, ['/exclude/0'], '`touchpoint`'],
  ['eleven exclusions', { exclude: Array.from({ length: 11 }, () => mention) }, ['/exclude']],
  [
    'an exclusion with bounds where steps have no order',
    { order: 'any', ...exclude({ after_step: 1, before_step: 3 }) },
    ['/exclude/0/after_step', '/exclude/0/before_step'],
    'order',
  ],
  ['a breakdown at step 9 of 3', { breakdown: { by: ['channel'], at_step: 9 } }, ['/breakdown/at_step'], '3'],
  ['a breakdown at step 11', { breakdown: { by: ['channel'], at_step: 11 } }, ['/breakdown/at_step']],
  [
    'a breakdown of a conversion',
    { breakdown: { by: ['channel'], at_step: 3 } },
    ['/breakdown/at_step'],
    'touchpoints',
  ],
  ['a breakdown by nothing', { breakdown: { by: [] } }, ['/breakdown/by']],
  [
    'a breakdown by 4 fields',
    { breakdown: { by: ['channel', 'kind', 'topic', 'stage'] } },
    ['/breakdown/by'],
  ],
  ['a breakdown by an unknown field', { breakdown: { by: ['colour'] } }, ['/breakdown/by/0'], 'campaign'],
  ['a breakdown by a field twice', { breakdown: { by: ['kind', 'kind'] } }, ['/breakdown/by/1'], 'once'],
  ['a breakdown with an unknown key', { breakdown: { by: ['kind'], limit: 5 } }, ['/breakdown/limit']],
  ['an unknown currency', { currency: 'EURO' }, ['/currency'], 'ISO 4217'],
  ['an unknown key', { colour: 'red' }, ['/colour'], 'Unknown field'],
  [
    'NUL in a value',
    { steps: [mention, { touchpoint: { channel: ['a\0b'] } }] },
    ['/steps/1/touchpoint/channel/0'],
  ],
];

/** Steps that cannot match any event. */
const CLOSED: [field: string, value: string, known: readonly string[]][] = [
  ['kind', 'telepathy', KINDS],
  ['direction', 'sideways', DIRECTIONS],
  ['stage', 'nope', STAGES],
];

const REQUESTS: [name: string, method: string, path: string, more: Json][] = [
  ['POST /v1/reports/funnel', 'POST', '/v1/reports/funnel', RANGE],
  [
    'POST /v1/reports/funnel/people',
    'POST',
    '/v1/reports/funnel/people',
    { ...RANGE, step: 1, state: 'reached' },
  ],
  ['PUT /v1/funnels/{key}', 'PUT', '/v1/funnels/wrong', { name: 'Wrong' }],
];

describe.for(REQUESTS)('%s', ([, method, path, more]) => {
  const send = (changes: Json) => workspace.ask(method, path, { body: { ...more, ...FUNNEL, ...changes } });

  test.for(REFUSED)('refuses %s', async ([, changes, pointers, says]) => {
    const answer = await send(changes);
    expectProblem(answer, 422, 'invalid_request', pointers);
    if (says !== undefined) expect(answer.body.errors[0].detail).toContain(says);
  });

  test.for(CLOSED)('refuses a step of %s %s and names what is known', async ([field, value, known]) => {
    const answer = await send({ steps: [mention, { touchpoint: { [field]: [value] } }] });
    expectProblem(answer, 422, 'invalid_request', [`/steps/1/touchpoint/${field}/0`]);
    for (const word of known) expect(answer.body.errors[0].detail).toContain(`"${word}"`);
  });

  test('refuses goals that do not exist, and names each place', async () => {
    const answer = await send({
      steps: [mention, { conversion: { goal: ['purchase', 'nowhere'] } }, { conversion: { goal: ['gone'] } }],
      exclude: [{ conversion: { goal: ['refund'] } }],
    });
    expectProblem(answer, 422, 'unknown_goal', [
      '/steps/1/conversion/goal',
      '/steps/2/conversion/goal',
      '/exclude/0/conversion/goal',
    ]);
    expect(answer.body.errors[0].detail).toContain('nowhere');
    expect(answer.body.errors[0].detail).not.toContain('purchase');
  });

  test('refuses a list, null and broken JSON', async () => {
    expectProblem(await workspace.ask(method, path, { body: [] }), 422, 'invalid_request', ['']);
    expectProblem(await workspace.ask(method, path, { body: null }), 422, 'invalid_request', ['']);
    const headers = { 'content-type': 'application/json' };
    expectProblem(await workspace.ask(method, path, { raw: '{"steps":', headers }), 400, 'malformed_json');
  });

  test('refuses __proto__ as a field', async () => {
    const body = JSON.stringify({ ...more, ...FUNNEL }).replace('{"kind":', '{"__proto__":["x"],"kind":');
    const headers = { 'content-type': 'application/json' };
    expectProblem(await workspace.ask(method, path, { raw: body, headers }), 422, 'invalid_request');
  });
});

describe.for(REQUESTS.slice(0, 2))('the range of %s', ([, method, path, more]) => {
  const { from: _from, to: _to, ...rest } = more;
  test.for<[Json, string[]]>([
    [{ from: '2025-07-01', to: '2025-06-01' }, ['/to']],
    [{ from: '2025-06-01' }, ['/to']],
    [{ to: '2025-06-01' }, ['/from']],
    [{ ...RANGE, range: '7d' }, ['/range']],
    [{ range: '365d' }, ['/range']],
    [{ from: '2015-01-01', to: '2025-01-09' }, ['/from']],
    [{ from: '2025-02-30', to: '2025-03-01' }, ['/from']],
    [{ from: 1735689600, to: '2025-03-01' }, ['/from']],
    [{ ...RANGE, timezone: 'Mars/Olympus' }, ['/timezone']],
  ])('%j is refused', async ([range, pointers]) => {
    const answer = await workspace.ask(method, path, { body: { ...rest, ...FUNNEL, ...range } });
    expectProblem(answer, 422, 'invalid_request', pointers);
  });
});

describe('the list of people', () => {
  const send = (changes: Json, query = '') =>
    workspace.post(`/v1/reports/funnel/people${query}`, {
      ...RANGE,
      ...FUNNEL,
      step: 2,
      state: 'reached',
      ...changes,
    });

  test.for<[string, Json, string[]]>([
    ['without step', { step: undefined }, ['/step']],
    ['without state', { state: undefined }, ['/state']],
    ['of step 0', { step: 0 }, ['/step']],
    ['of step 4 of 3', { step: 4 }, ['/step']],
    ['of an unknown state', { state: 'lost' }, ['/state']],
    ['of those who dropped out before the first step', { step: 1, state: 'dropped' }, ['/state']],
  ])('%s is refused', async ([, changes, pointers]) => {
    expectProblem(await send(changes), 422, 'invalid_request', pointers);
  });

  const cursorOf = (...content: unknown[]) => Buffer.from(JSON.stringify(content)).toString('base64url');
  test.for<[string, Json]>([
    ['none', { scope: 'person' }],
    [cursorOf('2025-06-01T00:00:00.000Z', 'a'), {}],
    [cursorOf('not-a-person'), {}],
    [cursorOf("x' or true --"), {}],
    [cursorOf(''), { scope: 'account' }],
    [cursorOf('a\0'), { scope: 'account' }],
    [cursorOf('x'.repeat(256)), { scope: 'account' }],
  ])('by the cursor %s is refused', async ([cursor, changes]) => {
    expectProblem(await send(changes, `?cursor=${cursor}`), 422, 'invalid_request', ['?cursor']);
  });

  test.for(['?limit=0', '?limit=1001', '?format=xml', '?page=2'])('with %s is refused', async (query) => {
    expectProblem(await send({}, query), 422, 'invalid_request', [query.split('=')[0] ?? '']);
  });
});

describe('a saved funnel', () => {
  test.for<[Json, string[]]>([
    [{ name: undefined }, ['/name']],
    [{ name: '' }, ['/name']],
    [{ ...RANGE }, ['/from', '/to']],
    [{ compare: 'previous_period' }, ['/compare']],
  ])('with %j is refused', async ([changes, pointers]) => {
    const body = { name: 'Wrong', ...FUNNEL, ...changes };
    expectProblem(
      await workspace.ask('PUT', '/v1/funnels/wrong', { body }),
      422,
      'invalid_request',
      pointers,
    );
  });

  test.for([
    ['GET', ''],
    ['DELETE', ''],
    ['GET', '/report?from=2025-06-01&to=2025-07-01'],
  ])('that does not exist is 404: %s %s', async ([method = '', path]) => {
    for (const key of ['missing', 'No Key', '__proto__'])
      expectProblem(
        await workspace.ask(method, `/v1/funnels/${encodeURIComponent(key)}${path}`),
        404,
        'not_found',
      );
  });

  test('has a key of a–z, 0–9, _ and -', async () => {
    const body = { name: 'Fine', ...FUNNEL };
    for (const key of ['No', '-a', 'x'.repeat(65), 'é'])
      expectProblem(
        await workspace.ask('PUT', `/v1/funnels/${encodeURIComponent(key)}`, { body }),
        404,
        'not_found',
      );
  });

  test('is not stored when it is refused', async () => {
    expect((await workspace.get('/v1/funnels')).body.data).toEqual([]);
  });
});
