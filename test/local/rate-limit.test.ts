import { expect, test } from 'vitest';
import { startWrangler } from './wrangler.ts';

/** The real binding, run by wrangler on this machine, under the name in wrangler.toml and with a smaller limit. */

const LIMIT = 5;

const bindings = (toml: string) =>
  /\[\[ratelimits\]\][^[]+/.exec(toml)?.[0].replace(/limit = \d+/, `limit = ${LIMIT}`) ?? '';

test('refuses a key beyond its limit, no other key, and takes it again after Retry-After', async () => {
  const { url, makeKey } = await startWrangler({ bindings });
  const [token, other] = [await makeKey(), await makeKey()];
  const ask = (key: string) => fetch(`${url}/v1/goals`, { headers: { authorization: `Bearer ${key}` } });
  // The requests may span two windows, because the second begins at a fixed time.
  const responses = [];
  for (let i = 0; i < 2 * LIMIT + 1; i++) responses.push(await ask(token));
  const refused = responses.find(({ status }) => status === 429);
  expect(responses.slice(0, LIMIT).map(({ status }) => status)).toEqual(Array(LIMIT).fill(200));
  expect(refused?.headers.get('ratelimit')).toBe('"default";r=0;t=10');
  expect((await ask(other)).status).toBe(200);
  const seconds = Number(refused?.headers.get('retry-after'));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000 + 200));
  expect((await ask(token)).status).toBe(200);
}, 120_000);
