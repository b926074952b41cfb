import { type ConfigOrMissing, createApp } from './app.ts';
import type { Config, MessageQueue, RateLimiter } from './http/config.ts';
import { consumeQueue, type Deliveries } from './queue.ts';
import { runSchedule } from './schedule.ts';

/** The environment of the deployment. Secrets are set with `wrangler secret put`. */
interface Env {
  DATABASE_URL?: string;
  ROOT_KEY?: string;
  IDENTITY_SECRET?: string;
  /** Set while IDENTITY_SECRET rotates; see SECURITY.md. */
  IDENTITY_SECRET_PREVIOUS?: string;
  TOKEN_SECRET?: string;
  /** Set while TOKEN_SECRET rotates. */
  TOKEN_SECRET_PREVIOUS?: string;
  /** A binding of wrangler.toml; absent if the Worker runs in a bare workerd. */
  RATE_LIMITER?: RateLimiter;
  /** A binding of wrangler.toml; present if the deployment uses the queue. */
  INGEST_QUEUE?: MessageQueue;
}

/** Shorter secrets could be guessed. */
const MIN_SECRET_LENGTH = 32;

const REQUIRED = ['ROOT_KEY', 'IDENTITY_SECRET'] as const;
const OPTIONAL = ['IDENTITY_SECRET_PREVIOUS', 'TOKEN_SECRET', 'TOKEN_SECRET_PREVIOUS'] as const;

function configOf(env: Env): ConfigOrMissing {
  const { DATABASE_URL = '', ROOT_KEY = '', IDENTITY_SECRET = '' } = env;
  if (!DATABASE_URL) return { missing: 'DATABASE_URL' };
  const short = [
    ...REQUIRED.filter((name) => (env[name] ?? '').length < MIN_SECRET_LENGTH),
    // An empty variable counts as absent.
    ...OPTIONAL.filter((name) => env[name] && env[name].length < MIN_SECRET_LENGTH),
  ];
  if (short[0]) return { missing: `${short[0]} (${MIN_SECRET_LENGTH} characters or more)` };
  return {
    config: {
      database_url: DATABASE_URL,
      root_key: ROOT_KEY,
      identity_secret: IDENTITY_SECRET,
      identity_secret_previous: env.IDENTITY_SECRET_PREVIOUS,
      token_secret: env.TOKEN_SECRET,
      token_secret_previous: env.TOKEN_SECRET_PREVIOUS,
      rate_limiter: env.RATE_LIMITER,
      ingest_queue: env.INGEST_QUEUE,
    },
  };
}

/**
 * For calls without a client that waits. Without secrets the call fails as a whole, and the
 * platform retries it.
 */
function usableConfig(env: Env): Config {
  const deployment = configOf(env);
  if ('missing' in deployment) throw new Error(`no usable ${deployment.missing}`);
  return deployment.config;
}

let app: ReturnType<typeof createApp> | undefined;

export default {
  fetch(request: Request, env: Env, context: ExecutionContext): Response | Promise<Response> {
    app ??= createApp(configOf(env));
    return app.fetch(request, env, context);
  },

  async queue(deliveries: Deliveries, env: Env): Promise<void> {
    await consumeQueue(deliveries, usableConfig(env));
  },

  async scheduled(_event: unknown, env: Env): Promise<void> {
    await runSchedule(usableConfig(env));
  },
};
