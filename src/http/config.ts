/** The deployment's configuration; passed in, never imported. */
export interface Config {
  database_url: string;
  root_key: string;
  identity_secret: string;
  /** Absent: requests are not limited. */
  rate_limiter?: RateLimiter | undefined;
  /** Absent: items are stored before the request is answered. */
  ingest_queue?: MessageQueue | undefined;
}

/** Cloudflare's rate limiting binding: it answers yes or no, and not how much is left. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** Cloudflare's producer binding of a queue. `send` resolves when the message is durable. */
export interface MessageQueue {
  send(message: object, options: { contentType: 'json' }): Promise<unknown>;
}
