import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort, isPortTaken, startGroup, waitUntilReady } from '../../local/processes.ts';

const PROCESSES = join(import.meta.dirname, '../../local/processes.ts');

// A child that reports when it runs, with a grandchild; both ignore SIGTERM.
const STUBBORN = 'trap "" TERM; sh -c \'trap "" TERM; echo up; sleep 60\' & wait; sleep 60';

function isGroupAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

test('stop() ends the child and its descendants, and may be called twice', async () => {
  const group = startGroup({ command: '/bin/sh', args: ['-c', 'sleep 60 & sleep 60 & wait'] });
  expect(isGroupAlive(group.pid)).toBe(true);
  await Promise.all([group.stop(), group.stop()]);
  expect(isGroupAlive(group.pid)).toBe(false);
  expect(await group.exited).toBe('SIGTERM');
});

test('what ignores SIGTERM is killed after the grace', async () => {
  const group = startGroup({ command: '/bin/sh', args: ['-c', STUBBORN] });
  await waitUntilReady(group, async () => group.output().includes('up'), { timeoutMs: 5_000 });
  await group.stop();
  expect(isGroupAlive(group.pid)).toBe(false);
}, 15_000);

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'a parent that dies of %s leaves no descendant behind',
  async (signal) => {
    const script = `
      import { startGroup, waitUntilReady } from ${JSON.stringify(PROCESSES)};
      const group = startGroup({ command: '/bin/sh', args: ['-c', ${JSON.stringify(STUBBORN)}] });
      await waitUntilReady(group, async () => group.output().includes('up'), { timeoutMs: 5000 });
      console.log(group.pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const [line] = await once(parent.stdout, 'data');
    const group = Number(String(line));
    expect(isGroupAlive(group)).toBe(true);
    parent.kill(signal);
    await expect.poll(() => isGroupAlive(group), { timeout: 10_000 }).toBe(false);
  },
  20_000,
);

test('a child that ends before it is ready is an error with its output', async () => {
  const group = startGroup({ command: '/bin/sh', args: ['-c', 'echo broken configuration >&2; exit 3'] });
  const ready = waitUntilReady(group, async () => false, { timeoutMs: 5_000 });
  await expect(ready).rejects.toThrow(/code 3[\s\S]*broken configuration/);
  await group.stop();
});

test('a program that does not exist is an error, not a crash', async () => {
  const group = startGroup({ command: '/nowhere/program', args: [] });
  await expect(waitUntilReady(group, async () => false, { timeoutMs: 5_000 })).rejects.toThrow('ENOENT');
  await group.stop();
});

test('an aborted wait ends with the reason', async () => {
  const group = startGroup({ command: '/bin/sh', args: ['-c', 'sleep 60'] });
  const signal = AbortSignal.abort(new Error('interrupted'));
  const ready = waitUntilReady(group, async () => false, { timeoutMs: 5_000, signal });
  await expect(ready).rejects.toThrow('interrupted');
  await group.stop();
});

test('a free port is not taken', async () => {
  expect(await isPortTaken(await freePort())).toBe(false);
});
