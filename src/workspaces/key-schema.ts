import * as z from 'zod';
import { type DailyCaps, DEFAULT_DAILY_CAPS, KEY_KINDS, SCOPES, type Scope } from '../domain/settings.ts';
import { GoalKey, Instant } from '../http/fields.ts';
import { AllowedOrigins } from '../http/origins.ts';

/** Far above what one site sends. */
const MAX_DAILY_CAP = 1_000_000_000;

/** The scope that a page needs to record items of its own visitor. */
const PUBLISHABLE_SCOPES: readonly Scope[] = ['ingest'];

const MAX_KEY_GOALS = 100;

const cap = (name: keyof DailyCaps, description: string) =>
  z.number().int().min(0).max(MAX_DAILY_CAP).default(DEFAULT_DAILY_CAPS[name]).meta({ description });

const DailyCapsInput = z
  .strictObject({
    items: cap('items', 'Items, whatever becomes of them.'),
    rejections: cap('rejections', 'Items that are rejected.'),
    default_value_conversions: cap(
      'default_value_conversions',
      "Conversions that have their goal's default value, which anyone could otherwise multiply.",
    ),
  })
  .meta({
    id: 'DailyCaps',
    description:
      'What a publishable key may record in a UTC day; an item that is sent again counts again. A request that would pass one is 429 `daily_cap_reached`, and nothing of it is stored. Requests at the same moment do not see each other and may together pass a cap by what they bring. In a deployment with a queue, items over a cap are answered 202 and found under /v1/rejections.',
  });

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
    goals: z
      .array(GoalKey)
      .max(MAX_KEY_GOALS)
      .nullish()
      .meta({
        description:
          'For a publishable key: the goals whose conversions it may record, directly or through their `match`. None if left out.',
        example: ['signup'],
      }),
    daily_caps: DailyCapsInput.nullish(),
    expires_at: Instant.nullish(),
  })
  .superRefine(({ kind, scopes, allowed_origins, goals, daily_caps }, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (kind === 'secret') {
      if (!scopes) refuse('scopes', 'Name the scopes that the key needs');
      if (allowed_origins)
        refuse('allowed_origins', 'Leave this out; pages may use publishable keys only, not secret ones');
      if (goals) refuse('goals', 'Leave this out; a secret key may record every goal');
      if (daily_caps) refuse('daily_caps', 'Leave this out; only publishable keys have daily caps');
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
    goals: key.kind === 'publishable' ? [...new Set(key.goals ?? [])] : null,
    daily_caps: key.kind === 'publishable' ? (key.daily_caps ?? DEFAULT_DAILY_CAPS) : null,
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
    goals: z.array(z.string()).nullable().meta({
      description:
        'For a publishable key: the goals that it may record. Null for a secret key, which may record all, and for a publishable key of release 0.1.0, which may too.',
    }),
    daily_caps: z
      .object({
        items: z.number().int(),
        rejections: z.number().int(),
        default_value_conversions: z.number().int(),
      })
      .nullable()
      .meta({ description: 'Null for a secret key.' }),
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
  goals: null,
  daily_caps: null,
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: null,
  last_used_on: '2026-05-01',
};

export const newKeyExample: z.output<typeof NewKey> = {
  ...keyExample,
  last_used_on: null,
  token: 'tl_sk_000000000000000000000000000000000000000000000000000',
};
