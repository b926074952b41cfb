import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi';
import * as z from 'zod';
import { ERRORS, type ErrorCode } from '../http/errors.ts';
import type { AnyOperation } from '../http/operation.ts';
import { RATE_LIMIT, rateLimitHeaders } from '../http/rate-limit.ts';
import { FieldErrorSchema } from '../ingest/batch-answer.ts';
import { LIMITS_TEXT } from './limits-text.ts';
import { withSharedParameters } from './shared-parameters.ts';

/** The OpenAPI document. It is generated from the operations when it is written, and never at run time. */

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().meta({ description: 'The problem, and what to change.' }),
    instance: z.string(),
    code: z
      .enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])
      .meta({ description: 'Stable; programs should switch on it.' }),
    request_id: z.string(),
    errors: z.array(FieldErrorSchema).optional(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457. If no item of a batch is accepted, it also has the members of BatchAnswer.',
  });

const TAGS = [
  {
    name: 'Touchpoints',
    description: 'Contacts between people and the company: mentions, replies, visits, demos, referrals.',
  },
  { name: 'Conversions', description: 'Conversions on goals, and their adjustments.' },
  { name: 'People', description: 'People: identities, trait and consent assertions, history.' },
  {
    name: 'Accounts',
    description: 'Companies: their domains, their members, and the history of everyone there.',
  },
  { name: 'Spend', description: 'Spend, and the exchange rates that values are converted at.' },
  {
    name: 'Conversations',
    description: 'Threads of touchpoints, and whether they wait for a response.',
  },
  { name: 'Reports', description: 'Figures that add up and can be explained.' },
  { name: 'Funnels', description: 'Saved funnels, and their reports.' },
  { name: 'Goals', description: 'The objectives, defined before they are measured.' },
  { name: 'Rejections', description: 'Items that were not accepted, kept so that nothing is lost.' },
  { name: 'Audit', description: 'Actions with admin keys, without personal data.' },
  { name: 'Workspaces', description: 'Tenants and their settings.' },
  { name: 'Keys', description: 'Keys and read tokens, and what they allow.' },
  { name: 'Health', description: 'Whether the service is up, and whether it can serve requests.' },
];

const HEADERS = {
  'X-Request-Id': {
    description: 'The id that the request sent, or a generated one. Quote it in questions about the request.',
    schema: { type: 'string' },
  },
  'Server-Timing': {
    description:
      'The time spent in the database, and the number of round trips to it. An attribution report adds the number of days read from sums (`kept`), of days whose sums are open (`open`), and of conversions computed from rows (`raw`).',
    schema: { type: 'string' },
    example: 'db;dur=4.2;desc="calls=1"',
  },
  'RateLimit-Policy': {
    description: 'The number of requests (`q`) that each key has per number of seconds (`w`).',
    schema: { type: 'string' },
    example: rateLimitHeaders(false)['ratelimit-policy'],
  },
  RateLimit: {
    description: 'The requests that are left (`r`), and the seconds until there are more (`t`).',
    schema: { type: 'string' },
    example: rateLimitHeaders(true).ratelimit,
  },
  'Retry-After': {
    description: 'Seconds to wait before the next attempt.',
    schema: { type: 'integer' },
    example: RATE_LIMIT.period_seconds,
  },
} as const;

const headersOf = (names: readonly (keyof typeof HEADERS)[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

const PUBLIC_HEADERS = headersOf(['X-Request-Id', 'Server-Timing']);
/** For responses to a key or a read token. */
const KEYED_HEADERS = headersOf(['X-Request-Id', 'Server-Timing', 'RateLimit-Policy']);
const LIMITED_HEADERS = headersOf(['RateLimit', 'Retry-After']);

const IdempotencyHeader = z.object({
  'Idempotency-Key': z.string().max(255).optional().meta({
    description:
      'Items without an id get one derived from this key and their position, so that a retry is the same batch.',
  }),
});

/**
 * Generates the document.
 * @param version of the package
 */
export function openApiDocument(operations: readonly AnyOperation[], version: string) {
  const app = new OpenAPIHono();
  const registry = app.openAPIRegistry;
  registry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'A key of the workspace: `Authorization: Bearer tl_sk_…`.',
  });
  registry.registerComponent('securitySchemes', 'readToken', {
    type: 'http',
    scheme: 'bearer',
    description:
      'A read token, for frontends: `Authorization: Bearer tl_rt_…`, from an origin that the token names; one that names none is for servers and agents.',
  });
  registry.registerComponent('securitySchemes', 'rootKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'The root key of the deployment.',
  });
  registry.register('Problem', Problem);
  for (const [name, header] of Object.entries(HEADERS)) registry.registerComponent('headers', name, header);
  for (const codes of new Map(
    operations.flatMap(codesByStatus).map((here) => [responseName(here), here]),
  ).values())
    registry.registerComponent('responses', responseName(codes), errorResponse(codes));
  for (const operation of operations) registry.registerPath(pathOf(operation));
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Throughline',
      version,
      description: `Follows people from conversation to conversion. Post touchpoints and conversions; read attribution that adds up and explains itself. Times are RFC 3339, and in UTC in responses; ranges are half-open. Ids are yours, and sending the same item again is a no-op. Errors are application/problem+json with a stable \`code\`. Unknown fields and parameters are errors that name the known ones. Responses are \`no-store\`, except reports, which their client may keep and revalidate by \`ETag\`.\n\n${LIMITS_TEXT}`,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/', description: 'This deployment.' }],
    tags: TAGS,
  });
  return withSharedParameters(document);
}

