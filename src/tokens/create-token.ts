import * as z from 'zod';
import { audited } from '../db/audited.ts';
import { ApiError } from '../http/errors.ts';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { type Claims, signReadToken, tokenSecrets } from '../http/read-token.ts';
import { ReadToken, readTokenExample, TokenInput, tokenInputExample } from './token-schema.ts';
import { keyInForce } from './token-sql.ts';

export const createToken = operation({
  method: 'post',
  path: '/v1/tokens',
  id: 'createToken',
  tag: 'Keys',
  summary: 'Create a read token for a frontend',
  description:
    'Creates a short-lived, signed token that a page may hold. It opens the named reports and nothing else, from the named origins, and every query is narrowed as this request states. Under a token with `where` or `where_conversion`, totals hold only conversions whose narrowed journey is not empty, and `unattributed` is left out. A report that cannot be narrowed in this way is a 403: `lifecycle`, `cultivation`, `advocacy` and `overview` by either, `conversations` and `funnel` by `where_conversion`, `roi` by fields that spend does not have. A funnel must begin with touchpoints. A conversation is filtered by the touchpoint that opened it. Under such a token an explanation leaves out `person_id` and `account_id` of the conversion, and with `scope` the id of the other scope. The audit log records that the token was created; the token is not stored: it expires at `expires_at`, or stops working within 30 seconds after the key that created it expires or is revoked. Its holder can read its content.',
  access: 'read',
  params: z.object({}),
  query: z.object({}),
  body: TokenInput,
  bodyExample: tokenInputExample,
  success: { status: 201, description: 'The token.', schema: ReadToken, example: readTokenExample },
  errors: BODY_ERRORS,
  handle: async (context, { body }) => {
    const { caller, workspace, config, now, database } = context;
    const { expires_in, allowed_origins, reports, where, where_conversion, scope } = body;
    const asked = now.getTime() + expires_in * 1000;
    const endMs = Math.min(asked, caller.expires_at?.getTime() ?? asked);
    // A JWT expires on a full second.
    const expiresAt = new Date(Math.floor(endMs / 1000) * 1000);
    const claims = {
      workspace_id: workspace.id,
      key_id: caller.key_id,
      allowed_origins,
      reports: [...new Set(reports)],
      where: where ?? {},
      where_conversion: where_conversion ?? {},
      scope: scope ?? null,
    };
    const token = await signReadToken(claims, expiresAt, tokenSecrets(config));
    // An id that is made here makes the entry idempotent, so it is retried like any read.
    const entry = {
      actor: context,
      action: 'token.create',
      target_id: caller.key_id,
      fields: fieldsOf(claims),
    } as const;
    const [key] = await database.query(audited(keyInForce(workspace.id, caller.key_id, now), entry));
    if (!key) throw new ApiError('unauthenticated', 'The key is unknown, expired or revoked.');
    return { body: { token, expires_at: expiresAt.toISOString() } };
  },
});

/** The entry of the audit log: the reports, and the names of the fields that narrow them. */
function fieldsOf({ reports, where, where_conversion, scope }: Claims): string[] {
  return [
    `reports:${reports.join(',')}`,
    ...Object.keys(where).map((field) => `where.${field}`),
    ...Object.keys(where_conversion).map((field) => `where_conversion.${field}`),
    ...(scope ? ['scope'] : []),
  ];
}
