import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { ApiError } from '../http/errors.ts';
import { PersonId } from '../http/fields.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { PersonMap, personOf } from '../ingest/person.ts';
import { type UnlinkedIdentity, unlinkIdentities } from './person-ingest-sql.ts';

const examplePerson = '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3';

export const unlinkPerson = operation({
  method: 'post',
  path: '/v1/people/{id}/unlink',
  id: 'unlinkPerson',
  tag: 'People',
  summary: 'Undo a wrong link',
  description:
    'Undoes every link that holds all of the named identities, whether it is applied or skipped. People are recomputed from the remaining links, and touchpoints and conversions stay with the identity that they came with. An item that asserts the link again restores it.',
  access: 'admin',
  params: z.object({ id: PersonId }),
  query: z.object({}),
  body: z.strictObject({ person: PersonMap }).meta({ id: 'UnlinkInput' }),
  bodyExample: { person: { user_id: 'u1', email: 'bob@b.com' } },
  success: {
    status: 200,
    description: 'The number of undone links, and the current person of each identity.',
    schema: z.object({
      removed_links: z.number().int(),
      people: z.array(z.object({ namespace: z.string(), person_id: PersonId })),
    }),
    example: {
      removed_links: 1,
      people: [
        { namespace: 'email', person_id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a4' },
        { namespace: 'user_id', person_id: examplePerson },
      ],
    },
  },
  errors: [...BODY_ERRORS, 'not_found'],
  handle: async (context, { params, body }) => {
    const { identities, errors } = await personOf(body.person, '/person', context);
    if (errors.length > 0)
      throw new ApiError('invalid_request', 'The identities are invalid; see `errors`.', { errors });
    if (identities.length < 2) {
      const detail = 'Name at least two identities, those that are not one person.';
      throw new ApiError('invalid_request', detail, { errors: [{ pointer: '/person', detail }] });
    }
    const { database, workspace } = context;
    const entry = {
      actor: context,
      action: 'person.unlink',
      target_id: params.id,
      fields: identities.map(({ namespace }) => namespace),
    } as const;
    const statement = unlinkIdentities(workspace.id, params.id, identities);
    const [rows] = await database.once<[UnlinkedIdentity]>([audited(statement, entry)]);
    if (rows.length === 0)
      throw new ApiError(
        'not_found',
        'No link holds all of these identities, with one of them belonging to this person. Name the identities of one link.',
      );
    const people = rows.map(({ namespace, person_id }) => ({ namespace, person_id }));
    return { body: { removed_links: rows[0]?.removed_links ?? 0, people } };
  },
});
