import * as z from 'zod';
import { proposePeople } from '../domain/batch-people.ts';
import {
  byPriority,
  type Identity,
  MAX_IDENTITIES,
  MAX_IDENTITY_VALUE_LENGTH,
  NAMESPACE_PATTERN,
  normaliseIdentity,
} from '../domain/identities.ts';
import type { FieldError } from '../domain/json.ts';
import { isTelling } from '../domain/text-forms.ts';
import type { RecordContext } from '../http/operation.ts';
import { companyDomainOf } from './account.ts';
import type { AccountClaim, PersonClaim } from './resolve-people-sql.ts';
import { textHashOf } from './text-hash.ts';

/** `{"email": "ann@acme.com", "x": "@ann"}`. Checked entry by entry, so that errors name each wrong one. */
export const PersonMap = z
  .custom<Record<string, string>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    {
      message: 'Send an object of identities: {"email": "ann@acme.com"}',
      abort: true,
    },
  )
  .superRefine((map, context) => {
    const entries = Object.entries(map).filter(([, value]) => value !== null);
    if (entries.length === 0 || entries.length > MAX_IDENTITIES) {
      context.addIssue({ code: 'custom', message: `Send 1 to ${MAX_IDENTITIES} identities` });
    }
    for (const [namespace, value] of entries) {
      if (!NAMESPACE_PATTERN.test(namespace)) {
        context.addIssue({
          code: 'custom',
          path: [namespace],
          message:
            'Use a namespace of a–z, 0–9 and _ that begins with a letter and has at most 32 characters',
        });
      } else if (typeof value !== 'string' || value.length > MAX_IDENTITY_VALUE_LENGTH) {
        context.addIssue({
          code: 'custom',
          path: [namespace],
          message: `Send a string of 1 to ${MAX_IDENTITY_VALUE_LENGTH} characters`,
        });
      }
    }
  })
  .meta({
    id: 'Identities',
    type: 'object',
    description:
      'Identities of one person, from namespace to value. Two of them assert that they are the same person.',
    additionalProperties: { type: 'string', minLength: 1, maxLength: MAX_IDENTITY_VALUE_LENGTH },
    minProperties: 1,
    maxProperties: MAX_IDENTITIES,
    example: { email: 'ann@acme.com', x: '@ann' },
  });

/** An identity with its keyed hashes. */
export interface HashedIdentity extends Identity {
  value_hash: string;
  /** Without the namespace; see `textHashOf`. */
  text_hash: string;
}

export interface PersonOfItem {
  /** Normalised, and sorted by priority: the first decides which person the item belongs to. */
  identities: HashedIdentity[];
  warnings: FieldError[];
  errors: FieldError[];
}

const REASONS = {
  placeholder: 'This value is a placeholder and was ignored; send the real one or none.',
  invalid_phone:
    'Not a phone number; send E.164 (+4915112345678), or set the default_country of the workspace.',
  invalid_domain: 'Not a domain name; send it as acme.com.',
};

/**
 * Normalises and hashes the identities of an item. Placeholders are ignored with a warning; an item of placeholders
 * alone is an error.
 */
export async function personOf(
  map: Record<string, string>,
  pointer: string,
  context: RecordContext,
): Promise<PersonOfItem> {
  const result: PersonOfItem = { identities: [], warnings: [], errors: [] };
  for (const [namespace, value] of Object.entries(map)) {
    if (value === null) continue;
    const normalised = normaliseIdentity({ namespace, value }, context.workspace.default_country);
    if (normalised.ok) {
      const value_hash = await context.secrets.hash('identity', `${namespace}\0${normalised.value}`);
      const text = isTelling(normalised.value) ? normalised.value : `${namespace}\0${normalised.value}`;
      const text_hash = await textHashOf(text, context.secrets);
      result.identities.push({ namespace, value: normalised.value, value_hash, text_hash });
    } else {
      const list = normalised.reason === 'placeholder' ? result.warnings : result.errors;
      list.push({ pointer: `${pointer}/${namespace}`, detail: REASONS[normalised.reason] });
    }
  }
  if (result.identities.length === 0 && result.errors.length === 0) {
    result.errors.push({
      pointer,
      detail: 'No identity is left without the placeholders; send at least one real one.',
    });
  }
  result.identities.sort(byPriority);
  return result;
}

/** Members of a row's JSON: the identity that decides the person, and all identities, without their values. */
export function hashesOf(identities: readonly HashedIdentity[]) {
  const [first] = identities;
  const hashes = identities.map(({ namespace, value_hash }) => ({ namespace, value_hash }));
  return { namespace: first?.namespace, value_hash: first?.value_hash, identities: hashes };
}

/**
 * `namespace:hash` of the identities in a rejected item, as far as they can be read, so that an erasure finds its
 * rejection.
 */
export async function identityHashesOf(item: unknown, context: RecordContext): Promise<string[]> {
  const { person, referred_by } = (item ?? {}) as { person?: unknown; referred_by?: unknown };
  const hashes = new Set<string>();
  for (const map of [person, referred_by]) {
    if (typeof map !== 'object' || map === null) continue;
    const named = Object.entries(map).filter(
      ([namespace, value]) => NAMESPACE_PATTERN.test(namespace) && typeof value === 'string',
    );
    const { identities } = await personOf(Object.fromEntries(named), '', context);
    for (const { namespace, value_hash } of identities) hashes.add(`${namespace}:${value_hash}`);
  }
  return [...hashes];
}

/** A row to be stored that belongs to a person. */
export interface PersonRow {
  id: string;
  goal?: string;
  occurred_at: string;
  identities: HashedIdentity[];
  account?: AccountClaim | null;
  /** Identities of the advocate, who has to exist as a person too. */
  referred_by?: HashedIdentity[];
}

/** The people that a row names: its own, with the account, and the advocate. */
function namedBy(row: PersonRow): PersonRow[] {
  if (!row.referred_by || row.referred_by.length === 0) return [row];
  const { id, occurred_at, referred_by } = row;
  return [row, { id, occurred_at, identities: referred_by }];
}

/** The assertions of a row about its person's account: the one it names, and the domain of the e-mail address. */
function whereOf({ account, identities }: PersonRow, context: RecordContext) {
  const domain = companyDomainOf(identities, context);
  return { ...(account && { account }), ...(domain && { email_domain: domain }) };
}

function referrerOf({ referred_by }: PersonRow) {
  const [first] = referred_by ?? [];
  return first && { referrer: { namespace: first.namespace, value_hash: first.value_hash } };
}

/** The claims of a batch, for `resolve_people`. */
export async function claimsOf(
  rows: readonly PersonRow[],
  context: RecordContext,
  makeId: () => string,
): Promise<PersonClaim[]> {
  const named = rows.flatMap(namedBy);
  const keys = named.map((row) =>
    row.identities.map((identity) => `${identity.namespace} ${identity.value_hash}`),
  );
  const people = proposePeople(keys, makeId);
  const keepsValues = context.workspace.identity_storage === 'plain';
  return Promise.all(
    named.map(async (row, i) => ({
      id: row.id,
      ...(row.goal !== undefined && { goal: row.goal }),
      occurred_at: row.occurred_at,
      person_id: people[i] ?? makeId(),
      ...(row.identities.length > 1 && {
        link_id: await context.secrets.hash('link', keys[i]?.toSorted().join('\n') ?? ''),
      }),
      identities: row.identities.map(({ value, ...hashes }) => (keepsValues ? { ...hashes, value } : hashes)),
      ...whereOf(row, context),
      ...referrerOf(row),
    })),
  );
}
