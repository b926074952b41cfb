import { z } from '@hono/zod-openapi';
import { RESOURCES } from '../domain/settings.ts';
import { DIRECTIONS, KINDS } from '../domain/touchpoint-fields.ts';
import { PersonId } from '../http/fields.ts';
import { PersonMap } from '../http/ingest/person.ts';

/** What can say that two identities are one person. */
const LinkingResource = z.enum(RESOURCES).exclude(['adjustments']);

const instant = () => z.string().openapi({ format: 'date-time' });

const SkippedLink = z
  .object({
    item_id: z.string(),
    resource: LinkingResource,
    occurred_at: instant(),
    namespaces: z.array(z.string()),
  })
  .openapi({
    description:
      'An item that named this person together with identities that are not: kept, but not applied.',
  });

/** A person as read: what all that was said of them adds up to. */
export const Person = z
  .object({
    id: PersonId,
    identities: z.array(
      z.object({
        namespace: z.string(),
        value: z
          .string()
          .optional()
          .openapi({ description: 'Normalised; only where the workspace stores values (`plain`).' }),
      }),
    ),
    traits: z
      .record(z.string(), z.unknown())
      .openapi({ description: 'Merged key by key, the last word deciding; a null took the key away.' }),
    consent: z.object({
      analytics: z.boolean().openapi({ description: 'Whether later touchpoints may be stored.' }),
    }),
    first_seen_at: instant()
      .nullable()
      .openapi({ description: 'Of the first touchpoint or conversion; null if there is none.' }),
    last_seen_at: instant().nullable().openapi({ description: 'Of the last one.' }),
    skipped_links: z.array(SkippedLink),
  })
  .openapi('Person');
export type Person = z.output<typeof Person>;

/** `{"person": {"email": "…"}}`. That it is one identity is checked where the query string is checked too. */
export const PersonLookup = z.strictObject({ person: PersonMap }).openapi('PersonLookup', {
  description: 'Exactly one identity.',
});

const identity = (description: string, example: string) =>
  z.string().optional().openapi({ description, example });

/** Exactly one parameter, whose name is a namespace: the usual ones, for the document, or any other. */
export const PersonLookupQuery = z
  .object({
    email: identity('By e-mail. Exactly one namespace is sent: this, or any other.', 'ann@acme.com'),
    user_id: identity('By your own id of the person.', 'u-17'),
    phone: identity(
      "By phone number: E.164 with its + sent as `%2B`, or as written in the workspace's `default_country`.",
      '+4915112345678',
    ),
    x: identity(
      'By handle, with or without its @. Any other namespace is a parameter of its name, as this.',
      '@ann',
    ),
    anonymous_id: identity('By the id of a browser or device.', '0192f0c1'),
  })
  .catchall(z.string());

export const TIMELINE_TYPES = ['touchpoint', 'conversion', 'link'] as const;
export type TimelineType = (typeof TIMELINE_TYPES)[number];

const ofTouchpoint = <T extends z.ZodType>(schema: T) =>
  schema.nullable().openapi({ description: 'Of a touchpoint.' });
const ofConversion = <T extends z.ZodType>(schema: T) =>
  schema.nullable().openapi({ description: 'Of a conversion.' });
const ofLink = <T extends z.ZodType>(schema: T) => schema.nullable().openapi({ description: 'Of a link.' });

/** One row of a person's history. Fields that the others have are null, so that it is also a table. */
export const TimelineEntry = z
  .object({
    type: z.enum(TIMELINE_TYPES),
    id: z
      .string()
      .openapi({ description: 'Of the touchpoint or conversion; of a link, the item that said it.' }),
    occurred_at: instant(),
    kind: ofTouchpoint(z.enum(KINDS)),
    channel: ofTouchpoint(z.string()),
    direction: ofTouchpoint(z.enum(DIRECTIONS)),
    conversation: ofTouchpoint(z.object({ id: z.string(), topic: z.string().nullable() })),
    voided_at: ofTouchpoint(instant()),
    goal: ofConversion(z.string()),
    value: ofConversion(z.number()),
    net_value: ofConversion(z.number()),
    currency: ofConversion(z.string()),
    retracted: ofConversion(z.boolean()),
    namespaces: ofLink(z.array(z.string())),
    skipped: ofLink(z.boolean()),
    resource: ofLink(LinkingResource),
  })
  .openapi('TimelineEntry');
export type TimelineEntry = z.output<typeof TimelineEntry>;

/** What a row has that is of another type. */
export const EMPTY_ENTRY: Omit<TimelineEntry, 'type' | 'id' | 'occurred_at'> = {
  kind: null,
  channel: null,
  direction: null,
  conversation: null,
  voided_at: null,
  goal: null,
  value: null,
  net_value: null,
  currency: null,
  retracted: null,
  namespaces: null,
  skipped: null,
  resource: null,
};

export const personExample: Person = {
  id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
  identities: [{ namespace: 'email' }, { namespace: 'x' }],
  traits: { plan: 'pro' },
  consent: { analytics: true },
  first_seen_at: '2026-05-01T12:00:00.000Z',
  last_seen_at: '2026-05-03T09:30:00.000Z',
  skipped_links: [],
};

export const timelineExample: TimelineEntry[] = [
  {
    ...EMPTY_ENTRY,
    type: 'conversion',
    id: 'order-1',
    occurred_at: '2026-05-03T09:30:00.000Z',
    goal: 'purchase',
    value: 99.9,
    net_value: 99.9,
    currency: 'EUR',
    retracted: false,
  },
  {
    ...EMPTY_ENTRY,
    type: 'link',
    id: 'tweet-1',
    occurred_at: '2026-05-01T12:00:00.000Z',
    namespaces: ['email', 'x'],
    skipped: false,
    resource: 'touchpoints',
  },
  {
    ...EMPTY_ENTRY,
    type: 'touchpoint',
    id: 'tweet-1',
    occurred_at: '2026-05-01T12:00:00.000Z',
    kind: 'mention',
    channel: 'x',
    direction: 'inbound',
    conversation: { id: 'thread-9', topic: 'pricing' },
  },
];
