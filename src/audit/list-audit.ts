import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { AUDIT_ACTIONS } from '../domain/audit.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { boundsOf, RangeQuery } from '../stats/range-fields.ts';
import { AuditRow, auditRowExample } from './audit-schema.ts';
import { auditRowOut, type StoredAuditRow, selectAudit } from './audit-sql.ts';

export const listAudit = operation({
  method: 'get',
  path: '/v1/audit',
  id: 'listAudit',
  tag: 'Audit',
  summary: 'List the audit log',
  description:
    'Lists every change made with the scope `admin` or with the root key, every export of a person, every replay and every read token that was created, newest first. Entries cannot be changed; they are deleted with the workspace. An entry has the key, the action, its target and the names of the fields. It has nothing personal: no identities and no values. Requests that failed are not in the log, nor are requests that found their work already done.',
  access: 'admin',
  params: z.object({}),
  query: z.object({
    ...PageQuery.shape,
    ...RangeQuery.shape,
    action: z
      .array(z.enum(AUDIT_ACTIONS))
      .min(1)
      .optional()
      .meta({ description: 'Only these actions.', example: ['person.erase', 'person.export'] }),
    ...FormatQuery.shape,
  }),
  success: {
    status: 200,
    description: 'A page of the log.',
    schema: PageOf(AuditRow),
    example: { data: [auditRowExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace }, { query }) => {
    const filter = { ...boundsOf(query, workspace.timezone), actions: query.action ?? null };
    const rows = await database.query<StoredAuditRow & OfPage>(
      selectAudit(workspace.id, filter, decodeCursor(query.cursor), query.limit),
    );
    return {
      body: pageOf(rows, auditRowOut, (row) => ({ at: row.occurred_at, id: row.id })),
    };
  },
});
