import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import type pg from 'pg';
import { PROJECT_ROOT } from '../../local/workerd.ts';
import { PAGE } from '../arguments.ts';
import type { Machine } from './results.ts';

/** Settings of the server that decide the times. */
const SETTINGS = [
  'shared_buffers',
  'work_mem',
  'jit',
  'max_parallel_workers_per_gather',
  'random_page_cost',
  'fsync',
  'autovacuum',
];

export async function machineOf(client: pg.Client): Promise<Machine> {
  const { rows } = await client.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from unnest($1::text[]) name',
    [SETTINGS],
  );
  const [version] = (await client.query<{ server_version: string }>('show server_version')).rows;
  const load = loadOfMachine();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpus: cpus().length,
    memory_gib: Math.round(totalmem() / 1024 ** 3),
    load_before: load,
    load_after: load,
    node: process.version,
    postgres: version?.server_version ?? 'unknown',
    settings: Object.fromEntries(rows.map(({ name, value }) => [name, value])),
  };
}

/** The load average of the last minute. */
export function loadOfMachine(): number {
  return loadavg()[0] ?? 0;
}

/** The commit of the checkout. A change of the page itself does not count. */
export function checkout(): { commit: string; is_changed: boolean } {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: PROJECT_ROOT, encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', '.', `:!${PAGE}`);
    return { commit: git('rev-parse', '--short=10', 'HEAD'), is_changed: changed !== '' };
  } catch {
    return { commit: 'unknown', is_changed: false };
  }
}
