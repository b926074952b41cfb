import * as z from 'zod';
import { isPublicMailDomain } from '../domain/accounts.ts';
import { type Identity, isPlaceholder, normaliseDomain } from '../domain/identities.ts';
import type { FieldError } from '../domain/json.ts';
import { AccountId } from '../http/fields.ts';
import type { RecordContext } from '../http/operation.ts';
import type { AccountClaim } from './resolve-people-sql.ts';

const MAX_DOMAIN_LENGTH = 253;

/** The account that an item names: by the sender's id, by a domain, or by both. */
export const AccountInput = z
  .strictObject({
    id: AccountId.nullish(),
    domain: z.string().min(1).max(MAX_DOMAIN_LENGTH).nullish().meta({
      description: 'The domain of its website or e-mail; never that of a public mail provider.',
      example: 'acme.com',
    }),
    name: z
      .string()
      .min(1)
      .max(500)
      .nullish()
      .meta({ description: 'The latest name counts.', example: 'Acme' }),
  })
  .refine((account) => account.id != null || account.domain != null, {
    message: 'Send an id, a domain, or both',
  })
  .meta({
    id: 'AccountInput',
    description:
      "The person's account from then on. With an id and a domain, the domain belongs to that account, and an item that names the domain alone means the same account.",
  });
export type AccountInput = z.output<typeof AccountInput>;

interface AccountOfItem {
  /** Normalised, without placeholders; null if nothing is left. */
  account: AccountClaim | null;
  warnings: FieldError[];
  errors: FieldError[];
}

/** Normalises the account of an item. A placeholder, or a public mail provider, is ignored with a warning. */
export function accountOf(sent: AccountInput, pointer: string): AccountOfItem {
  const result: AccountOfItem = { account: null, warnings: [], errors: [] };
  const { name } = sent;
  let { id, domain } = sent;
  if (id != null && isPlaceholder(id)) {
    const detail = 'This id is a placeholder and was ignored; send the real one or none.';
    result.warnings.push({ pointer: `${pointer}/id`, detail });
    id = null;
  }
  if (domain != null) {
    const normalised = normaliseDomain(domain.trim());
    if (normalised === null)
      result.errors.push({ pointer: `${pointer}/domain`, detail: 'Not a domain name; send it as acme.com.' });
    else if (isPublicMailDomain(normalised)) {
      const detail = `${normalised} is a public mail provider, not a company, and was ignored; leave it out.`;
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

/** The company domain of the e-mail address, if the workspace derives accounts from addresses; else null. */
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
