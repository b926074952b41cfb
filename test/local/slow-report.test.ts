import { expect, onTestFinished, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { startNeonServer } from '../../local/neon-server.ts';
import { openPglite, type SqlBackend } from '../../local/sql-backend.ts';
import { createApp } from '../../src/app.ts';
import { operations } from '../../src/operations.ts';

/** The response to a report that exceeds its time-out. */

const ROOT_KEY = 'root-key-of-the-tests-0123456789abcdef';
const CANCELLED = { code: '57014', severity: 'ERROR' };

const FUNNEL = {
  steps: [{ touchpoint: { kind: ['mention'] } }, { conversion: { goal: ['purchase'] } }],
  window_seconds: 60,
};

/** Work after a response runs here as well, and nobody waits for it. */
const isolate = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };

/** A request for each operation that reads by `database.report`. */
const REQUESTS: Record<string, [path: string, body?: object]> = {
  getAttribution: ['/v1/reports/attribution?goal=purchase'],
  getExplanation: ['/v1/conversions/order-1/explanation'],
  getJourneys: ['/v1/reports/journeys?goal=purchase'],
  getFunnelReport: ['/v1/reports/funnel', FUNNEL],
  listFunnelPeople: ['/v1/reports/funnel/people', { ...FUNNEL, step: 1, state: 'reached' }],
  getSavedFunnelReport: ['/v1/funnels/signup/report'],
  getLifecycle: ['/v1/reports/lifecycle'],
  getConversationReport: ['/v1/reports/conversations'],
  getCultivation: ['/v1/reports/cultivation?goal=purchase&cultivation_goal=follow'],
  getAdvocacy: ['/v1/reports/advocacy?goal=purchase'],
  getRoi: ['/v1/reports/roi?goal=purchase'],
  getOverview: ['/v1/reports/overview'],
};

/** An API whose reports are cancelled by the statement time-out as long as `slow.reports` holds; everything else works. */
async function openSlow() {
  const slow = { reports: true };
  const embedded = await openPglite();
  await applyMigrations(embedded);
  const run: SqlBackend['run'] = async (queries, options) => {
    const isReport = queries.some(({ query }) => query.includes(`set_config('work_mem'`));
    if (isReport && slow.reports)
      throw Object.assign(new Error('canceling statement due to statement timeout'), CANCELLED);
    return embedded.run(queries, options);
  };
  const server = await startNeonServer({ backend: { ...embedded, run } });
  onTestFinished(async () => {
    await server.close();
    await embedded.close();
  });
  const config = {
    database_url: server.connectionString,
    root_key: ROOT_KEY,
    identity_secret: 'identity-secret-of-the-tests-0123456789',
  };
  const app = createApp({ config });
  const ask = async (method: string, path: string, token: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return app.request(path, { method, headers, body: body && JSON.stringify(body) }, {}, isolate);
  };
  const made = await ask('POST', '/v1/workspaces', ROOT_KEY, { name: 'Slow' });
  const { key } = (await made.json()) as { key: { token: string } };
  return {
    slow,
    embedded,
    ask: (method: string, path: string, body?: object) => ask(method, path, key.token, body),
    calls: () => server.calls(),
  };
}

test('503 report_too_slow with what to narrow and Retry-After: 60, asked once, without advice to send items again', {
  timeout: 60_000,
}, async () => {
  const { ask, calls } = await openSlow();
  const promising = operations.filter(({ errors }) => errors.includes('report_too_slow'));
  expect(promising.map(({ id }) => id).toSorted()).toEqual(Object.keys(REQUESTS).toSorted());
  await ask('PUT', '/v1/funnels/signup', { name: 'F', ...FUNNEL });
  for (const { id, method } of promising) {
    const [path, body] = REQUESTS[id] ?? [''];
    const before = calls();
    const answer = await ask(method.toUpperCase(), path, body);
    const problem = (await answer.json()) as { code: string; detail: string };
    expect([id, answer.status, problem.code]).toEqual([id, 503, 'report_too_slow']);
    expect(answer.headers.get('retry-after')).toBe('60');
    expect(problem.detail).toMatch(/shorter range/);
    expect(problem.detail).not.toMatch(/items|again/i);
    // The look-up of the key, the funnel, the report: cancelled once, and not retried.
    expect(calls() - before, id).toBeLessThanOrEqual(3);
  }
});

test('the same request is 503 at once for a minute, and no other one', { timeout: 60_000 }, async () => {
  const { ask, slow, embedded } = await openSlow();
  await ask('PUT', '/v1/goals/purchase', { name: 'Purchase', kind: 'conversion' });
  const path = '/v1/reports/attribution?goal=purchase&models=linear';
  expect((await ask('GET', path)).status).toBe(503);
  slow.reports = false;
  const again = await ask('GET', path);
  expect([again.status, again.headers.get('retry-after')]).toEqual([503, '60']);
  expect(((await again.json()) as { detail: string }).detail).toMatch(
    /less than a minute ago.*shorter range/,
  );
  expect((await ask('GET', `${path}&group_by=campaign`)).status).toBe(200);
  expect((await ask('GET', '/v1/reports/lifecycle')).status).toBe(200);
  const past = `update slow_reports set until_at = now() - interval '1 second'`;
  await embedded.run([{ query: past, params: [] }], { atomic: false });
  expect((await ask('GET', path)).status).toBe(200);
});
