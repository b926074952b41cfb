import { describe, expect, test } from 'vitest';
import { AUDIT_ACTIONS } from '../../src/domain/audit.ts';
import { operations } from '../../src/operations.ts';
import { type Answer, ask, type Json, needWorld, type TestWorkspace } from '../support/api.ts';
import { rowsOf } from '../support/tables.ts';
import { asRoot, CANARY, CASES, FUNNEL, LINK, prepare } from './audit-cases.ts';
import { idsIn, sale, statusesOf } from './items.ts';

/** Actions with admin keys: one row each, in the statement of the action, and nothing personal. */

needWorld();

const NOBODY = '01a20214-66cd-7256-9405-8feca53f6ec9';

const logOf = async (workspace: TestWorkspace, query = ''): Promise<Json[]> =>
  (await workspace.get(`/v1/audit${query}`)).body.data;

/** The rows that `act` adds. */
async function added(workspace: TestWorkspace, act: () => Promise<unknown>): Promise<Json[]> {
  const before = new Set(await idsIn(workspace, '/v1/audit'));
  await act();
  return (await logOf(workspace)).filter((row) => !before.has(row.id));
}

const callsOf = (answer: Answer) => /desc="calls=(\d+)"/.exec(answer.headers.get('server-timing') ?? '')?.[1];

describe('an action', () => {
  test.for(CASES.map((each) => [each.operation, each] as const))(
    'writes one row that says who, when, what and to what, in its own round trip: %s',
    async ([_name, { action, act, row, calls = 1 }]) => {
      const made = await prepare();
      const started = Date.now();
      const done: { answer?: Answer } = {};
      const rows = await added(made.workspace, async () => {
        done.answer = await act(made);
      });
      const { answer } = done;
      if (!answer) throw new Error('nothing was asked');
      expect(answer.status, answer.text).toBeLessThan(300);
      expect(callsOf(answer)).toBe(String(calls));
      expect(rows).toEqual([
        {
          id: expect.stringMatching(/^au_[0-9a-f]{32}$/),
          occurred_at: expect.any(String),
          key_id: made.key,
          action,
          ...row(made, answer),
        },
      ]);
      const at = Date.parse(rows[0].occurred_at);
      expect(at).toBeGreaterThanOrEqual(started - 1000);
      expect(at).toBeLessThanOrEqual(Date.now() + 1000);
    },
  );

  test('with the root key on a workspace that is not there yet is the first row of its log', async () => {
    const answer = await asRoot('POST', '/v1/workspaces', { name: CANARY });
    expect(callsOf(answer)).toBe('1');
    const { body } = await ask('GET', '/v1/audit', { token: answer.body.key.token });
    expect(body.data).toMatchObject([
      { key_id: 'root', action: 'workspace.create', target_id: null, fields: null },
    ]);
    expect(body.data).toHaveLength(1);
  });

  test('of deleting the workspace takes the log along', async () => {
    const { workspace } = await prepare();
    await asRoot('DELETE', `/v1/workspaces/${workspace.id}`);
    expect(await rowsOf('select id from audit_log where workspace_id = $1', [workspace.id])).toEqual([]);
  });

  test('that is done already is answered again and not logged again: voided, archived, erased', async () => {
    const { workspace, person } = await prepare();
    const act = async () => {
      for (const path of ['/v1/touchpoints/t', '/v1/goals/purchase', `/v1/people/${person}`])
        expect((await workspace.ask('DELETE', path)).status).toBe(200);
    };
    expect(await added(workspace, act)).toHaveLength(3);
    expect(await added(workspace, act)).toEqual([]);
  });

  test('that finds nothing, or is refused, writes no row', async () => {
    const { workspace, person } = await prepare();
    await workspace.conversions(sale('lost-2', { goal: 'nowhere' }));
    const [bad] = (await workspace.get('/v1/rejections')).body.data;
    const requests: [status: number, method: string, path: string, body?: Json][] = [
      [404, 'DELETE', '/v1/keys/key_x'],
      [404, 'DELETE', '/v1/goals/missing'],
      [404, 'DELETE', '/v1/funnels/missing'],
      [404, 'DELETE', '/v1/touchpoints/missing'],
      [404, 'DELETE', `/v1/people/${NOBODY}`],
      [404, 'GET', `/v1/people/${NOBODY}/export`],
      [404, 'POST', `/v1/people/${NOBODY}/unlink`, { person: LINK }],
      [404, 'POST', '/v1/rejections/rj_x/replay'],
      [422, 'POST', `/v1/rejections/${bad.id}/replay`],
      [422, 'POST', `/v1/people/${person}/unlink`, { person: { email: LINK.email } }],
      [422, 'PUT', '/v1/goals/purchase', { name: 'P' }],
      [422, 'PUT', '/v1/funnels/kept', { name: 'P' }],
      [
        422,
        'PUT',
        '/v1/funnels/kept',
        { ...FUNNEL, steps: [...FUNNEL.steps, { conversion: { goal: ['nowhere'] } }] },
      ],
      [422, 'PATCH', '/v1/workspace', { currency: 'nope' }],
      [422, 'POST', '/v1/keys', { name: 'k', scopes: [] }],
      [422, 'POST', '/v1/tokens', { expires_in: 1, allowed_origins: [], reports: ['roi'] }],
    ];
    const rows = await added(workspace, async () => {
      for (const [status, method, path, body] of requests)
        expect((await workspace.ask(method, path, { body })).status, `${method} ${path}`).toBe(status);
      expect(
        (await asRoot('POST', `/v1/workspaces/${NOBODY}/keys`, { name: 'k', scopes: ['read'] })).status,
      ).toBe(404);
    });
    expect(rows).toEqual([]);
  });

  test('replayed by several at a time is one row: the rejection went once', async () => {
    const { workspace, rejection } = await prepare();
    const replay = () => workspace.post(`/v1/rejections/${rejection}/replay`, undefined);
    const rows = await added(workspace, async () => {
      const answers = await Promise.all([replay(), replay(), replay()]);
      expect(answers.flatMap((a) => (a.status === 200 ? statusesOf(a) : []))).toContain('accepted');
    });
    expect(rows).toHaveLength(1);
  });
});

