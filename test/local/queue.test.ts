import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { FaultPlan } from '../../local/faults.ts';
import { startWrangler } from './wrangler.ts';

/** The real bindings of the queue, as configured in wrangler.toml and run by wrangler on this machine. */

/** The block that a deployment uncomments, without retries: a message that fails becomes a dead letter at once. */
const bindings = (toml: string) => {
  const [, optional = ''] = /^(# \[\[queues\.producers\]\]\n(?:# .+\n)+)/m.exec(toml) ?? [];
  return optional.replaceAll(/^# /gm, '').replace('max_retries = 20', 'max_retries = 0');
};

const touchpoint = (id: string) => ({ id, kind: 'visit', channel: 'x', person: { user_id: 'u' } });

test('an item that is posted is stored; while the database is away it is taken all the same, and stored later', async () => {
  let isAway = false;
  const faults: FaultPlan = () => (isAway ? 'drop_before' : 'none');
  const { url, makeKey, output } = await startWrangler({ bindings, faults });
  const token = await makeKey();
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
  const post = (id: string) =>
    ask('/v1/touchpoints', { method: 'POST', body: JSON.stringify({ touchpoints: [touchpoint(id)] }) });
  const until = async (what: string, isSo: () => Promise<boolean> | boolean) => {
    for (let tries = 0; !(await isSo()); tries++) {
      if (tries > 200) throw new Error(`${what} did not come to pass:\n${output()}`);
      await sleep(100);
    }
  };
  const isStored = (id: string) => async () => (await ask(`/v1/touchpoints/${id}`)).status === 200;

  expect((await post('first')).status).toBe(202);
  await until('first stored', isStored('first'));

  isAway = true;
  expect((await post('second')).status).toBe(202);
  await until('second failed', () => output().includes('"outcome":"to_be_retried"'));
  isAway = false;
  await until('second stored', isStored('second'));
  expect(output()).toMatch(/"queue":"dead_letter","outcome":"stored"/);
}, 120_000);
