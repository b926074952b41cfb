import * as z from 'zod';
import { openOperation } from '../http/operation.ts';

export const getHealth = openOperation({
  method: 'get',
  path: '/health',
  id: 'getHealth',
  tag: 'Health',
  summary: 'Check that the Worker is up',
  description: 'Responds without a call to the database.',
  access: 'public',
  params: z.object({}),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The Worker is up.',
    schema: z.object({ status: z.literal('ok') }),
    example: { status: 'ok' },
  },
  errors: [],
  handle: async () => ({ body: { status: 'ok' as const } }),
});
