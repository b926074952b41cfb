import type { FieldError } from '../errors.ts';
import type { ItemResult } from './answer.ts';
import type { SentItem } from './read-items.ts';

/** An item and the id it goes by, whatever becomes of it. */
export interface NamedItem extends SentItem {
  id: string;
  isIdOfSender: boolean;
}

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

/** One id several times in a batch: the first goes on, the others follow it or are conflicts. */
export function settleRepeats<R extends IdentifiedRow>(
  candidates: readonly Candidate<R>[],
  results: Map<number, ItemResult>,
): Candidate<R>[] {
  const firsts = new Map<string, Candidate<R>>();
  for (const candidate of candidates) {
    const first = firsts.get(candidate.row.id);
    if (!first) firsts.set(candidate.row.id, candidate);
    else if (first.row.content_hash !== candidate.row.content_hash) {
      const { index, pointer } = candidate.sent;
      results.set(index, {
        index,
        id: candidate.row.id,
        status: 'conflict',
        errors: [conflictError(pointer)],
      });
    }
  }
  return [...firsts.values()];
}

/** What follows an equal item of the same batch is a duplicate if that went in, and shares its refusal if not. */
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
    detail: 'This id is stored with other content, which stays; send a change under a new id.',
  };
}
