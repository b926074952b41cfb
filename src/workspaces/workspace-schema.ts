import { z } from '@hono/zod-openapi';
import { getCountries } from 'libphonenumber-js/min';
import { PLAIN_MODELS } from '../domain/attribution.ts';
import { IDENTITY_STORAGES, SCOPES } from '../domain/settings.ts';
import { Currency, Instant, TimeZone } from '../http/fields.ts';
import { BusinessHours } from './business-hours-schema.ts';

const Country = z
  .string()
  .refine((code) => (getCountries() as string[]).includes(code), {
    message: 'Not an ISO 3166 alpha-2 code, as DE',
  })
  .openapi({ description: 'For phone numbers that come without +.', example: 'DE' });

const settings = {
  name: z.string().min(1).max(200).openapi({ example: 'Acme' }),
  timezone: TimeZone,
  currency: Currency,
  identity_storage: z.enum(IDENTITY_STORAGES).openapi({
    description:
      '`hashed`: identity values are kept as keyed hashes only. `plain`: the value is stored beside the hash, from now on.',
  }),
  default_country: Country.nullable(),
  retention_days: z.number().int().min(1).max(36_500).nullable().openapi({
    description:
      'Conversions older than this are deleted, touchpoints when they are older by 365 days more. Null keeps everything.',
    example: 730,
  }),
  accounts_from_email: z.boolean().openapi({
    description:
      "Whether an e-mail address at a company's domain says that its person is of that account; addresses of public mail providers never do. For items from now on.",
  }),
  business_hours: BusinessHours.nullable().openapi({ description: 'Null: response times count every hour.' }),
  default_model: z.enum(PLAIN_MODELS).openapi({
    description: 'The attribution model of reports that show one, such as the overview.',
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
  })
  .openapi('WorkspaceInput');
export type WorkspaceInput = z.output<typeof WorkspaceInput>;

export const WorkspacePatch = z.strictObject(settings).partial().openapi('WorkspacePatch');
export type WorkspacePatch = z.output<typeof WorkspacePatch>;

export const Workspace = z
  .object({
    id: z.uuid(),
    ...settings,
    currency: z.string(),
    timezone: z.string(),
    default_country: z.string().nullable(),
    created_at: z.string().openapi({ format: 'date-time' }),
  })
  .openapi('Workspace');
export type Workspace = z.output<typeof Workspace>;

export const KeyInput = z
  .strictObject({
    name: z.string().min(1).max(200).openapi({ example: 'Production ingest' }),
    scopes: z
      .array(z.enum(SCOPES))
      .min(1)
      .max(SCOPES.length)
      .openapi({ description: '`ingest` posts, `read` reads, `admin` changes the workspace.' }),
    expires_at: Instant.nullish(),
  })
  .openapi('KeyInput');
export type KeyInput = z.output<typeof KeyInput>;

export const Key = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.literal('secret'),
    scopes: z.array(z.enum(SCOPES)),
    created_at: z.string().openapi({ format: 'date-time' }),
    expires_at: z.string().nullable(),
  })
  .openapi('Key');
export type Key = z.output<typeof Key>;

export const NewKey = z
  .object({
    ...Key.shape,
    token: z.string().openapi({ description: 'Shown once; only a hash is stored.' }),
  })
  .openapi('NewKey');

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
  created_at: '2026-01-01T00:00:00.000Z',
};

export const keyExample: Key = {
  id: 'key_0192f0c17d1e7a3b8c4d5e6f708192a3',
  name: 'Production ingest',
  kind: 'secret',
  scopes: ['ingest'],
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: null,
};

export const newKeyExample: z.output<typeof NewKey> = {
  ...keyExample,
  token: 'tl_sk_000000000000000000000000000000000000000000000000000',
};
