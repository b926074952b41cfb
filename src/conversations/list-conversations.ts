import * as z from 'zod';
import type { OfPage } from '../db/page-sql.ts';
import { CONVERSATION_STATES } from '../domain/conversations.ts';
import { AccountId, PersonId } from '../http/fields.ts';
import { FormatQuery } from '../http/formats.ts';
import { operation } from '../http/operation.ts';
import { decodeCursor, PageOf, PageQuery, pageOf } from '../http/paging.ts';
import { boundsOf, RangeQuery } from '../stats/range-fields.ts';
import { Conversation, conversationExample } from './conversation-schema.ts';
import { conversationOut, type StoredConversation, selectConversations } from './conversation-sql.ts';

const MAX_AGE_SECONDS = 3660 * 86_400;

const ConversationsQuery = z.object({
  ...PageQuery.shape,
  state: z
    .enum(CONVERSATION_STATES)
    .optional()
    .meta({ description: '`waiting`: the last message is inbound. `answered`: it is outbound.' }),
  older_than_seconds: z.number().int().min(0).max(MAX_AGE_SECONDS).optional().meta({
    description:
      'Only those whose last message is older than this; with `state=waiting`, those that have waited longer.',
  }),
  order: z
    .enum(['newest', 'oldest'])
    .default('newest')
    .meta({ description: 'The order of the last messages.' }),
  channel: z
    .array(z.string())
    .min(1)
    .optional()
    .meta({ description: 'One or several channels of the message that opened it.', example: ['x'] }),
  ...RangeQuery.shape,
  person_id: PersonId.optional().meta({ description: 'Only those in which this person took part.' }),
  account_id: AccountId.optional().meta({
    description: 'Only those in which a member of this account took part, during their membership.',
  }),
  ...FormatQuery.shape,
});

export const listConversations = operation({
  method: 'get',
  path: '/v1/conversations',
  id: 'listConversations',
  tag: 'Conversations',
  summary: 'List conversations',
  description:
    'Lists conversations by their last message, newest or oldest first, with a cursor. A conversation is the set of touchpoints that share `conversation.id`; those with a direction count. `from` and `to` apply to the opening. A conversation that continues while the list is read moves to the newer end; all others are listed once.',
  access: 'read',
  params: z.object({}),
  query: ConversationsQuery,
  success: {
    status: 200,
    description: 'A page of conversations.',
    schema: PageOf(Conversation),
    example: { data: [conversationExample], has_more: false, next_cursor: null },
  },
  errors: ['invalid_request'],
  isTable: true,
  handle: async ({ database, workspace, now }, { query }) => {
    const { older_than_seconds: age } = query;
    const filter = {
      state: query.state ?? null,
      last_before: age === undefined ? null : new Date(now.getTime() - age * 1000),
      ...boundsOf(query, workspace.timezone),
      channels: query.channel ?? null,
      person_id: query.person_id ?? null,
      account_id: query.account_id ?? null,
      order: query.order,
    };
    const rows = await database.query<StoredConversation & OfPage>(
      selectConversations(workspace.id, filter, decodeCursor(query.cursor), query.limit),
    );
    return {
      body: pageOf(rows, conversationOut, (row) => ({ at: row.last_at, id: row.id })),
    };
  },
});
