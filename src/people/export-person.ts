import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { ApiError } from '../http/errors.ts';
import { PersonId } from '../http/fields.ts';
import { operation } from '../http/operation.ts';
import { exportDocument, type ReadPage } from './export-document.ts';
import { type ExportPage, type FirstPage, selectFirstPages, selectNextPage } from './export-sql.ts';

const rows = z.array(z.record(z.string(), z.unknown()));
const examplePerson = '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3';

const PersonExport = z
  .object({
    person_id: PersonId,
    exported_at: z.string().meta({ format: 'date-time' }),
    people: rows,
    identities: rows,
    identity_links: rows,
    link_cursors: rows,
    person_updates: rows,
    account_facts: rows,
    touchpoints: rows,
    conversions: rows,
    adjustments: rows,
    rejections: rows,
    referred_touchpoints: rows.meta({
      description: 'Ids and times of touchpoints of other people that name the person as the advocate.',
    }),
    replaced_items: rows.meta({
      description: 'Items that came from a page and were replaced by those of a server, as they were.',
    }),
  })
  .meta({ id: 'PersonExport' });

export const exportPerson = operation({
  method: 'get',
  path: '/v1/people/{id}/export',
  id: 'exportPerson',
  tag: 'People',
  summary: 'Export all data of a person',
  description:
    'Returns every row about the person from every table, as it is stored, and the items of their rejections as they were sent. The response is streamed: a large one is read in several calls to the database while the client reads it. A row that exists throughout is in it once. If a call fails, the connection breaks in the middle of the document; request it again.',
  access: 'admin',
  params: z.object({ id: PersonId }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The export.',
    schema: PersonExport,
    example: {
      person_id: examplePerson,
      exported_at: '2026-06-01T12:00:00.000Z',
      people: [{ id: examplePerson, created_at: '2026-05-01T12:00:01.250+00:00', merged_into: null }],
      identities: [],
      identity_links: [],
      link_cursors: [],
      person_updates: [],
      account_facts: [],
      touchpoints: [],
      conversions: [],
      adjustments: [],
      rejections: [],
      referred_touchpoints: [],
      replaced_items: [],
    },
  },
  errors: ['not_found'],
  handle: async (context, { params }) => {
    const { database, workspace, now, request } = context;
    const entry = { actor: context, action: 'person.export', target_id: params.id } as const;
    const first = await database.query<FirstPage>(audited(selectFirstPages(workspace.id, params.id), entry));
    const [row] = first;
    if (!row) throw new ApiError('not_found', 'No person has this id.');
    const read: ReadPage = async (list, after, max_rows) => {
      const statement = selectNextPage(workspace.id, params.id, list, after, max_rows);
      return (await database.page<ExportPage>(statement, request.signal))[0];
    };
    const head = { person_id: row.person_id, exported_at: now.toISOString() };
    return { pieces: exportDocument(head, first, read, context.secrets) };
  },
});
