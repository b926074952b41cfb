import * as z from 'zod';
import { AccountId, PersonId } from '../http/fields.ts';
import { PersonMap } from '../ingest/person.ts';
import { LinkingResource } from '../stats/timeline-fields.ts';

const instant = () => z.string().meta({ format: 'date-time' });

/** The most skipped links that are shown of a person, and the most that are counted. */
export const MAX_SKIPPED_LINKS = 100;
export const MAX_COUNTED_LINKS = 10_000;

const SkippedLink = z
  .object({
    item_id: z.string(),
    resource: LinkingResource,
    occurred_at: instant(),
    namespaces: z.array(z.string()),
  })
  .meta({
    description:
      'A link of identities of this person with identities of others that is kept but not applied.',
  });

/** A person as read, computed from all assertions about them. */
export const Person = z
  .object({
    id: PersonId,
    identities: z.array(
      z.object({
        namespace: z.string(),
        value: z
          .string()
          .optional()
          .meta({ description: 'Normalised; present only if the workspace stores values (`plain`).' }),
      }),
    ),
    account: z
      .object({ id: AccountId, name: z.string().nullable() })
      .nullable()
      .meta({ description: "The person's current account; null if none is known." }),
    traits: z.record(z.string(), z.unknown()).meta({
      description: 'Merged key by key. The latest assertion of a key decides; null removes the key.',
    }),
    consent: z.object({
      analytics: z.boolean().meta({ description: 'Whether later touchpoints may be stored.' }),
    }),
    first_seen_at: instant()
      .nullable()
      .meta({ description: 'Time of the first touchpoint or conversion; null if there is none.' }),
    last_seen_at: instant().nullable().meta({ description: 'Time of the last one.' }),
    skipped_links: z.array(SkippedLink).meta({ description: `Newest first, at most ${MAX_SKIPPED_LINKS}.` }),
    skipped_links_count: z
      .number()
      .int()
      .meta({ description: `The number of skipped links, counted up to ${MAX_COUNTED_LINKS}.` }),
    links_pending: z.boolean().meta({
      description:
        'Whether links of the person wait to be settled. A link that changes the order of more than 1,000 others is settled in steps, by the next requests that link and within two hours; until then it is not applied.',
    }),
  })
  .meta({ id: 'Person' });
export type Person = z.output<typeof Person>;

/** `{"person": {"email": "…"}}`. The handler checks that it is one identity, as it does for the query string. */
export const PersonLookup = z
  .strictObject({ person: PersonMap })
  .meta({ id: 'PersonLookup', description: 'Exactly one identity.' });

const identity = (description: string, example: string) =>
  z.string().optional().meta({ description, example });

/** Exactly one parameter, whose name is a namespace. The common ones are named for the document; any is allowed. */
export const PersonLookupQuery = z
  .object({
    email: identity('An e-mail address. Send exactly one namespace, this or any other.', 'ann@acme.com'),
    user_id: identity('Your own id of the person.', 'u-17'),
    phone: identity(
      "A phone number: E.164 with its + sent as `%2B`, or as written in the workspace's `default_country`.",
      '+4915112345678',
    ),
    x: identity(
      'A handle, with or without its @. Any other namespace is a parameter of its own name, like this one.',
      '@ann',
    ),
    anonymous_id: identity('The id of a browser or device.', '0192f0c1'),
  })
  .catchall(z.string());

export const personExample: Person = {
  id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
  identities: [{ namespace: 'email' }, { namespace: 'x' }],
  account: { id: 'acme.com', name: 'Acme' },
  traits: { plan: 'pro' },
  consent: { analytics: true },
  first_seen_at: '2026-05-01T12:00:00.000Z',
  last_seen_at: '2026-05-03T09:30:00.000Z',
  skipped_links: [],
  skipped_links_count: 0,
  links_pending: false,
};
