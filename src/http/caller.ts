import type { workspaces } from '../db/workspace-tables.ts';
import type { DailyCaps, KeyKind, ReportName, ReportScope, Scope } from '../domain/settings.ts';
import type { FieldValues, Where } from '../domain/touchpoint-fields.ts';
import type { HeldKeys } from './identity-keys.ts';

/** The workspace of a key, with the settings that requests need. */
export type WorkspaceSettings = Omit<typeof workspaces.$inferSelect, 'created_at'>;

/** The holder of a key or a read token. */
export interface Caller {
  /** The id of the key; for a read token, of the key that created it. */
  key_id: string;
  kind: KeyKind;
  scopes: readonly Scope[];
  /** The origins whose pages may use it; null for a secret key, and empty for a read token for servers: none may. */
  allowed_origins: readonly string[] | null;
  /** For a publishable key, the goals that it may record; null: all. */
  goals: readonly string[] | null;
  /** For a publishable key; null: the defaults. */
  daily_caps: DailyCaps | null;
  /** The UTC day that was stored when the key was loaded. */
  last_used_on: string | null;
  expires_at: Date | null;
  /** Set for a read token; null: a key, which sees everything its scopes allow. */
  narrowing: Narrowing | null;
  workspace: WorkspaceSettings;
  identity_keys: HeldKeys;
}

/** The reports that a read token opens, and the rows to which it narrows them. */
export interface Narrowing {
  reports: readonly ReportName[];
  where: Where;
  where_conversion: FieldValues;
  /** Null: the scope that the request asks for. */
  scope: ReportScope | null;
}

/** True if the caller sees only some touchpoints or conversions. */
export function isNarrowed({ narrowing }: { narrowing: Narrowing | null }): boolean {
  if (!narrowing) return false;
  return Object.keys(narrowing.where).length + Object.keys(narrowing.where_conversion).length > 0;
}
