/** The address of the API and a token for it. */
export interface Access {
  url: string;
  token: string;
  /** Aborts requests in flight. */
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  body: unknown;
}

/** Sends one request and resolves with any status. */
export async function send(access: Access, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(access.url + path, {
    method,
    headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: access.signal,
  });
  return { status: response.status, body: response.status === 204 ? null : await response.json() };
}

/** Sends one request, throws unless the status is 200 or 201, and returns the body, which is assumed to be a `T`. */
export async function ask<T>(access: Access, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await send(access, method, path, body);
  if (answer.status !== 200 && answer.status !== 201) throw unexpected(method, path, answer);
  return answer.body as T;
}

export function unexpected(method: string, path: string, { status, body }: Answer): Error {
  return new Error(`${method} ${path} answered ${status}: ${JSON.stringify(body).slice(0, 2000)}`);
}
