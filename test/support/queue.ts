import { createApp } from '../../src/app.ts';
import type { Config, MessageQueue } from '../../src/http/config.ts';
import { consumeQueue } from '../../src/queue.ts';
import { type Json, world } from './api.ts';
import { checkAnswer } from './contract.ts';

/** The outcome of a message: it is acknowledged, or it is redelivered after a number of seconds. */
export type Fate = 'ack' | { delaySeconds: number };

export const INGEST_QUEUE = 'throughline-ingest';
export const DEAD_LETTERS = 'throughline-ingest-dead';

/**
 * The application over the database of the tests, with a queue that keeps messages until a test delivers them, as often
 * and in any order.
 */
export interface QueuedApp {
  /** A copy of the messages sent so far, in their wire form. */
  sent: Json[];
  ask(token: string, method: string, path: string, body?: unknown, headers?: Json): Promise<QueuedAnswer>;
  fetch(url: string, init: RequestInit): Promise<Response>;
  deliver(messages: readonly unknown[], options?: { queue?: string; attempts?: number }): Promise<Fate[]>;
}

export interface QueuedAnswer {
  status: number;
  body: Json;
}

/** @param send replaces keeping every message */
export function appWithQueue(send?: MessageQueue['send'], changes: Partial<Config> = {}): QueuedApp {
  const sent: Json[] = [];
  const keep: MessageQueue['send'] = async (message) => {
    sent.push(JSON.parse(JSON.stringify(message)));
  };
  const config: Config = {
    database_url: world.connectionString,
    root_key: world.rootKey,
    identity_secret: world.identitySecret,
    ingest_queue: { send: send ?? keep },
    ...changes,
  };
  const app = createApp({ config });
  return {
    sent,
    fetch: async (url, init) => app.request(url, init),
    ask: async (token, method, path, body, headers = {}) => {
      const response = await app.request(path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const answer: Json = await response.json();
      const type = response.headers.get('content-type') ?? '';
      checkAnswer(method, path.split('?')[0] ?? path, response.status, type, answer);
      return { status: response.status, body: answer };
    },
    deliver: async (messages, { queue = INGEST_QUEUE, attempts = 1 } = {}) => {
      const fates: Fate[] = [];
      const deliveries = messages.map((body, i) => ({
        body,
        attempts,
        ack: () => {
          fates[i] = 'ack';
        },
        retry: (options: { delaySeconds: number }) => {
          fates[i] = options;
        },
      }));
      await consumeQueue({ queue, messages: deliveries }, config);
      return fates;
    },
  };
}
