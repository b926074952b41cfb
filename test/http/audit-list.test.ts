import papaparse from 'papaparse';
import { describe, expect, test } from 'vitest';
import { ask, type Json, needWorld, TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { expectProblem, idsIn } from './items.ts';

/** Access to the audit log, and its filters. */

needWorld();

const logOf = async (workspace: TestWorkspace, query = ''): Promise<Json[]> =>
  (await workspace.get(`/v1/audit${query}`)).body.data;

describe('the log', () => {
  test('of another workspace is not seen', async () => {
    const [workspace, other] = await Promise.all([TestWorkspace.make(), TestWorkspace.make()]);
    expect((await logOf(other)).map((row) => row.action)).toEqual(['workspace.create']);
    const ids = (await logOf(workspace)).map((row) => row.id);
    const [{ id }] = await logOf(other);
    expect(ids).not.toContain(id);
  });

  test.for([['read'], ['ingest'], ['read', 'ingest']])('is refused to a key with %j', async (scopes) => {
    const workspace = await TestWorkspace.make();
    const { token } = (await workspace.post('/v1/keys', { name: 'k', scopes })).body;
    expectProblem(await ask('GET', '/v1/audit', { token }), 403, 'forbidden');
  });
});

describe('the list', () => {
  /** Six rows, two of them at one instant. */
  async function dated(): Promise<TestWorkspace> {
    const workspace = await TestWorkspace.make({ timezone: 'Europe/Berlin' });
    for (const key of ['a', 'b', 'c', 'd']) await workspace.goal(key);
    await workspace.ask('DELETE', '/v1/goals/a');
    const set = 'update audit_log set occurred_at = $2 where workspace_id = $1 and action';
    await rowsOf(`${set} = 'workspace.create'`, [workspace.id, '2025-06-01T21:59:59.999Z']);
    await rowsOf(`${set} = 'goal.put'`, [workspace.id, '2025-06-01T22:00:00Z']);
    await rowsOf(`${set} = 'goal.archive'`, [workspace.id, '2025-06-02T22:00:00Z']);
    return workspace;
  }

  test.for([1, 2, 4, 5, 6])('is newest first and has each row once, in pages of %i', async (limit) => {
    const workspace = await dated();
    const rows = await logOf(workspace);
    const actions = rows.map((row) => row.action);
    expect(actions).toEqual(['goal.archive', ...Array(4).fill('goal.put'), 'workspace.create']);
    const puts = rows.slice(1, 5).map((row) => row.id);
    expect(puts).toEqual(puts.toSorted().reverse());
    expect(await idsIn(workspace, '/v1/audit', limit)).toEqual(rows.map((row) => row.id));
  });

  test('is narrowed by range, in the zone of the workspace or the one asked, and by action', async () => {
    const workspace = await dated();
    const actions = async (query: string) => (await logOf(workspace, query)).map((row) => row.action);
    const puts = Array(4).fill('goal.put');
    expect(await actions('?from=2025-06-02&to=2025-06-03')).toEqual(puts);
    expect(await actions('?from=2025-06-01&to=2025-06-02&timezone=UTC')).toEqual([
      ...puts,
      'workspace.create',
    ]);
    expect(await actions('?from=2025-06-02T22:00:00Z')).toEqual(['goal.archive']);
    expect(await actions('?action=goal.archive,workspace.create')).toEqual([
      'goal.archive',
      'workspace.create',
    ]);
    expect(await actions('?action=person.erase')).toEqual([]);
    for (const query of ['action=goal.delete', 'action=', 'cursor=x', 'from=2025-06-02&to=2025-06-02'])
      expectProblem(await workspace.get(`/v1/audit?${query}`), 422, 'invalid_request');
  });

  test('is the same as CSV and NDJSON', async () => {
    const workspace = await TestWorkspace.make();
    await workspace.goal('purchase');
    const rows = await logOf(workspace);
    const lines = (await workspace.get('/v1/audit?format=ndjson')).text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(rows);
    const { data } = papaparse.parse<Record<string, string>>(
      (await workspace.get('/v1/audit?format=csv')).text.trimEnd(),
      { header: true },
    );
    expect(data).toEqual(
      rows.map((row) => ({
        ...row,
        target_id: row.target_id ?? '',
        fields: row.fields === null ? '' : JSON.stringify(row.fields),
      })),
    );
  });
});
