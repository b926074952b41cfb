import * as z from 'zod';
import { AccountId, PersonId } from '../http/fields.ts';
import { TimelineEntry, timelineExample } from '../stats/timeline-fields.ts';

const MAX_DOMAINS = 100;

/** The longest name that DNS allows. */
const MAX_DOMAIN_LENGTH = 253;

const instant = () => z.string().meta({ format: 'date-time' });

export const AccountPut = z
  .strictObject({
    name: z.string().min(1).max(500).nullish().meta({
      description: 'If left out or null, the account has no name until a later item gives it one.',
      example: 'Acme',
    }),
    domains: z
      .array(z.string().min(1).max(MAX_DOMAIN_LENGTH))
      .max(MAX_DOMAINS)
      .default([])
      .meta({
        description:
          'All domains that an admin assigns to the account. Earlier ones that are not in the list are withdrawn; items decide whose they are.',
        example: ['acme.com'],
      }),
  })
  .meta({ id: 'AccountPut' });
export type AccountPut = z.output<typeof AccountPut>;

/** An account in a list. */
export const AccountRow = z
  .object({
    id: AccountId,
    name: z.string().nullable(),
    domains: z
      .array(z.string())
      .meta({ description: 'An item that names one of them by itself means this account.' }),
    created_at: instant(),
  })
  .meta({ id: 'AccountRow' });
export type AccountRow = z.output<typeof AccountRow>;

export const Account = z
  .object({
    ...AccountRow.shape,
    people: z.number().int().meta({ description: 'The number of people who are or were members.' }),
    first_seen_at: instant().nullable().meta({
      description: 'Time of the first touchpoint or conversion of the account; null if there is none.',
    }),
    last_seen_at: instant().nullable().meta({ description: 'Time of the last one.' }),
  })
  .meta({ id: 'Account' });
export type Account = z.output<typeof Account>;

/** An entry also names its person. Links are left out, because they concern a person and not an account. */
export const AccountTimelineEntry = z
  .object({
    ...TimelineEntry.shape,
    type: TimelineEntry.shape.type.exclude(['link']),
    person_id: PersonId,
  })
  .meta({ id: 'AccountTimelineEntry' });
export type AccountTimelineEntry = z.output<typeof AccountTimelineEntry>;

export const accountRowExample: AccountRow = {
  id: 'sf-17',
  name: 'Acme',
  domains: ['acme.com', 'acme.io'],
  created_at: '2026-05-01T12:00:01.250Z',
};

export const accountExample: Account = {
  ...accountRowExample,
  people: 3,
  first_seen_at: '2026-05-01T12:00:00.000Z',
  last_seen_at: '2026-05-03T09:30:00.000Z',
};

export const accountTimelineExample: AccountTimelineEntry[] = timelineExample.flatMap((entry) =>
  entry.type === 'link'
    ? []
    : [{ ...entry, type: entry.type, person_id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3' }],
);
