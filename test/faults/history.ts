/**
 * The history of the senders, compared with the stored rows. An attempt is *ok* if the item was accepted, a duplicate
 * or queued, *failed* if it was rejected, and *unknown* if there was no response, or one that asks for a retry.
 */
export type AttemptOutcome = 'accepted' | 'duplicate' | 'queued' | 'failed' | 'unknown';

export interface Attempt {
  /** The sender's name for the item, whatever id it has. */
  item: string;
  outcome: AttemptOutcome;
}

export interface Verdict {
  /** Items that a response called stored, or queued. */
  acknowledged: number;
  /** Attempts with an unknown outcome, one for each item in them. */
  unknown: number;
  /** Acknowledged, and not stored. */
  lost: string[];
  /** Stored, and either never sent or only ever rejected. */
  invented: string[];
  /** Stored more than once, or accepted as new more than once. */
  doubled: string[];
}

/** @param stored the sender's name of every stored row; an item that is stored twice occurs twice */
export function judge(attempts: Iterable<Attempt>, stored: Iterable<string>): Verdict {
  const rows = countOf(stored);
  const acknowledged = new Set<string>();
  const mayBeStored = new Set<string>();
  const accepted: string[] = [];
  let unknown = 0;
  for (const { item, outcome } of attempts) {
    if (outcome === 'unknown') unknown += 1;
    if (outcome === 'accepted') accepted.push(item);
    if (outcome !== 'failed' && outcome !== 'unknown') acknowledged.add(item);
    if (outcome !== 'failed') mayBeStored.add(item);
  }
  const twice = [rows, countOf(accepted)].flatMap((counts) =>
    [...counts].filter(([, count]) => count > 1).map(([item]) => item),
  );
  return {
    acknowledged: acknowledged.size,
    unknown,
    lost: [...acknowledged].filter((item) => !rows.has(item)),
    invented: [...rows.keys()].filter((item) => !mayBeStored.has(item)),
    doubled: [...new Set(twice)],
  };
}

function countOf(items: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}
