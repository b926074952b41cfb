import * as z from 'zod';
import { HASH_JOINS, type Row } from '../db/client.ts';
import type { OfPage } from '../db/page-sql.ts';
import { MAX_ID_LENGTH } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { BODY_ERRORS, operation, REPORT_ERRORS } from '../http/operation.ts';
import { decodeIdCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { funnelBodyExample, funnelEntityExample } from './funnel-examples.ts';
import type { FunnelEntityRow } from './funnel-question.ts';
import { FunnelEntity } from './funnel-report-schema.ts';
import { FunnelPeopleBody } from './funnel-schema.ts';
import { funnelPeople } from './funnel-sql.ts';
import { goalsNamed, questionOf, rangeInBody, refuseUnknownStepGoals } from './run-funnel.ts';
import { goalsAmong, type KnownGoal } from './saved-funnel-sql.ts';

const PERSON_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ENTITY_ID = new RegExp(`^[^]{1,${MAX_ID_LENGTH}}$`, 'u');

export const listFunnelPeople = operation({
  method: 'post',
  path: '/v1/reports/funnel/people',
  id: 'listFunnelPeople',
  tag: 'Reports',
  summary: 'List the people who reached a step, or dropped out before it',
  description:
    'The people behind a number of the funnel, ordered by id, in pages. Send the body of the report with a step and a state. With `scope` account they are accounts, and people without one. This operation changes nothing.',
  access: 'read',
  params: z.object({}),
  query: z.object({ ...PageQuery.shape, ...FormatQuery.shape }),
  body: FunnelPeopleBody,
  bodyExample: { ...funnelBodyExample, step: 2, state: 'dropped' },
  success: {
    status: 200,
    description: 'A page of people.',
    schema: PageOf(FunnelEntity),
    example: { data: [funnelEntityExample], has_more: false, next_cursor: null },
  },
  errors: [...BODY_ERRORS, 'unknown_goal', ...REPORT_ERRORS],
  isTable: true,
  handle: async ({ database, workspace, now }, { body, query }) => {
    const question = questionOf(body, rangeInBody(body, workspace, now), workspace);
    const after = decodeIdCursor(query.cursor, body.scope === 'person' ? PERSON_ID : ENTITY_ID);
    const [, rows, known] = await database.report<[Row, FunnelEntityRow & OfPage, KnownGoal]>([
      HASH_JOINS,
      funnelPeople(question, body.step, body.state, after, query.limit),
      goalsAmong(workspace.id, goalsNamed(body)),
    ]);
    refuseUnknownStepGoals(
      body,
      known.map(({ key }) => key),
    );
    return { body: pageOf(rows, entityOut, (row) => ({ id: row.account_id ?? row.person_id ?? '' })) };
  },
});

function entityOut({ person_id, account_id }: FunnelEntityRow): FunnelEntity {
  return { person_id, account_id };
}
