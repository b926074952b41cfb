import type { FieldError } from '../domain/json.ts';
import { MAX_FUTURE_MS, MAX_PUBLISHABLE_PAST_MS } from '../domain/time.ts';
import type { RecordContext } from '../http/operation.ts';
import { type AccountInput, accountOf } from './account.ts';
import { type HashedIdentity, personOf } from './person.ts';
import { ignoredMembers, isPublishable } from './publishable.ts';
import type { AccountClaim } from './resolve-people-sql.ts';

/** When an item happened: as it says, or now. Clocks run ahead, but not by more than a day. */
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
    return refused('More than 24 hours in the future; were milliseconds read as seconds?');
  if (isPublishable(context) && at < now - MAX_PUBLISHABLE_PAST_MS)
    return refused(
      'More than 24 hours ago: a publishable key tells of the last day; send it with a secret key.',
    );
  return { occurred_at, errors: [] };
}

/** What every item about a person has. */
export interface NormalisedItem {
  occurred_at: string;
  identities: HashedIdentity[];
  /** Null where none is named, or nothing of it is left. */
  account: AccountClaim | null;
  /** What "the same item" is judged on, in place of what was sent: normalised. */
  content: { person: Record<string, string>; account: AccountClaim | null };
  warnings: FieldError[];
}

const ACCOUNT_IGNORED =
  'A publishable key does not say who is at which company; this was left out. Send it with a secret key.';

const NO_ACCOUNT = { account: null, warnings: [], errors: [] };

/** The map of a person as it is compared: normalised, without placeholders. */
export function mapOf(identities: readonly HashedIdentity[]): Record<string, string> {
  return Object.fromEntries(identities.map(({ namespace, value }) => [namespace, value]));
}

/** Whose an item is and when it happened, or everything that is wrong with these. */
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
