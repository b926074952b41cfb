/**
 * The actions that the audit log records. Deleting a workspace is not among them, because it
 * deletes the log too.
 */
export const AUDIT_ACTIONS = [
  'workspace.create',
  'workspace.update',
  'key.create',
  'key.rotate',
  'key.delete',
  'token.create',
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
