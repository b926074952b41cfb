import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { formatToken } from '../../src/domain/token.ts';
import { MAX_FAILED_LOOKUPS } from '../../src/http/key-lookups.ts';
import { type Answer, ask, needWorld, TestWorkspace } from '../support/api.ts';
import { expectProblem } from './items.ts';

/** Keys that do not exist: few look-ups, and none that slows those who have one. */

needWorld();

/** Of the documentation range, another one for each test. */
const newAddress = () => `2001:db8::${randomBytes(2).toString('hex')}:${randomBytes(2).toString('hex')}`;
/** Well formed, and of nobody. */
const unknownToken = () => formatToken(randomBytes(32));
const from = (address: string, token: string) =>
  ask('GET', '/v1/goals', { token, headers: { 'cf-connecting-ip': address } });
const callsOf = ({ headers }: Answer) => Number(/calls=(\d+)/.exec(headers.get('server-timing') ?? '')?.[1]);

describe('unknown keys', () => {
  test(`of one address are looked up ${MAX_FAILED_LOOKUPS} times in 10 s, then 429 without the database`, async () => {
    const address = newAddress();
    for (let i = 0; i < MAX_FAILED_LOOKUPS; i++) {
      const answer = await from(address, unknownToken());
      expect([answer.status, callsOf(answer)]).toEqual([401, 1]);
    }
    const limited = await from(address, unknownToken());
    expectProblem(limited, 429, 'rate_limited');
    expect(callsOf(limited)).toBe(0);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(limited.headers.get('retry-after'))).toBeLessThanOrEqual(10);
    expect((await from(newAddress(), unknownToken())).status).toBe(401);
  });

  test('that come again are answered from memory, and count all the same', async () => {
    const address = newAddress();
    const token = unknownToken();
    const calls = [];
    for (let i = 0; i < MAX_FAILED_LOOKUPS; i++) calls.push(callsOf(await from(address, token)));
    expect(calls).toEqual([1, ...Array.from({ length: MAX_FAILED_LOOKUPS - 1 }, () => 0)]);
    expect((await from(address, unknownToken())).status).toBe(429);
  });

  test('do not slow a sender with a good key behind the same address', async () => {
    const address = newAddress();
    const workspace = await TestWorkspace.make();
    expect((await from(address, workspace.token)).status).toBe(200);
    for (let i = 0; i <= MAX_FAILED_LOOKUPS; i++) await from(address, unknownToken());
    expect((await from(address, unknownToken())).status).toBe(429);
    expect((await from(address, workspace.token)).status).toBe(200);
  });

  test('without an address, as in a local run, are not limited', async () => {
    for (let i = 0; i < MAX_FAILED_LOOKUPS + 5; i++)
      expect((await ask('GET', '/v1/goals', { token: unknownToken() })).status).toBe(401);
  });
});
