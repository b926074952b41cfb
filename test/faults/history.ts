/**
 * What senders know of their items, against what is stored. An attempt is *ok* if the item was answered as accepted,
 * duplicate or queued, *failed* if it was refused, and *unknown* if no answer came, or one that says to come back.
 */
export type AttemptOutcome = 'accepted' | 'duplicate' | 'queued' | 'failed' | 'unknown';

export interface Attempt {
  /** What the sender knows the item by, whatever id it has. */
  item: string;
  outcome: AttemptOutcome;
}

export interface Verdict {
  /** Items of which a sender was told that they are stored, or will be. */
  acknowledged: number;
  /** Attempts, one for each item in them, of which nobody was told how they ended. */
  unknown: number;
  /** Acknowledged, and not stored. */
  lost: string[];
  /** Stored, and either never sent or only ever refused. */
  invented: string[];
  /** Stored more than once, or accepted as new more than once. */
  doubled: string[];
}

/** @param stored every stored row, by what the sender knows its item by; an item stored twice comes twice */
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
