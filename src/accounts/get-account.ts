import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { AccountId } from '../http/fields.ts';
import { operation } from '../http/operation.ts';
import { Account, accountExample } from './account-schema.ts';
import { accountOut, type StoredAccount, selectAccount } from './account-sql.ts';

export const getAccount = operation({
  method: 'get',
  path: '/v1/accounts/{id}',
  id: 'getAccount',
  tag: 'Accounts',
  summary: 'Get an account',
  description: 'Returns one account by its id, or by one of its domains.',
  access: 'read',
  params: z.object({ id: AccountId }),
  query: z.object({}),
  success: { status: 200, description: 'The account.', schema: Account, example: accountExample },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const [row] = await database.query<StoredAccount>(selectAccount(workspace.id, params.id));
    if (!row) throw new ApiError('not_found', 'No account has this id or domain.');
    return { body: accountOut(row) };
  },
});
