import { sql } from 'drizzle-orm';
import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { isPublicMailDomain } from '../domain/accounts.ts';
import { isPlaceholder, normaliseDomain } from '../domain/identities.ts';
import type { FieldError } from '../domain/json.ts';
import { ApiError } from '../http/errors.ts';
import { AccountId } from '../http/fields.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { Account, AccountPut, accountExample } from './account-schema.ts';
import {
  accountOut,
  callPutAccount,
  type PutAccount,
  type StoredAccount,
  selectAccount,
} from './account-sql.ts';

export const putAccount = operation({
  method: 'put',
  path: '/v1/accounts/{id}',
  id: 'putAccount',
  tag: 'Accounts',
  summary: 'Create or replace an account',
  description:
    'Sets the name of an account and the domains that it owns. The domains take precedence over those that items assert; the name stays until a later item asserts another. People known by one of these domains become members at once, with all their touchpoints and conversions.',
  access: 'admin',
  params: z.object({ id: AccountId }),
  query: z.object({}),
  body: AccountPut,
  bodyExample: { name: 'Acme', domains: ['acme.com', 'acme.io'] },
  success: {
    status: 200,
    description: 'The account as it is now.',
    schema: Account,
    example: accountExample,
  },
  errors: [...BODY_ERRORS, 'not_found', 'domain_taken'],
  handle: async (context, { params, body }) => {
    const { database, workspace, now } = context;
    if (isPlaceholder(params.id)) {
      const detail = `${params.id} is a placeholder, which is ignored in items; choose another id.`;
      throw new ApiError('invalid_request', detail);
    }
    const domains = domainsOf(body.domains);
    const account = { name: body.name ?? null, domains: [...new Set(domains)] };
    const entry = {
      actor: context,
      action: 'account.put',
      target_id: params.id,
      fields: Object.keys(body),
    } as const;
    const [[done], [row]] = await database.atomic<[PutAccount, StoredAccount]>([
      audited(callPutAccount(workspace.id, params.id, account, now), entry, sql`taken is null`),
      selectAccount(workspace.id, params.id),
    ]);
    if (done?.taken) throw takenError(domains, done.taken);
    if (!row) throw new ApiError('not_found', 'The workspace is gone.');
    return { body: accountOut(row) };
  },
});

/** The normalised domains, in the order sent. */
function domainsOf(sent: readonly string[]): string[] {
  const errors: FieldError[] = [];
  const domains = sent.map((text, i) => {
    const domain = normaliseDomain(text.trim());
    if (domain === null) {
      errors.push({ pointer: `/domains/${i}`, detail: 'Not a domain name; send it as acme.com.' });
    } else if (isPublicMailDomain(domain)) {
      const detail = `${domain} is a public mail provider, where anybody can have an address; leave it out.`;
      errors.push({ pointer: `/domains/${i}`, detail });
    }
    return domain ?? '';
  });
  if (errors.length === 0) return domains;
  throw new ApiError('invalid_request', 'The domains are invalid; see `errors`.', { errors });
}

function takenError(domains: readonly string[], taken: NonNullable<PutAccount['taken']>): ApiError {
  const owners = new Map(taken.map(({ taken_domain, taken_by }) => [taken_domain, taken_by]));
  const errors = domains.flatMap((domain, i) => {
    const owner = owners.get(domain);
    if (owner === undefined) return [];
    const detail = `${domain} belongs to ${owner}; leave it out, or put ${owner} without it first.`;
    return [{ pointer: `/domains/${i}`, detail }];
  });
  return new ApiError('domain_taken', 'Nothing was changed; see `errors`.', { errors });
}
