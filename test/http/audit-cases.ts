import type { AuditAction } from '../../src/domain/audit.ts';
import { type Answer, ask, type Json, TestWorkspace, world } from '../support/api.ts';
import { sale, touch } from './items.ts';

/** Every operation that writes a row of the audit log, its target, and the row. */

export const CANARY = 'canary-5d21';
export const FUNNEL = {
  name: 'Kept',
  steps: [{ touchpoint: { kind: ['mention'] } }, { conversion: { goal: ['purchase'] } }],
  window_seconds: 86_400,
};
export const LINK = { email: `${CANARY}@acme.com`, user_id: `u-${CANARY}` };

export interface World {
  workspace: TestWorkspace;
  /** The id of the key that calls. */
  key: string;
  /** Another key, to be revoked. */
  spare: string;
  person: string;
  rejection: string;
}

/** A workspace with one of everything that an admin can change. */
export async function prepare(): Promise<World> {
  const workspace = await TestWorkspace.make({ identity_storage: 'plain' });
  const [key] = (await workspace.get('/v1/keys')).body.data;
  const spare = (await workspace.post('/v1/keys', { name: 'spare', scopes: ['read'] })).body.id;
  await workspace.goal('purchase');
  await workspace.touchpoints(touch('t', { person: { user_id: LINK.user_id } }), touch('o'));
  await workspace.load('people', [{ id: 'l', person: LINK, traits: { name: CANARY } }]);
  await workspace.conversions(sale('lost', { goal: 'upgrade', person: { email: LINK.email } }));
  await workspace.goal('upgrade');
  await workspace.ask('PUT', '/v1/funnels/kept', { body: FUNNEL });
  const person = (await workspace.get('/v1/touchpoints/t')).body.person_id;
  const [rejection] = (await workspace.get('/v1/rejections')).body.data;
  return { workspace, key: key.id, spare, person, rejection: rejection.id };
}

export const asRoot = (method: string, path: string, body?: Json) =>
  ask(method, path, { body, token: world.rootKey });

interface Case {
  operation: string;
  action: AuditAction;
  act: (made: World) => Promise<Answer>;
  /** Without the id and the time. */
  row: (
    made: World,
    answer: Answer,
  ) => { key_id?: string; target_id: string | null; fields: string[] | null };
  /** Round trips: a replay reads the rejection, stores the item, and deletes the rejection. */
  calls?: number;
}

const of = (target: (made: World, answer: Answer) => string | null, fields: string[] | null = null) => {
  return (made: World, answer: Answer) => ({ target_id: target(made, answer), fields });
};

