import * as z from 'zod';
import type { FieldError } from '../domain/json.ts';
import { ApiError } from '../http/errors.ts';
import { BODY_ERRORS, operation, type WorkspaceContext } from '../http/operation.ts';
import { type HashedIdentity, PersonMap, personOf } from '../ingest/person.ts';
import { Person, PersonLookup, PersonLookupQuery, personExample } from './person-schema.ts';
import { personOut, type StoredPerson, selectPersonByIdentity } from './person-sql.ts';

const success = { status: 200, description: 'The person.', schema: Person, example: personExample } as const;

export const lookupPerson = operation({
  method: 'post',
  path: '/v1/people/lookup',
  id: 'lookupPerson',
  tag: 'People',
  summary: 'Look up a person by an identity',
  description:
    'Returns the person who has this identity, which is normalised as in items. A placeholder (`null`, `0`, `anonymous`) is an error, because nobody ever has it. An identity that no person has is a 404.',
  access: 'read',
  params: z.object({}),
  query: z.object({}),
  body: PersonLookup,
  bodyExample: { person: { email: 'ann@acme.com' } },
  success,
  errors: [...BODY_ERRORS, 'not_found'],
  handle: (context, { body }) => lookup(body.person, '/person/', context),
});

export const lookupPersonByQuery = operation({
  method: 'get',
  path: '/v1/people/lookup',
  id: 'lookupPersonByQuery',
  tag: 'People',
  summary: 'Look up a person by an identity in the URL',
  description:
    'The same, with the identity as the only parameter. Its name is the namespace: `email`, `user_id`, or any other. Every proxy on the way logs URLs, so prefer `POST`, with the identity in the body, for e-mail addresses and phone numbers.',
  access: 'read',
  params: z.object({}),
  query: PersonLookupQuery,
  success,
  errors: ['not_found'],
  handle: (context, { query }) => {
    const sent = Object.entries(query).filter(([, value]) => value !== undefined);
    return lookup(Object.fromEntries(sent), '?', context);
  },
});

/** @param base the prefix of a namespace in the pointer of an error */
async function lookup(map: Record<string, unknown>, base: string, context: WorkspaceContext) {
  const identity = await onlyIdentityOf(map, base, context);
  const [row] = await context.database.query<StoredPerson>(
    selectPersonByIdentity(context.workspace.id, identity),
  );
  if (!row) throw new ApiError('not_found', 'No person has this identity.');
  return { body: personOut(row) };
}

async function onlyIdentityOf(
  map: Record<string, unknown>,
  base: string,
  context: WorkspaceContext,
): Promise<HashedIdentity> {
  const namespaces = Object.keys(map).filter((namespace) => map[namespace] !== null);
  const place = (namespace: string) => base + namespace;
  if (namespaces.length === 0) {
    throw refusal([
      { pointer: base, detail: 'Send one identity, such as email=ann@acme.com or user_id=17.' },
    ]);
  }
  if (namespaces.length > 1) {
    const detail = `A lookup takes one identity; ${namespaces.join(' and ')} are ${namespaces.length}. Send one of them.`;
    throw refusal(namespaces.map((namespace) => ({ pointer: place(namespace), detail })));
  }
  const parsed = PersonMap.safeParse(map);
  if (!parsed.success) {
    throw refusal(
      parsed.error.issues.map(({ path, message }) => ({
        pointer: place(path.join('/')),
        detail: `${message}.`,
      })),
    );
  }
  const { identities, errors } = await personOf(parsed.data, '', context);
  const [identity] = identities;
  if (identity) return identity;
  throw refusal(
    errors.map(({ pointer, detail }) =>
      // An empty pointer means that the value was a placeholder; any other names a value that cannot be read.
      pointer === ''
        ? {
            pointer: place(namespaces.join()),
            detail: 'This value is a placeholder, which nobody has; send a real one.',
          }
        : { pointer: place(pointer.slice(1)), detail },
    ),
  );
}

function refusal(errors: FieldError[]): ApiError {
  const details = new Set(errors.map(({ detail }) => detail));
  return new ApiError('invalid_request', `The lookup is invalid. ${[...details].join(' ')}`, { errors });
}
