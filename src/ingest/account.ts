import * as z from 'zod';
import { isPublicMailDomain } from '../domain/accounts.ts';
import { type Identity, isPlaceholder, normaliseDomain } from '../domain/identities.ts';
import type { FieldError } from '../domain/json.ts';
import { AccountId } from '../http/fields.ts';
import type { RecordContext } from '../http/operation.ts';
import type { AccountClaim } from './resolve-people-sql.ts';

const MAX_DOMAIN_LENGTH = 253;

/** The company that an item is about, by the sender's id of it, by its domain, or both. */
export const AccountInput = z
  .strictObject({
    id: AccountId.nullish(),
    domain: z.string().min(1).max(MAX_DOMAIN_LENGTH).nullish().meta({
      description: 'Of its website or e-mail; never one of a public mail provider.',
      example: 'acme.com',
    }),
    name: z
      .string()
      .min(1)
      .max(500)
      .nullish()
      .meta({ description: 'The last word counts.', example: 'Acme' }),
  })
  .refine((account) => account.id != null || account.domain != null, {
    message: 'Send an id, a domain, or both',
  })
  .meta({
    id: 'AccountInput',
    description:
      "The person's company from then on. With an id and a domain, the domain is that account's: whoever names it by the domain alone means the same.",
  });
export type AccountInput = z.output<typeof AccountInput>;

interface AccountOfItem {
  /** As it is compared: normalised, without placeholders; null if nothing is left. */
  account: AccountClaim | null;
  warnings: FieldError[];
  errors: FieldError[];
}

/** Normalises the account of an item. A placeholder, or a public mail provider, is left out with a warning. */
export function accountOf(sent: AccountInput, pointer: string): AccountOfItem {
  const result: AccountOfItem = { account: null, warnings: [], errors: [] };
  const { name } = sent;
  let { id, domain } = sent;
  if (id != null && isPlaceholder(id)) {
    const detail = 'This is what a broken sender puts where a value should be; it was left out.';
    result.warnings.push({ pointer: `${pointer}/id`, detail });
    id = null;
  }
  if (domain != null) {
    const normalised = normaliseDomain(domain.trim());
    if (normalised === null) result.errors.push({ pointer: `${pointer}/domain`, detail: 'No domain name.' });
    else if (isPublicMailDomain(normalised)) {
      const detail = `${normalised} is a public mail provider and no company; it was left out.`;
      result.warnings.push({ pointer: `${pointer}/domain`, detail });
    }
    domain = normalised === null || isPublicMailDomain(normalised) ? null : normalised;
  }
  if (id != null || domain != null) {
    result.account = {
      ...(id != null && { id }),
      ...(domain != null && { domain }),
      ...(name != null && { name }),
    };
  }
  return result;
}

/** The company that an e-mail address speaks of, where the workspace goes by that. */
export function companyDomainOf(
  identities: readonly Identity[],
  { workspace }: RecordContext,
): string | null {
  if (!workspace.accounts_from_email) return null;
  const address = identities.find(({ namespace }) => namespace === 'email')?.value;
  if (!address?.includes('@')) return null;
  const domain = normaliseDomain(address.slice(address.lastIndexOf('@') + 1));
  return domain?.includes('.') && !isPublicMailDomain(domain) ? domain : null;
}