export const CASES: Case[] = [
  {
    operation: 'updateWorkspace',
    action: 'workspace.update',
    act: ({ workspace }) =>
      workspace.ask('PATCH', '/v1/workspace', { body: { name: CANARY, retention_days: null } }),
    row: of(() => null, ['name', 'retention_days']),
  },
  {
    operation: 'createKey',
    action: 'key.create',
    act: ({ workspace }) => workspace.post('/v1/keys', { name: CANARY, scopes: ['read', 'ingest'] }),
    row: of((_made, answer) => answer.body.id, ['kind:secret', 'scopes:read,ingest']),
  },
  {
    operation: 'createKeyOfWorkspace',
    action: 'key.create',
    act: ({ workspace }) =>
      asRoot('POST', `/v1/workspaces/${workspace.id}/keys`, {
        name: CANARY,
        kind: 'publishable',
        allowed_origins: [`https://${CANARY}.example`],
      }),
    row: (_made, answer) => ({
      key_id: 'root',
      target_id: answer.body.id,
      fields: ['kind:publishable', 'scopes:ingest'],
    }),
  },
  {
    operation: 'rotateKey',
    action: 'key.rotate',
    act: ({ workspace, spare }) => workspace.post(`/v1/keys/${spare}/rotate`, { grace_seconds: 0 }),
    row: of((made) => made.spare, ['kind:secret', 'scopes:read']),
  },
  {
    operation: 'deleteKey',
    action: 'key.delete',
    act: ({ workspace, spare }) => workspace.ask('DELETE', `/v1/keys/${spare}`),
    row: of((made) => made.spare, ['kind:secret', 'scopes:read']),
  },
  {
    operation: 'createToken',
    action: 'token.create',
    act: ({ workspace }) =>
      workspace.post('/v1/tokens', {
        expires_in: 60,
        allowed_origins: [`https://${CANARY}.example`],
        reports: ['roi', 'attribution', 'roi'],
        where: { channel: [CANARY] },
        where_conversion: { 'properties.plan': [CANARY] },
        scope: 'person',
      }),
    row: of(
      (made) => made.key,
      ['reports:roi,attribution', 'where.channel', 'where_conversion.properties.plan', 'scope'],
    ),
  },
  {
    operation: 'putGoal',
    action: 'goal.put',
    act: ({ workspace }) => workspace.goal('lead', { name: CANARY, stage: 'trial' }),
    // The two fields that were not sent were set to their defaults.
    row: of(() => 'lead', ['name', 'kind', 'stage', 'lookback_days', 'counting']),
  },
  {
    operation: 'archiveGoal',
    action: 'goal.archive',
    act: ({ workspace }) => workspace.ask('DELETE', '/v1/goals/purchase'),
    row: of(() => 'purchase'),
  },
  {
    operation: 'putAccount',
    action: 'account.put',
    act: ({ workspace }) =>
      workspace.ask('PUT', '/v1/accounts/acme', { body: { name: 'Acme', domains: ['acme.example'] } }),
    row: of(() => 'acme', ['name', 'domains']),
  },
  {
    operation: 'putFxRates',
    action: 'fx_rates.put',
    act: ({ workspace }) =>
      workspace.ask('PUT', '/v1/fx-rates', {
        body: { rates: [{ date: '2025-06-01', from: 'EUR', to: 'USD', rate: 1.1 }] },
      }),
    row: of(() => null),
  },
  {
    operation: 'putFunnel',
    action: 'funnel.put',
    act: ({ workspace }) => workspace.ask('PUT', '/v1/funnels/other', { body: { ...FUNNEL, name: CANARY } }),
    // Fields that were not sent were set to their defaults.
    row: of(
      () => 'other',
      ['name', 'steps', 'order', 'window_seconds', 'entry', 'count', 'scope', 'hold', 'exclude'],
    ),
  },
  {
    operation: 'deleteFunnel',
    action: 'funnel.delete',
    act: ({ workspace }) => workspace.ask('DELETE', '/v1/funnels/kept'),
    row: of(() => 'kept'),
  },
  {
    operation: 'voidTouchpoint',
    action: 'touchpoint.void',
    act: ({ workspace }) => workspace.ask('DELETE', '/v1/touchpoints/t'),
    row: of(() => 't'),
  },
  {
    operation: 'unlinkPerson',
    action: 'person.unlink',
    act: ({ workspace, person }) => workspace.post(`/v1/people/${person}/unlink`, { person: LINK }),
    row: of((made) => made.person, ['user_id', 'email']),
  },
  {
    operation: 'erasePerson',
    action: 'person.erase',
    act: ({ workspace, person }) => workspace.ask('DELETE', `/v1/people/${person}`),
    row: of((made) => made.person),
  },
  {
    operation: 'exportPerson',
    action: 'person.export',
    act: ({ workspace, person }) => workspace.get(`/v1/people/${person}/export`),
    row: of((made) => made.person),
  },
  {
    operation: 'replayRejection',
    action: 'rejection.replay',
    act: ({ workspace, rejection }) => workspace.post(`/v1/rejections/${rejection}/replay`, undefined),
    row: of((made) => made.rejection),
    calls: 3,
  },
];
