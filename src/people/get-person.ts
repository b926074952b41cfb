import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { PersonId } from '../http/fields.ts';
import { operation } from '../http/operation.ts';
import { Person, personExample } from './person-schema.ts';
import { personOut, type StoredPerson, selectPerson } from './person-sql.ts';

export const getPerson = operation({
  method: 'get',
  path: '/v1/people/{id}',
  id: 'getPerson',
  tag: 'People',
  summary: 'Get a person',
  description:
    'Returns the current identities, traits and consent of a person, computed from all assertions about them. The id of a person who was merged away returns the survivor, whose id is in the body.',
  access: 'read',
  params: z.object({ id: PersonId }),
  query: z.object({}),
  success: { status: 200, description: 'The person.', schema: Person, example: personExample },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const [row] = await database.query<StoredPerson>(selectPerson(workspace.id, params.id));
    if (!row) throw new ApiError('not_found', 'No person has this id.');
    return { body: personOut(row) };
  },
});
