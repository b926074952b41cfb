import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort, type ProcessGroup, startGroup, waitUntilReady } from '../../local/processes.ts';

/** A Postgres server that belongs to the test, which may kill it. */
export interface Cluster {
  connectionString: string;
  /** The folder of its files. */
  data: string;
  /** Sends SIGKILL to the server and all its processes, as if the machine failed. */
  kill(): Promise<void>;
  /** Starts the server again on the same files, and resolves when it has recovered. */
  start(): Promise<void>;
  /** Stops the server and removes its files. */
  remove(): Promise<void>;
}

const DEBIAN_FOLDER = '/usr/lib/postgresql';
const START_TIMEOUT_MS = 60_000;

/** The folder of `initdb` and `postgres`, the newest of several; null if there is none. */
export function postgresBinaries(): string | null {
  const named = process.env.POSTGRES_BIN;
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const installed = versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_FOLDER, version, 'bin'));
  const folders = named ? [named] : installed;
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** Postgres does not run as root. */
function unprivilegedUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const nobody = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'));
  if (!nobody) throw new Error('root needs a user `nobody` to run Postgres as');
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) };
}

/**
 * Creates a cluster in a temporary folder and starts it on a free port, reachable from this machine only.
 * @param settings of `postgresql.conf`
 */
export async function startCluster(binaries: string, settings: Record<string, string>): Promise<Cluster> {
  const user = unprivilegedUser();
  const folder = await mkdtemp(join(tmpdir(), 'throughline-postgres-'));
  if (user) await chown(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const init = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'];
  execFileSync(join(binaries, 'initdb'), init, { ...user, cwd: folder, stdio: 'pipe' });
  const port = await freePort();
  const connectionString = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const all = { listen_addresses: '127.0.0.1', unix_socket_directories: folder, ...settings };
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const args = ['-D', data, '-p', String(port), ...options];
  let server: ProcessGroup | undefined;
  const start = async () => {
    server = startGroup({ command: join(binaries, 'postgres'), args, cwd: folder, user });
    await waitUntilReady(server, () => answers(connectionString), { timeoutMs: START_TIMEOUT_MS });
  };
  const end = async (signal: NodeJS.Signals) => {
    if (!server) return;
    const pids = [server.pid, ...childrenOf(server.pid)];
    for (const pid of signal === 'SIGKILL' ? pids : [server.pid]) sendSignal(pid, signal);
    while (pids.some(isRunning)) await sleep(10);
    await server.stop();
    server = undefined;
  };
  await start();
  return {
    connectionString,
    data,
    start,
    kill: () => end('SIGKILL'),
    remove: async () => {
      // A fast shutdown, which does not wait for connected clients.
      await end('SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2000 });
  await client.connect();
  await client.end();
  return true;
}

/** Every process of the server is a child of the first one, in its own session. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statOf(pid)?.parent === parent);
}

/** A process that has ended and was not waited for yet is a zombie, which holds no resources. */
function isRunning(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.state !== 'Z';
}

function statOf(pid: number): { state: string; parent: number } | null {
  try {
    // pid (name) state parent …, where the name may contain any characters.
    const [state = '', parent] = (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(
      ' ',
    );
    return { state, parent: Number(parent) };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(String(error.code));
}
