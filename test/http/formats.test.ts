import papaparse from 'papaparse';
import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem, sale, touch } from './items.ts';

/** The same rows as JSON, CSV and NDJSON, selected by `?format=` or `Accept`. */

needWorld();

const REPORT =
  '/v1/reports/attribution?goal=purchase&from=2025-06-01&to=2025-06-02&models=linear,first_touch&group_by=channel,campaign';

async function workspaceWithRows(): Promise<TestWorkspace> {
  const workspace = await TestWorkspace.make();
  await workspace.goal('purchase');
  await workspace.touchpoints(
    touch('a', { conversation: { id: 'c', topic: 'pricing' }, properties: { b: { c: 1 } }, sentiment: -0.5 }),
    touch('b', { channel: 'email', campaign: 'one, "two"\nthree' }),
  );
  await workspace.conversions(sale('s', { properties: { plan: 'pro' } }));
  return workspace;
}

const parse = (text: string) => papaparse.parse<Record<string, string>>(text.trimEnd(), { header: true });

describe('the format', () => {
  test.for<[string, Record<string, string>, string]>([
    ['', {}, 'application/json'],
    ['', { accept: '*/*' }, 'application/json'],
    ['', { accept: 'application/json' }, 'application/json'],
    ['', { accept: 'text/csv' }, 'text/csv; charset=utf-8'],
    ['', { accept: 'application/x-ndjson' }, 'application/x-ndjson'],
    ['', { accept: 'text/html, text/csv;q=0.9, */*;q=0.1' }, 'text/csv; charset=utf-8'],
    ['', { accept: 'application/json, text/csv;q=0.5' }, 'application/json'],
    ['', { accept: 'text/csv;q=0, application/json' }, 'application/json'],
    ['?format=json', { accept: 'text/csv' }, 'application/json'],
    ['?format=csv', { accept: 'application/json' }, 'text/csv; charset=utf-8'],
    ['?format=ndjson', { accept: 'text/csv' }, 'application/x-ndjson'],
  ])('of "%s" with %j is %s', async ([query, headers, mediaType]) => {
    const workspace = await workspaceWithRows();
    const answer = await workspace.ask('GET', `/v1/touchpoints${query}`, { headers });
    expect(answer.headers.get('content-type')).toBe(mediaType);
    expect(answer.headers.get('vary')?.toLowerCase()).toContain('accept');
  });

  test('of a problem is problem+json, whatever was asked', async () => {
    const workspace = await workspaceWithRows();
    expectProblem(await workspace.get('/v1/touchpoints?format=csv&limit=0'), 422, 'invalid_request', [
      '?limit',
    ]);
    const answer = await workspace.ask('GET', '/v1/touchpoints?limit=0', { headers: { accept: 'text/csv' } });
    expectProblem(answer, 422, 'invalid_request', ['?limit']);
  });
});

describe('CSV', () => {
  test('has a row for each item: nested members are columns of their own, free JSON is JSON, null is empty', async () => {
    const workspace = await workspaceWithRows();
    const { data, errors } = parse((await workspace.get('/v1/touchpoints?format=csv')).text);
    expect(errors).toEqual([]);
    expect(data.map((row) => row.id)).toEqual(['b', 'a']);
    expect(data[1]).toMatchObject({
      'conversation.id': 'c',
      'conversation.topic': 'pricing',
      properties: '{"b":{"c":1}}',
      campaign: '',
      sentiment: '-0.5',
    });
    expect(data[0]).toMatchObject({ campaign: 'one, "two"\nthree', 'conversation.id': '' });
  });

  test('of a report flattens groups and credits', async () => {
    const workspace = await workspaceWithRows();
    const { body } = await workspace.get(REPORT);
    const { data } = parse((await workspace.get(`${REPORT}&format=csv`)).text);
    expect(data).toHaveLength(2);
    body.data.forEach((row: Json, i: number) => {
      expect(data[i]).toMatchObject({
        'group.channel': row.group.channel,
        'group.campaign': row.group.campaign ?? '',
        'credit.linear.value': String(row.credit.linear.value),
        'credit.first_touch.conversions': String(row.credit.first_touch.conversions),
      });
    });
  });

  test('neutralises what a spreadsheet would run', async () => {
    const workspace = await TestWorkspace.make();
    const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '=HYPERLINK("http://evil")'];
    await workspace.touchpoints(
      ...formulas.map((campaign, i) => touch(`t${i}`, { campaign })),
      touch('=id', { channel: '=c' }),
    );
    const { text } = await workspace.get('/v1/touchpoints?format=csv');
    const { data } = parse(text);
    expect(new Set(data.map((row) => row.campaign))).toEqual(
      new Set(['', ...formulas.map((formula) => `'${formula}`)]),
    );
    expect(data.find((row) => row.channel === "'=c")?.id).toBe("'=id");
    await workspace.goal('purchase');
    await workspace.conversions(sale('s'));
    const report = parse((await workspace.get(`${REPORT}&format=csv`)).text).data;
    for (const row of report) expect(row['group.campaign']).toMatch(/^('[=+\-@\t\r]|$)/);
  });

  test('has the same columns whatever the rows hold', async () => {
    const workspace = await workspaceWithRows();
    const columnsOf = async (query: string) =>
      parse((await workspace.get(`/v1/touchpoints?format=csv&${query}`)).text).meta.fields;
    expect(await columnsOf('where[channel]=email')).toEqual(await columnsOf('where[channel]=x'));
  });

  test('of no rows still has its header line', async () => {
    const workspace = await TestWorkspace.make();
    const header = (await workspace.get('/v1/touchpoints?format=csv')).text.split('\r\n')[0] ?? '';
    expect(header.split(',')).toEqual(expect.arrayContaining(['id', 'person_id', 'occurred_at', 'channel']));
  });
});

test('NDJSON has one row of `data` a line, and nothing where there is none', async () => {
  const workspace = await workspaceWithRows();
  for (const path of ['/v1/touchpoints', '/v1/conversions', REPORT]) {
    const { body } = await workspace.get(path);
    const { text } = await workspace.get(`${path}${path.includes('?') ? '&' : '?'}format=ndjson`);
    expect(text.endsWith('\n')).toBe(true);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(body.data);
  }
  expect((await workspace.get('/v1/touchpoints?format=ndjson&to=2000-01-01')).text).toBe('');
});

test('CSV and NDJSON pages have a Link to the next one', async () => {
  const workspace = await workspaceWithRows();
  for (const format of ['csv', 'ndjson']) {
    const { headers } = await workspace.get(`/v1/touchpoints?limit=1&format=${format}`);
    const next = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? '';
    const answer = await workspace.get(next);
    expect(answer.headers.get('content-type')).toContain(format);
    expect(answer.text).toContain('pricing');
    expect(answer.headers.get('link')).toBeNull();
  }
});
