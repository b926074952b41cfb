/** A row of the usual attribution. */
interface UsualRow {
  group?: string[];
  conversions?: number;
  value?: number;
}

interface AttributionBody {
  data?: {
    group: Record<string, string | null> | null;
    credit: Record<string, { conversions: number; value: number }>;
  }[];
}

/**
 * The greatest relative difference between the credit of the model `linear` in a report, which is rounded to six
 * digits, and the same by the usual SQL. 1 if a group is missing.
 */
export function differenceOf(rows: readonly UsualRow[], body: unknown): number {
  const { data = [] } = body as AttributionBody;
  const ofReport = new Map(
    data.map(({ group, credit }) => [JSON.stringify(Object.values(group ?? {})), credit.linear]),
  );
  if (ofReport.size !== rows.length) return 1;
  const differences = rows.flatMap(({ group, conversions = 0, value = 0 }) => {
    const credit = ofReport.get(JSON.stringify(group));
    if (!credit) return [1];
    return [relative(conversions, credit.conversions), relative(value, credit.value)];
  });
  return Math.max(0, ...differences);
}

function relative(one: number, other: number): number {
  return Math.abs(one - other) / Math.max(Math.abs(one), Math.abs(other), Number.MIN_VALUE);
}
