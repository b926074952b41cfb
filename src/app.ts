import { Hono } from 'hono/tiny';
import { v7 as uuidv7 } from 'uuid';
import type { Config } from './http/config.ts';
import { ApiError, problemResponse } from './http/errors.ts';
import type { AnyOperation } from './http/operation.ts';
import { preflightResponse, tokenInUrl } from './http/origins.ts';
import { logRequest, nothingSeen, requestLine, type Seen } from './http/request-log.ts';
import { serve } from './http/serve.ts';
import { operations } from './operations.ts';

const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The configuration of the deployment, or the name of the variable that is missing. */
export type ConfigOrMissing = { config: Config } | { missing: string };

/**
 * Wires slices, keys and errors together. It does not depend on the platform: `worker.ts`
 * passes the configuration in.
 */
export function createApp(deployment: ConfigOrMissing, now: () => Date = () => new Date()): Hono {
  const app = new Hono({ strict: false });

  app.use(async (c, next) => {
    const started = performance.now();
    const seen = nothingSeen();
    c.set('seen' as never, seen as never);
    const sent = c.req.header('x-request-id');
    c.set('requestId' as never, (sent && REQUEST_ID.test(sent) ? sent : uuidv7()) as never);
    const misplaced = tokenInUrl(new URL(c.req.url));
    if (misplaced) c.res = problemResponse(misplaced, c.req.path, requestIdOf(c));
    else if (c.req.method === 'OPTIONS') c.res = preflightResponse(c.req.raw);
    else await next();
    const request_id = requestIdOf(c);
    c.res.headers.set('x-request-id', request_id);
    const duration_ms = performance.now() - started;
    logRequest(requestLine(seen, { request_id, method: c.req.method, status: c.res.status, duration_ms }));
  });

  for (const operation of operations) {
    app.on(operation.method.toUpperCase(), operation.path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => {
      const requestId = requestIdOf(c);
      if ('missing' in deployment && operation.path !== '/health') {
        const detail = `The deployment has no usable ${deployment.missing}; set it as described in the README under "Going live".`;
        return problemResponse(new ApiError('misconfigured', detail), c.req.path, requestId);
      }
      const config =
        'config' in deployment ? deployment.config : { database_url: '', root_key: '', identity_secret: '' };
      return serve(operation, c.req.raw, c.req.param() as Record<string, string>, {
        config,
        now: now(),
        requestId,
        seen: c.get('seen' as never) as Seen,
      });
    });
  }
  refuseOtherMethods(app, operations);

  app.notFound((c) =>
    problemResponse(
      new ApiError('not_found', 'No route has this path; see /docs.'),
      c.req.path,
      requestIdOf(c),
    ),
  );
  return app;
}

function refuseOtherMethods(app: Hono, mounted: readonly AnyOperation[]): void {
  const paths = Map.groupBy(mounted, (operation) => operation.path);
  for (const [path, onPath] of paths) {
    const allowed = onPath.map((operation) => operation.method.toUpperCase()).join(', ');
    app.all(path.replaceAll(/\{(\w+)\}/g, ':$1'), (c) => {
      const error = new ApiError('method_not_allowed', `Allowed here: ${allowed}.`);
      const response = problemResponse(error, c.req.path, requestIdOf(c));
      response.headers.set('allow', allowed);
      return response;
    });
  }
}

function requestIdOf(c: { get: (key: never) => unknown }): string {
  return String(c.get('requestId' as never));
}
