import { DAY_MS } from '../domain/time.ts';
import type { WorkspaceSettings } from '../http/caller.ts';

const HOUR_MS = 3_600_000;

/** Something about a report that its numbers do not show. */
export interface Warning {
  code: string;
  detail: string;
}

/** Conversions whose value could not be told in the currency asked. */
export function missingRateWarning(conversions: number, currency: string): Warning {
  const detail = `${conversions} conversions are in another currency than ${currency} and have no exchange rate; they count, their value does not.`;
  return { code: 'missing_fx_rate', detail };
}

/** The range begins before what the workspace keeps, so the report is of what is left. */
export function retentionWarning(
  from: string,
  { retention_days }: Pick<WorkspaceSettings, 'retention_days'>,
  now: Date,
): Warning[] {
  if (retention_days === null) return [];
  // To the hour, like the job that deletes: with every millisecond in it, no report would ever be the same again.
  const hour = now.getTime() - (now.getTime() % HOUR_MS);
  const kept = new Date(hour - retention_days * DAY_MS);
  if (new Date(from) >= kept) return [];
  const detail = `Conversions before ${kept.toISOString()} are deleted: the workspace keeps them for ${retention_days} days.`;
  return [{ code: 'outside_retention', detail }];
}

/** For reports that read all of history, so that whatever is deleted may be missing, however short the range. */
export function historyWarning(
  { retention_days }: Pick<WorkspaceSettings, 'retention_days'>,
  effect: string,
): Warning[] {
  if (retention_days === null) return [];
  const detail = `The workspace keeps conversions for ${retention_days} days and touchpoints for a year more: ${effect}.`;
  return [{ code: 'outside_retention', detail }];
}
