import type { FieldError } from '../domain/json.ts';
import type { ItemResult } from './batch-answer.ts';
import type { NamedItem } from './name-items.ts';

/** An item that is ready to be stored. */
export interface Candidate<R> {
  sent: NamedItem;
  row: R;
  warnings: FieldError[];
}

interface IdentifiedRow {
  id: string;
  content_hash: string;
}

/** The first candidate of each id. Later ones of the batch with this id are duplicates of it, or conflicts. */
export function firstsOf<R extends IdentifiedRow>(candidates: readonly Candidate<R>[]): Candidate<R>[] {
  const firsts = new Map<string, Candidate<R>>();
  for (const candidate of candidates)
    if (!firsts.has(candidate.row.id)) firsts.set(candidate.row.id, candidate);
  return [...firsts.values()];
}

/** Makes a candidate a conflict if its content differs from that of the first one with its id. */
export function settleConflicts<R extends IdentifiedRow>(
  candidates: readonly Candidate<R>[],
  results: Map<number, ItemResult>,
): void {
  const firsts = new Map(firstsOf(candidates).map(({ row }) => [row.id, row.content_hash]));
  for (const { sent, row } of candidates) {
    if (firsts.get(row.id) === row.content_hash) continue;
    const { index, pointer } = sent;
    results.set(index, { index, id: row.id, status: 'conflict', errors: [conflictError(pointer)] });
  }
}

/**
 * A candidate that follows an equal one of the batch is a duplicate if that was accepted; else it has the same result.
 */
export function settleFollowers<R extends IdentifiedRow>(
  candidates: readonly Candidate<R>[],
  results: Map<number, ItemResult>,
): void {
  const firsts = new Map<string, ItemResult>();
  for (const { sent, row } of candidates) {
    const first = firsts.get(row.id);
    const result = results.get(sent.index);
    if (!first && result) firsts.set(row.id, result);
    else if (first && !result) {
      const status = first.status === 'accepted' ? 'duplicate' : first.status;
      results.set(sent.index, { ...first, index: sent.index, status });
    }
  }
}

export function conflictError(pointer: string): FieldError {
  return {
    pointer: `${pointer}/id`,
    detail: 'Other content is stored under this id and stays; send the change under a new id.',
  };
}
