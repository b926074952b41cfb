import type { AccountClaim } from '../../db/resolve-people.ts';
import { MAX_FUTURE_MS } from '../../domain/time.ts';
import type { FieldError } from '../errors.ts';
import type { WorkspaceContext } from '../operation.ts';
import { type AccountInput, accountOf } from './account.ts';
import { type HashedIdentity, personOf } from './person.ts';

/** When an item happened: as it says, or now. Clocks run ahead, but not by more than a day. */
export function whenOf(
  occurredAt: string | null | undefined,
  pointer: string,
  { now }: WorkspaceContext,
): { occurred_at: string; errors: FieldError[] } {
  const occurred_at = occurredAt ?? now.toISOString();
  if (new Date(occurred_at).getTime() <= now.getTime() + MAX_FUTURE_MS) return { occurred_at, errors: [] };
  const detail = 'More than 24 hours in the future; were milliseconds read as seconds?';
  return { occurred_at, errors: [{ pointer: `${pointer}/occurred_at`, detail }] };
}

/** What every item about a person has. */
export interface WhoAndWhen {
  occurred_at: string;
  identities: HashedIdentity[];
  /** Null where none is named, or nothing of it is left. */
  account: AccountClaim | null;
  /** What "the same item" is judged on, in place of what was sent: normalised. */
  content: { person: Record<string, string>; account: AccountClaim | null };
  warnings: FieldError[];
}

const NO_ACCOUNT = { account: null, warnings: [], errors: [] };

/** The map of a person as it is compared: normalised, without placeholders. */
export function mapOf(identities: readonly HashedIdentity[]): Record<string, string> {
  return Object.fromEntries(identities.map(({ namespace, value }) => [namespace, value]));
}

/** Whose an item is and when it happened, or everything that is wrong with these. */
export async function whoAndWhen(
  item: {
    person: Record<string, string>;
    account?: AccountInput | null | undefined;
    occurred_at?: string | null | undefined;
  },
  pointer: string,
  context: WorkspaceContext,
): Promise<WhoAndWhen | { errors: FieldError[] }> {
  const when = whenOf(item.occurred_at, pointer, context);
  const { identities, warnings, errors } = await personOf(item.person, `${pointer}/person`, context);
  const company = item.account ? accountOf(item.account, `${pointer}/account`) : NO_ACCOUNT;
  const wrong = [...when.errors, ...errors, ...company.errors];
  if (wrong.length > 0) return { errors: wrong };
  const { account } = company;
  const content = { person: mapOf(identities), account };
  const said = [...warnings, ...company.warnings];
  return { occurred_at: when.occurred_at, identities, account, content, warnings: said };
}
