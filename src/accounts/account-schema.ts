import * as z from 'zod';
import { AccountId, PersonId } from '../http/fields.ts';
import { TimelineEntry, timelineExample } from '../stats/timeline-fields.ts';

const MAX_DOMAINS = 100;

/** DNS allows no longer name. */
const MAX_DOMAIN_LENGTH = 253;

const instant = () => z.string().meta({ format: 'date-time' });

export const AccountPut = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(500)
      .nullish()
      .meta({ description: 'Left out or null: none, until a later item says one.', example: 'Acme' }),
    domains: z
      .array(z.string().min(1).max(MAX_DOMAIN_LENGTH))
      .max(MAX_DOMAINS)
      .default([])
      .meta({
        description:
          "All domains that are the account's by an admin's word; those of before that are not named go back to what items say.",
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
    domains: z.array(z.string()).meta({ description: 'Whoever names one of them means this account.' }),
    created_at: instant(),
  })
  .meta({ id: 'AccountRow' });
export type AccountRow = z.output<typeof AccountRow>;

export const Account = z
  .object({
    ...AccountRow.shape,
    people: z.number().int().meta({ description: 'How many people are or were of it.' }),
    first_seen_at: instant()
      .nullable()
      .meta({ description: 'Of the first touchpoint or conversion of theirs there; null if none.' }),
    last_seen_at: instant().nullable().meta({ description: 'Of the last one.' }),
  })
  .meta({ id: 'Account' });
export type Account = z.output<typeof Account>;

/** An entry says whose it is. That identities are one person is said of a person, not of a company. */
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
