import type { Where } from '../db/where.ts';
import type { ReportName, ReportScope } from '../domain/settings.ts';

/** What a read token opens, and to what its reports are narrowed. */
export interface Narrowing {
  reports: readonly ReportName[];
  where: Where;
  where_conversion: Readonly<Record<string, readonly (string | null)[]>>;
  /** Null: whichever is asked. */
  scope: ReportScope | null;
}

/** Does the caller see some touchpoints or conversions only? */
export function isNarrowed({ narrowing }: { narrowing: Narrowing | null }): boolean {
  if (!narrowing) return false;
  return Object.keys(narrowing.where).length + Object.keys(narrowing.where_conversion).length > 0;
}
