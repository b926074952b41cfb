import * as z from 'zod';
import { AUDIT_ACTIONS } from '../domain/audit.ts';

export const AuditRow = z
  .object({
    id: z.string(),
    occurred_at: z.string().meta({ format: 'date-time' }),
    key_id: z
      .string()
      .meta({ description: 'The key of the request, or `root`. It may have been revoked since.' }),
    action: z.enum(AUDIT_ACTIONS),
    target_id: z.string().nullable().meta({
      description:
        'The goal, funnel, key, account, touchpoint, person or rejection, as the request named it; for a read token the key that created it; null for the workspace itself and for exchange rates.',
    }),
    fields: z.array(z.string()).nullable().meta({
      description:
        'Names of the settings that were set or of the namespaces that were given; no values. For a key `kind:…` and `scopes:…`, for a read token `reports:…` and the names of the fields that narrow it (`where.channel`, `where_conversion.currency`, `scope`).',
    }),
  })
  .meta({ id: 'AuditRow' });
export type AuditRow = z.output<typeof AuditRow>;

export const auditRowExample: AuditRow = {
  id: 'au_0192f0c17d1e7a3b8c4d5e6f708192a3',
  occurred_at: '2026-06-01T12:00:00.000Z',
  key_id: 'key_0192f0c17d1e7a3b8c4d5e6f708192a3',
  action: 'goal.put',
  target_id: 'purchase',
  fields: ['name', 'kind', 'stage', 'lookback_days', 'counting'],
};
