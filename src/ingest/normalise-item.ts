import type { FieldError } from '../domain/json.ts';
import { MAX_FUTURE_MS, MAX_PUBLISHABLE_PAST_MS } from '../domain/time.ts';
import type { RecordContext } from '../http/operation.ts';
import { type AccountInput, accountOf } from './account.ts';
import { type HashedIdentity, personOf } from './person.ts';
import { ignoredMembers, isPublishable } from './publishable.ts';
import type { AccountClaim } from './resolve-people-sql.ts';

/** The time of an item: the one it carries, or now. Clocks run ahead, but not by more than a day. */
export function occurredAtOf(
  occurredAt: string | null | undefined,
  pointer: string,
  context: Pick<RecordContext, 'now' | 'caller'>,
): { occurred_at: string; errors: FieldError[] } {
  const now = context.now.getTime();
  const occurred_at = occurredAt ?? context.now.toISOString();
  const at = new Date(occurred_at).getTime();
  const refused = (detail: string) => ({
    occurred_at,
    errors: [{ pointer: `${pointer}/occurred_at`, detail }],
  });
  if (at > now + MAX_FUTURE_MS)
    return refused('More than 24 hours in the future; check whether milliseconds were read as seconds.');
  if (isPublishable(context) && at < now - MAX_PUBLISHABLE_PAST_MS)
    return refused('More than 24 hours ago, the limit for a publishable key; send it with a secret key.');
  return { occurred_at, errors: [] };
}

/** The normalised parts that every item about a person has. */
export interface NormalisedItem {
  occurred_at: string;
  identities: HashedIdentity[];
  /** Null if the item names none, or nothing of it is left. */
  account: AccountClaim | null;
  /** Normalised members, which replace those that were sent in the content hash. */
  content: { person: Record<string, string>; account: AccountClaim | null };
  warnings: FieldError[];
}

const ACCOUNT_IGNORED =
  'This was ignored. A publishable key cannot assert who belongs to which account; send it with a secret key.';

const NO_ACCOUNT = { account: null, warnings: [], errors: [] };

/** The identities as a map, normalised and without placeholders, for the content hash. */
export function mapOf(identities: readonly HashedIdentity[]): Record<string, string> {
  return Object.fromEntries(identities.map(({ namespace, value }) => [namespace, value]));
}

/** Normalises the time, identities and account of an item, or returns all errors in them. */
export async function normaliseItem(
  item: {
    person: Record<string, string>;
    account?: AccountInput | null | undefined;
    occurred_at?: string | null | undefined;
  },
  pointer: string,
  context: RecordContext,
): Promise<NormalisedItem | { errors: FieldError[] }> {
  const when = occurredAtOf(item.occurred_at, pointer, context);
  const { identities, warnings, errors } = await personOf(item.person, `${pointer}/person`, context);
  const publishable = isPublishable(context);
  const company = item.account && !publishable ? accountOf(item.account, `${pointer}/account`) : NO_ACCOUNT;
  const wrong = [...when.errors, ...errors, ...company.errors];
  if (wrong.length > 0) return { errors: wrong };
  const { account } = company;
  const content = { person: mapOf(identities), account };
  const unheard = publishable ? ignoredMembers(item, ['account'], pointer, ACCOUNT_IGNORED) : [];
  const said = [...warnings, ...company.warnings, ...unheard];
  return { occurred_at: when.occurred_at, identities, account, content, warnings: said };
}
