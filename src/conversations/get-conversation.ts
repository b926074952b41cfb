import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { ConversationDetail, conversationDetailExample, MAX_MESSAGES } from './conversation-schema.ts';
import {
  conversationDetailOut,
  type StoredConversationDetail,
  selectConversation,
} from './conversation-sql.ts';

export const getConversation = operation({
  method: 'get',
  path: '/v1/conversations/{id}',
  id: 'getConversation',
  tag: 'Conversations',
  summary: 'Get a conversation',
  description: `Returns one thread by its \`conversation.id\` (percent-encoded in the path), with its messages and the conversions that followed. Messages are its touchpoints that have a direction and are not voided. If there are more than ${MAX_MESSAGES}, the newest are shown, and \`messages\` counts all.`,
  access: 'read',
  params: z.object({ id: z.string().meta({ example: 'thread-9' }) }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The conversation.',
    schema: ConversationDetail,
    example: conversationDetailExample,
  },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const [row] = await database.query<StoredConversationDetail>(selectConversation(workspace.id, params.id));
    if (!row) throw new ApiError('not_found', 'No conversation has this id.');
    return { body: conversationDetailOut(row) };
  },
});
