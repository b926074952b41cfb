import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, isPortTaken } from '../../local/processes.ts';

const DEV = join(import.meta.dirname, '../../local/dev.ts');
const START_TIMEOUT_MS = 90_000;

interface Dev {
  child: ChildProcess;
  output(): string;
  /** Settles with the exit code. */
  ended: Promise<number | null>;
}

function startDev(env: Record<string, string>): Dev {
  const { DATABASE_URL: _database, ROOT_KEY: _key, ...inherited } = process.env;
  const child = spawn(process.execPath, [DEV], { env: { ...inherited, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output, ended: once(child, 'exit').then(([code]) => code) };
}

function descendants(root: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const parents = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const found = [root];
  for (const parent of found) {
    for (const [pid = 0, ppid] of parents) if (ppid === parent) found.push(pid);
  }
  return found.slice(1);
}

function living(pids: number[]): number[] {
  const alive = execFileSync('ps', ['-A', '-o', 'pid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter((row) => !row.includes('Z'))
    .map((row) => Number.parseInt(row, 10));
  return pids.filter((pid) => alive.includes(pid));
}

async function ready(dev: Dev): Promise<string> {
  await expect.poll(dev.output, { timeout: START_TIMEOUT_MS, interval: 100 }).toMatch(/^ready http/m);
  return /^ready (\S+)$/m.exec(dev.output())?.[1] ?? '';
}

function rootKey(dev: Dev): string {
  return /^root key\s+(\S+)$/m.exec(dev.output())?.[1] ?? '';
}

test(
  'npm run dev says ready, stops on SIGINT with nothing left, and keeps its root key',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'throughline-data-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const port = await freePort();
    const env = { PORT: String(port), DATA_DIR: dataDir };

    const first = startDev(env);
    expect(await ready(first)).toBe(`http://127.0.0.1:${port}`);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    const started = descendants(first.child.pid ?? 0);
    expect(started.length).toBeGreaterThan(2);

    // Twice, as with npm: the terminal sends the signal, and npm forwards it.
    first.child.kill('SIGINT');
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    expect(living(started)).toEqual([]);
    expect(await isPortTaken(port)).toBe(false);

    const second = startDev(env);
    await ready(second);
    expect(rootKey(second)).toHaveLength(43);
    expect(rootKey(second)).toBe(rootKey(first));
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  },
  2 * START_TIMEOUT_MS,
);

test(
  'SIGINT during the start stops everything, with exit code 0',
  async () => {
    const dev = startDev({ PORT: String(await freePort()), DATA_DIR: 'memory:' });
    await expect.poll(dev.output, { timeout: START_TIMEOUT_MS }).toContain('starting');
    dev.child.kill('SIGINT');
    expect(await dev.ended).toBe(0);
  },
  START_TIMEOUT_MS,
);

test('a port in use is a clear message and exit code 1', async () => {
  const holder = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void holder.close());
  const dev = startDev({ PORT: String(port), DATA_DIR: 'memory:' });
  expect(await dev.ended).toBe(1);
  expect(dev.output()).toBe(`port ${port} is in use; choose another with PORT=…\n`);
});

test('a root key that is too short is a clear message and exit code 1', async () => {
  const env = { PORT: String(await freePort()), DATA_DIR: 'memory:', ROOT_KEY: 'short' };
  const dev = startDev(env);
  expect(await dev.ended).toBe(1);
  expect(dev.output()).toContain('ROOT_KEY must have at least 32 characters');
});

test(
  'two programs cannot open one data folder',
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'throughline-data-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const { openPglite } = await import('../../local/sql-backend.ts');
    const held = await openPglite(dataDir);
    await expect(openPglite(dataDir)).rejects.toThrow(`is in use by process ${process.pid}`);
    await held.close();
    await (await openPglite(dataDir)).close();
  },
  START_TIMEOUT_MS,
);