function pathOf(operation: AnyOperation): RouteConfig {
  const { access, body, bodyExample } = operation;
  const description =
    access === 'public' || access === 'root'
      ? operation.description
      : `${operation.description} Scope: \`${access}\`.`;
  return {
    method: operation.method,
    path: operation.path,
    operationId: operation.id,
    tags: [operation.tag],
    summary: operation.summary,
    description,
    security: securityOf(operation),
    request: {
      params: operation.params,
      query: operation.query,
      ...(operation.readsBodyAs && { headers: IdempotencyHeader }),
      ...(body && { body: { required: true, content: { ...bodyContent(operation, body, bodyExample) } } }),
    },
    responses: { ...successResponses(operation), ...errorResponses(operation) },
  } as RouteConfig;
}

/** Any one of these credentials opens the operation. */
function securityOf({ access, report }: AnyOperation): Record<string, []>[] {
  if (access === 'public') return [];
  if (access === 'root') return [{ rootKey: [] }];
  return report ? [{ key: [] }, { readToken: [] }] : [{ key: [] }];
}

function bodyContent(operation: AnyOperation, schema: z.ZodType, example: unknown) {
  const json = { 'application/json': { schema, example } };
  if (!operation.readsBodyAs?.includes('ndjson')) return json;
  return {
    ...json,
    'application/x-ndjson': { schema: z.string().meta({ description: 'One item per line.' }) },
  };
}

function successResponses(operation: AnyOperation) {
  const { success, access } = operation;
  const headers = access === 'public' || access === 'root' ? PUBLIC_HEADERS : KEYED_HEADERS;
  const table = operation.isTable && {
    'text/csv': { schema: z.string().meta({ description: 'The rows of `data`, with a header line.' }) },
    'application/x-ndjson': {
      schema: z.string().meta({ description: 'The rows of `data`, one per line.' }),
    },
  };
  const content = { 'application/json': { schema: success.schema, example: success.example }, ...table };
  const others = Object.entries(operation.alsoAnswers ?? {}).map(([status, description]) => [
    status,
    { description, headers, content },
  ]);
  return {
    [success.status]: { description: success.description, headers, content },
    ...Object.fromEntries(others),
    ...(operation.isCacheable && {
      304: { description: 'The response that `If-None-Match` names is still current.' },
    }),
  };
}

/**
 * The codes of every error that the operation can respond with, those of all routes included,
 * grouped by status.
 */
function codesByStatus(operation: AnyOperation): ErrorCode[][] {
  const codes = new Set<ErrorCode>([...operation.errors, 'invalid_request', 'internal_error']);
  // Public operations too: a key in the URL is rejected before any other check.
  codes.add('unauthenticated');
  if (operation.access !== 'public') codes.add('forbidden');
  if (operation.access !== 'public' && operation.access !== 'root') codes.add('rate_limited');
  if (operation.path !== '/health') {
    codes.add('misconfigured');
    codes.add('database_unavailable');
  }
  const sorted = [...codes].toSorted((a, b) => ERRORS[a].status - ERRORS[b].status || (a < b ? -1 : 1));
  return [...Map.groupBy(sorted, (code) => ERRORS[code].status).values()];
}

function errorResponses(operation: AnyOperation) {
  return Object.fromEntries(
    codesByStatus(operation).map((codes) => [
      statusOf(codes),
      { $ref: `#/components/responses/${responseName(codes)}` },
    ]),
  );
}

const statusOf = ([code = 'internal_error']: readonly ErrorCode[]) => ERRORS[code].status;

/** A name made of the codes, such as `InvalidRequestOrUnknownGoal`. */
function responseName(codes: readonly ErrorCode[]): string {
  const capitalised = codes.map((code) =>
    code.replaceAll(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase()),
  );
  return capitalised.join('Or');
}

/** One response shared by all operations that answer a status with the same codes. */
function errorResponse(codes: readonly ErrorCode[]) {
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join(' '),
    ...(statusOf(codes) === 429 && { headers: LIMITED_HEADERS }),
    ...(statusOf(codes) === 503 && { headers: headersOf(['Retry-After']) }),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}
