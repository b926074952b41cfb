/** Names of fields that items have. They name nobody, and every item has some of them. */
export const FIELD_NAMES: ReadonlySet<string> = new Set([
  ...['id', 'occurred_at', 'person', 'email', 'phone', 'user_id', 'anonymous_id', 'referred_by', 'traits'],
  ...['kind', 'direction', 'channel', 'source', 'medium', 'campaign', 'content', 'term', 'url', 'referrer'],
  ...['conversation', 'topic', 'stage', 'sentiment', 'properties', 'account', 'domain', 'name', 'consent'],
  ...['goal', 'value', 'currency', 'conversion_id', 'from', 'to', 'amount', 'analytics'],
]);

/** Between quotes, between the separators of tables, and between all separators. */
const PARTS = [/[^"]+/g, /[^,;|\t]+/g, /[^\s"'`,;:=|&<>(){}[\]\\]+/g];

/**
 * The parts of a line that is not JSON and may be broken JSON, CSV or prose: whatever could be a value in it. A name of
 * a field is none.
 */
export function* partsOfLine(line: string): Generator<string> {
  const seen = new Set<string>(FIELD_NAMES);
  for (const pattern of PARTS) {
    for (const [match] of line.matchAll(pattern)) {
      const part = match.trim().replace(/^["']+|["']+$/g, '');
      // What lies between two texts of JSON begins like this, and what was cut across them has quotes.
      if (/^[:,}\]]|"/.test(part) || !/[\p{L}\p{N}]/u.test(part) || seen.has(part)) continue;
      seen.add(part);
      yield part;
    }
  }
}
