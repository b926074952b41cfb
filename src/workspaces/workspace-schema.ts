import { getCountries } from 'libphonenumber-js/min';
import * as z from 'zod';
import { PLAIN_MODELS } from '../domain/attribution.ts';
import { IDENTITY_STORAGES } from '../domain/settings.ts';
import { Currency, TimeZone } from '../http/fields.ts';
import { BusinessHours } from './business-hours-schema.ts';

const Country = z
  .string()
  .refine((code) => (getCountries() as string[]).includes(code), {
    message: 'Send an ISO 3166 alpha-2 code, such as DE',
  })
  .meta({ description: 'The country of phone numbers that are sent without +.', example: 'DE' });

const settings = {
  name: z.string().min(1).max(200).meta({ example: 'Acme' }),
  timezone: TimeZone,
  currency: Currency,
  identity_storage: z.enum(IDENTITY_STORAGES).meta({
    description:
      '`hashed`: identity values are stored as keyed hashes only. `plain`: values received from now on are stored beside their hashes. Turning it off removes them.',
  }),
  default_country: Country.nullable(),
  retention_days: z.number().int().min(1).max(36_500).nullable().meta({
    description:
      'Conversions older than this are deleted, and touchpoints that are older by 365 days more. Null keeps everything.',
    example: 730,
  }),
  accounts_from_email: z.boolean().meta({
    description:
      "Whether an e-mail address at a company's domain makes its person a member of that account. Addresses of public mail providers never do. Applies to items received from now on.",
  }),
  business_hours: BusinessHours,
  default_model: z.enum(PLAIN_MODELS).meta({
    description: 'The attribution model of reports that show a single one, such as the overview.',
  }),
  trust_publishable_values: z.boolean().meta({
    description:
      'Whether the `value` of a conversion counts if a publishable key sent it. Anyone can read such a key in a page.',
  }),
};

export const WorkspaceInput = z
  .strictObject({
    name: settings.name,
    timezone: settings.timezone.default('UTC'),
    currency: settings.currency.default('USD'),
    identity_storage: settings.identity_storage.default('hashed'),
    default_country: settings.default_country.default(null),
    retention_days: settings.retention_days.default(null),
    accounts_from_email: settings.accounts_from_email.default(false),
    business_hours: settings.business_hours.default(null),
    default_model: settings.default_model.default('linear'),
    trust_publishable_values: settings.trust_publishable_values.default(false),
  })
  .meta({ id: 'WorkspaceInput' });
export type WorkspaceInput = z.output<typeof WorkspaceInput>;

export const WorkspacePatch = z.strictObject(settings).partial().meta({ id: 'WorkspacePatch' });
export type WorkspacePatch = z.output<typeof WorkspacePatch>;

export const Workspace = z
  .object({
    id: z.uuid(),
    ...settings,
    currency: z.string(),
    timezone: z.string(),
    default_country: z.string().nullable(),
    created_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'Workspace' });
export type Workspace = z.output<typeof Workspace>;

export const workspaceExample: Workspace = {
  id: '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3',
  name: 'Acme',
  timezone: 'Europe/Berlin',
  currency: 'EUR',
  identity_storage: 'hashed',
  default_country: null,
  retention_days: null,
  accounts_from_email: false,
  business_hours: {
    days: { monday: { from: '09:00', to: '17:30' }, friday: { from: '09:00', to: '14:00' } },
    holidays: ['2026-12-25'],
  },
  default_model: 'linear',
  trust_publishable_values: false,
  created_at: '2026-01-01T00:00:00.000Z',
};
