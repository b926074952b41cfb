import { DAY_MS } from '../domain/time.ts';
import type { WorkspaceSettings } from '../http/caller.ts';

const HOUR_MS = 3_600_000;

/** A fact about a report that its numbers do not show. */
export interface Warning {
  code: string;
  detail: string;
}

/** Conversions whose value could not be converted to the report's currency. */
export function missingRateWarning(conversions: number, currency: string): Warning {
  const detail = `${conversions} conversions are in another currency than ${currency} and have no exchange rate; they are counted, and their value is left out.`;
  return { code: 'missing_fx_rate', detail };
}

/**
 * The range begins before the retention of the workspace, so the report covers only the rows that are kept.
 */
export function retentionWarning(
  from: string,
  { retention_days }: Pick<WorkspaceSettings, 'retention_days'>,
  now: Date,
): Warning[] {
  if (retention_days === null) return [];
  // By the hour, like the job that deletes. By the millisecond, every report would differ from
  // the one before.
  const hour = now.getTime() - (now.getTime() % HOUR_MS);
  const kept = new Date(hour - retention_days * DAY_MS);
  if (new Date(from) >= kept) return [];
  const detail = `Conversions before ${kept.toISOString()} are deleted: the workspace keeps them for ${retention_days} days.`;
  return [{ code: 'outside_retention', detail }];
}

/** For reports that read all of history: deleted rows may be missing from them, however short the range. */
export function historyWarning(
  { retention_days }: Pick<WorkspaceSettings, 'retention_days'>,
  effect: string,
): Warning[] {
  if (retention_days === null) return [];
  const detail = `The workspace keeps conversions for ${retention_days} days, and touchpoints for a year longer: ${effect}.`;
  return [{ code: 'outside_retention', detail }];
}
