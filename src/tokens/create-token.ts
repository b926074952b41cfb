import * as z from 'zod';
import { BODY_ERRORS, operation } from '../http/operation.ts';
import { signReadToken } from '../http/read-token.ts';
import { ReadToken, readTokenExample, TokenInput, tokenInputExample } from './token-schema.ts';

export const createToken = operation({
  method: 'post',
  path: '/v1/tokens',
  id: 'createToken',
  tag: 'Keys',
  summary: 'Make a read token for a frontend',
  description:
    'A short-lived, signed token that a page may hold: it opens the reports named and nothing else, from the origins named, always narrowed as said here whatever is asked. Under one that is narrowed by `where` or `where_conversion`, totals hold only conversions whose narrowed journey is not empty, and `unattributed` is left out. A report that cannot be narrowed so answers 403: `lifecycle`, `cultivation`, `advocacy` and `overview` by either, `conversations` and `funnel` by `where_conversion`, `roi` by fields that spend does not have. A funnel must begin with touchpoints; a conversation is judged by the touchpoint that opened it. Nothing is stored: the token ends at `expires_at`, or within 30 seconds of the end of the key that it was made with. Who holds it can read what it says.',
  access: 'read',
  params: z.object({}),
  query: z.object({}),
  body: TokenInput,
  bodyExample: tokenInputExample,
  success: { status: 201, description: 'The token.', schema: ReadToken, example: readTokenExample },
  errors: BODY_ERRORS,
  handle: async ({ caller, workspace, config, now }, { body }) => {
    const { expires_in, allowed_origins, reports, where, where_conversion, scope } = body;
    const asked = now.getTime() + expires_in * 1000;
    const endMs = Math.min(asked, caller.expires_at?.getTime() ?? asked);
    // A JWT ends on a full second.
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
    const token = await signReadToken(claims, expiresAt, config.identity_secret);
    return { body: { token, expires_at: expiresAt.toISOString() } };
  },
});
