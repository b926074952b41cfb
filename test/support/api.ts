import { beforeEach, inject } from 'vitest';
import { checkAnswer } from './contract.ts';
import type { World } from './world.ts';

export const world: World = inject('world');

/** Skips every test of a file if its database is missing, and reports the reason. Called by every API test file. */
export function needWorld(): void {
  beforeEach((context) => {
    if (world.missing !== null) context.skip(world.missing);
  });
}

/**
 * The number of runs of a property: half of them by day, and a fifth of that on the embedded database, which is slower and
 * behaves the same.
 */
export function runs(count: number): number {
  const byDay = process.env.NIGHTLY === undefined ? count / 2 : count;
  return Math.ceil(world.database === 'postgres' ? byDay : byDay / 5);
}

export interface Answer<T = Json> {
  status: number;
  headers: Headers;
  text: string;
  body: T;
}

// biome-ignore lint/suspicious/noExplicitAny: the contract checks a response's shape against openapi.json, not types
export type Json = any;

export interface Ask {
  body?: unknown;
  /** Sent unchanged, instead of `body`. */
  raw?: BodyInit;
  headers?: Record<string, string>;
  token?: string;
}

/** One request to the API; every response is checked against openapi.json. */
export async function ask(
  method: string,
  path: string,
  { body, raw, headers, token }: Ask = {},
): Promise<Answer> {
  const response = await fetch(world.url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    body: raw ?? (body === undefined ? undefined : JSON.stringify(body)),
  });
  const text = await response.text();
  const contentType = response.headers.get('content-type') ?? '';
  const parsed: unknown =
    contentType.includes('json') && !contentType.includes('ndjson') ? JSON.parse(text) : text;
  checkAnswer(method, new URL(world.url + path).pathname, response.status, contentType, parsed);
  return { status: response.status, headers: response.headers, text, body: parsed };
}

/** A workspace of the test's own, with its first key and short methods for frequent requests. */
export class TestWorkspace {
  readonly id: string;
  readonly token: string;

  private constructor(id: string, token: string) {
    this.id = id;
    this.token = token;
  }

  static async make(settings: Record<string, unknown> = {}): Promise<TestWorkspace> {
    const { body, status } = await ask('POST', '/v1/workspaces', {
      token: world.rootKey,
      body: { name: 'Test', ...settings },
    });
    if (status !== 201) throw new Error(`no workspace: ${JSON.stringify(body)}`);
    return new TestWorkspace(body.workspace.id, body.key.token);
  }

  ask(method: string, path: string, rest: Omit<Ask, 'token'> = {}): Promise<Answer> {
    return ask(method, path, { ...rest, token: this.token });
  }

  get(path: string): Promise<Answer> {
    return this.ask('GET', path);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.ask('POST', path, { body });
  }

  goal(key: string, settings: Record<string, unknown> = {}): Promise<Answer> {
    return this.ask('PUT', `/v1/goals/${key}`, { body: { name: key, kind: 'conversion', ...settings } });
  }

  touchpoints(...touchpoints: unknown[]): Promise<Answer> {
    return this.post('/v1/touchpoints', { touchpoints });
  }

  conversions(...conversions: unknown[]): Promise<Answer> {
    return this.post('/v1/conversions', { conversions });
  }

  /** Posts any number of items in batches; every one must be accepted. */
  async load(
    resource: 'touchpoints' | 'conversions' | 'people' | 'spend',
    items: readonly unknown[],
  ): Promise<void> {
    for (let start = 0; start < items.length; start += 1000) {
      const { body } = await this.post(`/v1/${resource}`, { [resource]: items.slice(start, start + 1000) });
      if (body.accepted !== Math.min(1000, items.length - start))
        throw new Error(JSON.stringify(body).slice(0, 1000));
    }
  }
}
