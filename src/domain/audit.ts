/** What the audit log knows of: each is one route. Deleting a workspace takes its log along. */
export const AUDIT_ACTIONS = [
  'workspace.create',
  'workspace.update',
  'key.create',
  'key.rotate',
  'key.delete',
  'goal.put',
  'goal.archive',
  'funnel.put',
  'funnel.delete',
  'account.put',
  'fx_rates.put',
  'touchpoint.void',
  'person.unlink',
  'person.erase',
  'person.export',
  'rejection.replay',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];
