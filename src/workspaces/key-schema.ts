import * as z from 'zod';
import { KEY_KINDS, SCOPES, type Scope } from '../domain/settings.ts';
import { Instant } from '../http/fields.ts';
import { AllowedOrigins } from '../http/origins.ts';

/** The scope that a page needs to record items of its own visitor. */
const PUBLISHABLE_SCOPES: readonly Scope[] = ['ingest'];

export const KeyInput = z
  .strictObject({
    name: z.string().min(1).max(200).meta({ example: 'Production ingest' }),
    kind: z.enum(KEY_KINDS).default('secret').meta({
      description:
        '`secret`: for servers. `publishable`: for pages of `allowed_origins`, where anyone can read it. It can post touchpoints, conversions and links of people, and can do nothing else.',
    }),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).nullish().meta({
      description:
        '`ingest` posts, `read` reads, `admin` changes the workspace. A publishable key has `ingest`, which may be left out.',
    }),
    allowed_origins: AllowedOrigins.nullish().meta({
      description: 'For a publishable key: the 1 to 50 origins whose pages may use it.',
    }),
    expires_at: Instant.nullish(),
  })
  .superRefine(({ kind, scopes, allowed_origins }, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (kind === 'secret') {
      if (!scopes) refuse('scopes', 'Name the scopes that the key needs');
      if (allowed_origins)
        refuse('allowed_origins', 'Leave this out; pages may use publishable keys only, not secret ones');
    } else {
      if (scopes?.some((scope) => !PUBLISHABLE_SCOPES.includes(scope)))
        refuse('scopes', 'Send ingest alone; a publishable key has no other scope');
      if (!allowed_origins) refuse('allowed_origins', 'Name the origins whose pages may use the key');
    }
  })
  .transform((key) => ({
    ...key,
    scopes: [...new Set(key.scopes ?? PUBLISHABLE_SCOPES)],
    allowed_origins: key.allowed_origins ?? null,
    expires_at: key.expires_at ?? null,
  }))
  .meta({ id: 'KeyInput' });
export type KeyInput = z.output<typeof KeyInput>;

export const Key = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(KEY_KINDS),
    scopes: z.array(z.enum(SCOPES)),
    allowed_origins: z
      .array(z.string())
      .nullable()
      .meta({ description: 'Null for a secret key, which pages may not use.' }),
    created_at: z.string().meta({ format: 'date-time' }),
    expires_at: z.string().nullable(),
    last_used_on: z.string().nullable().meta({
      format: 'date',
      description: 'The last UTC day on which the key was used, or a read token that it created.',
    }),
  })
  .meta({ id: 'Key' });
export type Key = z.output<typeof Key>;

export const NewKey = z
  .object({
    ...Key.shape,
    token: z.string().meta({ description: 'Shown once; only a hash is stored.' }),
  })
  .meta({ id: 'NewKey' });

/** The longest grace period of an old key; a week is enough for any deployment. */
const MAX_GRACE_SECONDS = 604_800;

export const RotationInput = z
  .strictObject({
    grace_seconds: z.number().int().min(0).max(MAX_GRACE_SECONDS).default(86_400).meta({
      description: 'How long the old key stays valid, if it does not expire before; at most a week.',
    }),
  })
  .meta({ id: 'RotationInput' });

export const keyExample: Key = {
  id: 'key_0192f0c17d1e7a3b8c4d5e6f708192a3',
  name: 'Production ingest',
  kind: 'secret',
  scopes: ['ingest'],
  allowed_origins: null,
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: null,
  last_used_on: '2026-05-01',
};

export const newKeyExample: z.output<typeof NewKey> = {
  ...keyExample,
  last_used_on: null,
  token: 'tl_sk_000000000000000000000000000000000000000000000000000',
};
