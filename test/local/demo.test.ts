import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort, isPortTaken } from '../../local/processes.ts';

const DEMO = join(import.meta.dirname, '../../local/demo.ts');
const TIMEOUT_MS = 180_000;
const NUMBER_COLUMNS = 7;

interface Demo {
  child: ChildProcess;
  output(): string;
  errors(): string;
  /** Settles with the exit code. */
  ended: Promise<number | null>;
}

function startDemo(args: string[], env: Record<string, string>): Demo {
  const { DATABASE_URL: _database, ROOT_KEY: _key, PORT: _port, ...inherited } = process.env;
  const child = spawn(process.execPath, [DEMO, ...args], { env: { ...inherited, ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.errors += text;
  });
  const ended = once(child, 'exit').then(([code]) => code);
  return { child, output: () => said.output, errors: () => said.errors, ended };
}

function processes(): { pid: number; parent: number; isZombie: boolean }[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return rows.map((row) => {
    const [pid, parent, state = ''] = row.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), isZombie: state.startsWith('Z') };
  });
}

function descendants(root: number): number[] {
  const all = processes();
  const found = [root];
  for (const parent of found) found.push(...all.filter((one) => one.parent === parent).map(({ pid }) => pid));
  return found.slice(1);
}

function living(pids: number[]): number[] {
  return processes().flatMap(({ pid, isZombie }) => (pids.includes(pid) && !isZombie ? [pid] : []));
}

/** The numbers of each row of the attribution table, by the name of the row. */
function tableOf(output: string): Map<string, number[]> {
  const table = output.slice(output.indexOf('channel  '), output.indexOf('✓ Every column'));
  const lines = table
    .split('\n')
    .slice(1)
    .filter((line) => /^[a-z]/.test(line));
  return new Map(
    lines.map((line) => {
      const [name = '', ...cells] = line.split(/\s+/);
      return [name, cells.slice(0, NUMBER_COLUMNS).map((cell) => Number(cell.replaceAll(',', '')))];
    }),
  );
}

test(
  'npm run demo -- --once prints a table whose columns add up, exits 0 and leaves nothing behind',
  async () => {
    const port = await freePort();
    const demo = startDemo(['--once'], { PORT: String(port), FORCE_COLOR: '1' });
    await expect.poll(demo.output, { timeout: TIMEOUT_MS }).toContain('Loading');
    const started = descendants(demo.child.pid ?? 0);
    expect(started.length).toBeGreaterThan(2);
    expect(await demo.ended, demo.errors()).toBe(0);
    expect(living(started)).toEqual([]);
    expect(await isPortTaken(port)).toBe(false);

    const output = demo.output();
    expect(output).toContain('synthetic');
    expect(output).toContain('generated from seed 1');
    expect(output).toContain(`http://127.0.0.1:${port}/docs`);
    expect(output).toMatch(/^workspace key +tl_sk_/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the output must contain no escape codes
    expect(output).not.toMatch(/\u001b/);
    const longest = Math.max(...output.split('\n').map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(100);

    const table = tableOf(output);
    const total = table.get('total') ?? [];
    expect(total).toHaveLength(NUMBER_COLUMNS);
    expect(total[0]).toBeGreaterThan(100);
    expect([...table.keys()]).toEqual(
      expect.arrayContaining(['x', 'linkedin', 'reddit', 'discord', 'email', 'paid_search', 'unattributed']),
    );
    for (let column = 0; column < NUMBER_COLUMNS; column++) {
      const parts = [...table]
        .filter(([name]) => name !== 'total')
        .map(([, numbers]) => numbers[column] ?? Number.NaN);
      expect(parts.reduce((sum, part) => sum + Math.round(part * 100), 0)).toBe(
        Math.round((total[column] ?? Number.NaN) * 100),
      );
    }
  },
  TIMEOUT_MS,
);

test(
  'Ctrl-C while it loads stops everything, with exit code 0',
  async () => {
    const demo = startDemo([], {});
    await expect.poll(demo.output, { timeout: TIMEOUT_MS, interval: 20 }).toContain('Loading');
    const started = descendants(demo.child.pid ?? 0);
    // Twice, as with npm: the terminal sends the signal, and npm forwards it.
    demo.child.kill('SIGINT');
    demo.child.kill('SIGINT');
    expect(await demo.ended, demo.errors()).toBe(0);
    expect(demo.errors()).toBe('');
    expect(living(started)).toEqual([]);
  },
  TIMEOUT_MS,
);

test('a port in use is a clear message and exit code 1', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void holder.close());
  const address = holder.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const demo = startDemo(['--once'], { PORT: String(port) });
  expect(await demo.ended).toBe(1);
  expect(demo.errors()).toContain(`port ${port} is in use`);
});

test('an unknown option is a clear message and exit code 1', async () => {
  const demo = startDemo(['--twice'], {});
  expect(await demo.ended).toBe(1);
  expect(demo.errors()).toMatch(/^the demo failed: Unknown option '--twice'/);
});

test('--help says what there is, and exits 0', async () => {
  const demo = startDemo(['--help'], {});
  expect(await demo.ended).toBe(0);
  expect(demo.output()).toMatch(/--once[\s\S]*--seed N[\s\S]*DATABASE_URL/);
});
