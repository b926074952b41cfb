/** The deployment's configuration; passed in, never imported. */
export interface Config {
  database_url: string;
  root_key: string;
  identity_secret: string;
  /** A second secret that opens the key material of workspaces, while the first one rotates. */
  identity_secret_previous?: string | undefined;
  /** Signs read tokens. Absent: `identity_secret` does, as in release 0.1.0. */
  token_secret?: string | undefined;
  /** Read tokens that it signed are accepted. */
  token_secret_previous?: string | undefined;
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
