import * as z from 'zod';
import { CONVERSATION_STATES } from '../domain/conversations.ts';
import { DIRECTIONS, KINDS, STAGES } from '../domain/touchpoint-fields.ts';
import { AccountId, PersonId } from '../http/fields.ts';

/** Limits of the lists in one conversation; the counts beside them include the rest. */
export const MAX_PEOPLE = 100;
export const MAX_MESSAGES = 1000;
export const MAX_CONVERSIONS = 100;

const count = (description: string) => z.number().int().meta({ description });
const instant = () => z.string().meta({ format: 'date-time' });
const text = z.string().nullable();

export const MessageCounts = z
  .object({ inbound: z.number().int(), outbound: z.number().int() })
  .meta({ description: 'Numbers of touchpoints by direction.' });

export const Conversation = z
  .object({
    id: z.string(),
    state: z
      .enum(CONVERSATION_STATES)
      .meta({ description: '`waiting`: the last message is inbound. `answered`: it is outbound.' }),
    opened_at: instant()
      .nullable()
      .meta({ description: 'Time of the first inbound message; null until there is one.' }),
    first_response_at: instant()
      .nullable()
      .meta({ description: 'Time of the first outbound message after that.' }),
    first_response_seconds: z
      .number()
      .nullable()
      .meta({ description: 'Seconds from `opened_at` to `first_response_at`.' }),
    last_at: instant().meta({ description: 'Time of the last message.' }),
    messages: MessageCounts,
    channel: z.string().meta({
      description:
        'From the message that opened the conversation, like `topic` and `account_id`; from its first message until there is an inbound one.',
    }),
    topic: text,
    account_id: AccountId.nullable(),
    person_ids: z
      .array(PersonId)
      .meta({ description: `The participants, by their first message; at most ${MAX_PEOPLE}.` }),
    person_count: count('The number of all participants.'),
    sentiment: z
      .object({ mean: z.number().nullable(), last: z.number().nullable() })
      .meta({ description: 'Sentiment of the messages that have one, from −1 to 1.' }),
    conversion_count: count('Unretracted conversions of the participants since the opening, of any goal.'),
  })
  .meta({ id: 'Conversation' });
export type Conversation = z.output<typeof Conversation>;

export const ConversationDetail = z
  .object({
    ...Conversation.shape,
    touchpoints: z
      .array(
        z.object({
          id: z.string(),
          occurred_at: instant(),
          person_id: PersonId,
          account_id: AccountId.nullable(),
          kind: z.enum(KINDS),
          direction: z.enum(DIRECTIONS),
          stage: z.enum(STAGES).nullable(),
          channel: z.string(),
          topic: text,
          sentiment: z.number().nullable(),
          url: text,
        }),
      )
      .meta({ description: `The messages, oldest first; of more than ${MAX_MESSAGES}, the newest.` }),
    conversions: z
      .array(
        z.object({
          id: z.string(),
          occurred_at: instant(),
          person_id: PersonId,
          goal: z.string(),
          value: z.number().nullable(),
          net_value: z.number().nullable(),
          currency: text,
        }),
      )
      .meta({
        description: `The conversions that \`conversion_count\` counts, newest first; at most ${MAX_CONVERSIONS}.`,
      }),
  })
  .meta({ id: 'ConversationDetail' });
export type ConversationDetail = z.output<typeof ConversationDetail>;

const person_id = '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3';

export const conversationExample: Conversation = {
  id: 'thread-9',
  state: 'answered',
  opened_at: '2026-05-01T12:00:00.000Z',
  first_response_at: '2026-05-01T12:20:00.000Z',
  first_response_seconds: 1200,
  last_at: '2026-05-01T12:20:00.000Z',
  messages: { inbound: 1, outbound: 1 },
  channel: 'x',
  topic: 'pricing',
  account_id: 'acme.com',
  person_ids: [person_id],
  person_count: 1,
  sentiment: { mean: 0.4, last: 0.4 },
  conversion_count: 1,
};

const message = {
  person_id,
  account_id: 'acme.com',
  kind: 'mention' as const,
  stage: null,
  channel: 'x',
  topic: 'pricing',
  sentiment: null,
  url: null,
};

export const conversationDetailExample: ConversationDetail = {
  ...conversationExample,
  touchpoints: [
    {
      ...message,
      id: 'tweet-1',
      occurred_at: '2026-05-01T12:00:00.000Z',
      direction: 'inbound',
      sentiment: 0.4,
    },
    {
      ...message,
      id: 'tweet-2',
      occurred_at: '2026-05-01T12:20:00.000Z',
      direction: 'outbound',
      kind: 'reply',
    },
  ],
  conversions: [
    {
      id: 'order-1',
      occurred_at: '2026-05-03T09:30:00.000Z',
      person_id,
      goal: 'purchase',
      value: 99.9,
      net_value: 99.9,
      currency: 'EUR',
    },
  ],
};
