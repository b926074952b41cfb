import { Hono } from 'hono/tiny';
import { v7 as uuidv7 } from 'uuid';
import { holdsToken } from './domain/token.ts';
import type { Config } from './http/config.ts';
import { ApiError, problemResponse } from './http/errors.ts';
import type { AnyOperation } from './http/operation.ts';
import { preflightResponse } from './http/origins.ts';
import { logRequest, nothingSeen, requestLine, type Seen } from './http/request-log.ts';
import { serve } from './http/serve.ts';
import { tokenInUrl } from './http/token-in-url.ts';
import { operations } from './operations.ts';

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The configuration of the deployment, or the name of the variable that is missing. */
export type ConfigOrMissing = { config: Config } | { missing: string };

/** The variables that the first handler sets for the others. */
interface OfRequest {
  Variables: { seen: Seen; requestId: string };
}

/**
 * Wires slices, keys and errors together. It does not depend on the platform: `worker.ts`
 * passes the configuration in.
 */
export function createApp(deployment: ConfigOrMissing, now: () => Date = () => new Date()): Hono<OfRequest> {
  const app = new Hono<OfRequest>({ strict: false });

  app.use(async (c, next) => {
    const started = performance.now();
    const seen = nothingSeen();
    c.set('seen', seen);
    const sent = c.req.header('x-request-id');
    const request_id = sent && REQUEST_ID.test(sent) && !holdsToken(sent) ? sent : uuidv7();
    c.set('requestId', request_id);
    const misplaced = tokenInUrl(new URL(c.req.url));
    if (misplaced) c.res = problemResponse(misplaced, c.req.path, request_id);
    else if (c.req.method === 'OPTIONS') c.res = preflightResponse(c.req.raw);
    else await next();
    for (const [name, value] of headersOf(c.res, request_id)) c.res.headers.set(name, value);
    const { method } = c.req;
    const { status } = c.res;
    const log = () => {
      const duration_ms = performance.now() - started;
      logRequest(requestLine(seen, { request_id, method, status, duration_ms }));
    };
    // A streamed response still calls the database, and its line counts all calls.
    if (seen.ended) seen.ended.then(log);
    else log();
  });

  for (const operation of operations) {
    app.on(operation.method.toUpperCase(), operation.path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => {
      const requestId = c.get('requestId');
      if ('missing' in deployment && operation.path !== '/health') {
        const detail = `The deployment has no usable ${deployment.missing}; set it as described in the README under "Going live".`;
        return problemResponse(new ApiError('misconfigured', detail), c.req.path, requestId);
      }
      const config =
        'config' in deployment ? deployment.config : { database_url: '', root_key: '', identity_secret: '' };
      return serve(operation, c.req.raw, c.req.param(), {
        config,
        now: now(),
        requestId,
        seen: c.get('seen'),
        later: (work) => c.executionCtx.waitUntil(work),
      });
    });
  }
  refuseOtherMethods(app, operations);

  app.notFound((c) =>
    problemResponse(
      new ApiError('not_found', 'No route has this path; see /docs.'),
      c.req.path,
      c.get('requestId'),
    ),
  );
  return app;
}

/**
 * The headers that every response has, whatever made it. An operation that does not say otherwise is not stored by any
 * cache, so that a new one cannot leave personal data or keys there.
 */
function headersOf({ headers }: Response, request_id: string): [name: string, value: string][] {
  return [
    ['x-request-id', request_id],
    ['x-content-type-options', 'nosniff'],
    ['cache-control', headers.get('cache-control') ?? 'no-store'],
  ];
}

function refuseOtherMethods(app: Hono<OfRequest>, mounted: readonly AnyOperation[]): void {
  const paths = Map.groupBy(mounted, (operation) => operation.path);
  for (const [path, onPath] of paths) {
    const allowed = onPath.map((operation) => operation.method.toUpperCase()).join(', ');
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => {
      const error = new ApiError('method_not_allowed', `Allowed here: ${allowed}.`);
      const response = problemResponse(error, c.req.path, c.get('requestId'));
      response.headers.set('allow', allowed);
      return response;
    });
  }
}
