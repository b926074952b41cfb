import * as z from 'zod';
import { operation } from '../http/operation.ts';
import { Key, keyExample } from './key-schema.ts';
import { keyOut, type StoredKey, selectKeys } from './key-sql.ts';

export const listKeys = operation({
  method: 'get',
  path: '/v1/keys',
  id: 'listKeys',
  tag: 'Keys',
  summary: 'List keys',
  description: 'Lists the keys of the workspace, oldest first, without their tokens.',
  access: 'admin',
  params: z.object({}),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The keys.',
    schema: z.object({ data: z.array(Key) }),
    example: { data: [keyExample] },
  },
  errors: [],
  handle: async ({ database, workspace }) => ({
    body: { data: (await database.query<StoredKey>(selectKeys(workspace.id))).map(keyOut) },
  }),
});
