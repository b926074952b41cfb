import * as z from 'zod';
import { DIRECTIONS, KINDS, STAGES } from '../domain/touchpoint-fields.ts';
import {
  AccountId,
  Instant,
  MAX_SHORT_TEXT,
  OriginText,
  PersonId,
  Properties,
  SenderId,
} from '../http/fields.ts';
import { AccountInput } from '../ingest/account.ts';
import { PersonMap } from '../ingest/person.ts';

const shortText = (description: string, example: string) =>
  z.string().min(1).max(MAX_SHORT_TEXT).nullish().meta({ description, example });

const Conversation = z
  .strictObject({
    id: z
      .string()
      .min(1)
      .max(255)
      .meta({ description: 'The id of the thread in its channel.', example: 'thread-9' }),
    topic: shortText('The subject of the thread.', 'pricing'),
  })
  .meta({ description: 'The thread that the touchpoint belongs to.' });

/** A touchpoint as sent. */
export const TouchpointInput = z
  .strictObject({
    id: SenderId.nullish(),
    occurred_at: Instant.nullish().meta({
      description: 'When it happened. Defaults to now; at most 24 hours in the future.',
    }),
    person: PersonMap,
    account: AccountInput.nullish(),
    conversation: Conversation.nullish(),
    kind: z.enum(KINDS),
    direction: z.enum(DIRECTIONS).nullish().meta({
      description: '`inbound`: from the person to the team. `outbound`: from the team to the person.',
    }),
    channel: z
      .string()
      .min(1)
      .max(64)
      .nullish()
      .meta({ description: 'If left out, derived by the GA4 default channel group rules.', example: 'x' }),
    source: OriginText.nullish().meta({
      description: 'The site or platform it came from; stored in lower case.',
      example: 'x.com',
    }),
    medium: OriginText.nullish().meta({
      description: 'The marketing medium; stored in lower case.',
      example: 'social',
    }),
    campaign: shortText('The campaign it belongs to.', 'spring'),
    content: shortText('The creative, if there are several.', 'banner-b'),
    term: shortText('The search term.', 'crm'),
    url: z.string().min(1).max(4096).nullish().meta({
      description: 'The page. Its `utm_` parameters and click ids are evaluated.',
      example: 'https://acme.com/pricing?utm_source=x',
    }),
    referrer: z.string().min(1).max(4096).nullish().meta({ example: 'https://www.google.com/' }),
    stage: z.enum(STAGES).nullish().meta({ description: 'The lifecycle stage that it indicates.' }),
    sentiment: z.number().min(-1).max(1).nullish().meta({ description: 'From −1 to 1.', example: 0.4 }),
    referred_by: PersonMap.nullish().meta({
      description: 'Identities of the advocate who referred the person; not those of the person.',
      example: { email: 'bob@b.com' },
    }),
    properties: Properties.nullish(),
  })
  .meta({ id: 'TouchpointInput' });
export type TouchpointInput = z.output<typeof TouchpointInput>;

const text = z.string().nullable();

/** A touchpoint as stored. */
export const Touchpoint = z
  .object({
    id: z.string(),
    person_id: PersonId,
    account_id: AccountId.nullable().meta({ description: "The person's account at that time." }),
    occurred_at: z.string().meta({ format: 'date-time' }),
    received_at: z.string().meta({ format: 'date-time' }),
    voided_at: z
      .string()
      .nullable()
      .meta({ description: 'When it was voided. The id stays taken, and reports skip it.' }),
    kind: z.enum(KINDS),
    direction: z.enum(DIRECTIONS).nullable(),
    stage: z.enum(STAGES).nullable(),
    channel: z.string(),
    source: text,
    medium: text,
    campaign: text,
    content: text,
    term: text,
    conversation: z.object({ id: z.string(), topic: text }).nullable(),
    sentiment: z.number().nullable(),
    url: text,
    referrer: text,
    referred_by_person_id: PersonId.nullable().meta({ description: 'The person id of the advocate.' }),
    properties: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'Touchpoint' });
export type Touchpoint = z.output<typeof Touchpoint>;

export const touchpointExample: z.input<typeof TouchpointInput> = {
  id: 'tweet-1',
  occurred_at: '2026-05-01T12:00:00Z',
  person: { x: '@ann', email: 'ann@acme.com' },
  account: { domain: 'acme.com' },
  conversation: { id: 'thread-9', topic: 'pricing' },
  kind: 'mention',
  direction: 'inbound',
  channel: 'x',
  campaign: 'spring',
};

export const storedTouchpointExample: Touchpoint = {
  id: 'tweet-1',
  person_id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
  account_id: 'acme.com',
  occurred_at: '2026-05-01T12:00:00.000Z',
  received_at: '2026-05-01T12:00:01.250Z',
  voided_at: null,
  kind: 'mention',
  direction: 'inbound',
  stage: null,
  channel: 'x',
  source: null,
  medium: null,
  campaign: 'spring',
  content: null,
  term: null,
  conversation: { id: 'thread-9', topic: 'pricing' },
  sentiment: null,
  url: null,
  referrer: null,
  referred_by_person_id: null,
  properties: null,
};