describe('the list of actions', () => {
  /** Not in the log, because it deletes the log. */
  const WITHOUT_LOG = ['deleteWorkspace'];
  /** Tested separately, because there is no workspace before it. */
  const TESTED_APART = ['createWorkspace'];

  test('has every operation that changes something with the scope admin or the root key', () => {
    const changing = operations.filter(
      ({ access, method }) => (access === 'admin' || access === 'root') && method !== 'get',
    );
    const tested = [...CASES.map(({ operation }) => operation), ...TESTED_APART, ...WITHOUT_LOG];
    expect(changing.map(({ id }) => id).filter((id) => !tested.includes(id))).toEqual([]);
  });

  test('has no action that no operation writes', () => {
    const tested = new Set([...CASES.map(({ action }) => action), 'workspace.create']);
    expect(AUDIT_ACTIONS.filter((action) => !tested.has(action))).toEqual([]);
  });
});

describe('the log', () => {
  test('holds no identity, trait or value of a person, whatever was done to them', async () => {
    const made = await prepare();
    const { workspace } = made;
    const order = [
      'exportPerson',
      'unlinkPerson',
      'replayRejection',
      'updateWorkspace',
      'createKey',
      'createToken',
    ];
    for (const name of [...order, 'putGoal', 'erasePerson'])
      await CASES.find(({ operation }) => operation === name)?.act(made);
    const rows = await rowsOf('select to_jsonb(a)::text as row from audit_log a where workspace_id = $1', [
      workspace.id,
    ]);
    expect(rows.length).toBeGreaterThan(7);
    const text = rows.map(({ row }) => row).join('\n');
    expect(text).toContain(made.person);
    expect(text).not.toContain(CANARY);
    expect((await workspace.get('/v1/audit')).text).not.toContain(CANARY);
  });
});
