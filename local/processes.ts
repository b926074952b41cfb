import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program to run, by the path of its real binary: a shell or npx in between would receive the signals. */
export interface GroupSpec {
  command: string;
  args: string[];
  /** The full environment of the child; by default that of this process. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Run as another user, which only root can do. */
  user?: { uid: number; gid: number };
  /** Called with the output of the child as it is written. */
  onOutput?: (text: string) => void;
}

/** A child and all its descendants, started in a process group of their own. */
export interface ProcessGroup {
  /** The process id of the child, which is also the id of the group. */
  pid: number;
  /** The output on stdout and stderr so far, at most the last 4 million characters. */
  output(): string;
  /** Settles when the child itself has ended, with text for a message: `code 1`, `SIGKILL`. */
  exited: Promise<string>;
  /** Ends the group: SIGTERM, then SIGKILL for processes that are left after the grace period. Safe to call twice. */
  stop(): Promise<void>;
}

const MAX_OUTPUT_CHARS = 4_000_000;
const GRACE_MS = 5_000;
const KILL_WAIT_MS = 2_000;
const POLL_MS = 25;
const READY_POLL_MS = 100;
const PROBE_TIMEOUT_MS = 5_000;

// The guard waits for the end of its stdin. The parent holds stdin open, and the system closes it however the parent
// ends (Ctrl-C, a crash, SIGKILL). Then the guard ends the group: SIGTERM, and SIGKILL after two seconds. It uses
// `kill -s`, because dash cannot parse `kill -TERM -- -123`.
const GUARD_SCRIPT = `read -r _
kill -s TERM -- "-$1" || exit 0
i=0
while [ $i -lt 20 ] && kill -s 0 -- "-$1"; do sleep 0.1; i=$((i + 1)); done
kill -s KILL -- "-$1"`;

/**
 * Starts a program in its own process group, with a guard that ends the group if this process ends without `stop()`. So
 * this process needs no signal handlers, and no process is left behind.
 */
export function startGroup(spec: GroupSpec): ProcessGroup {
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env ?? process.env,
    ...spec.user,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = exitOf(child);
  const { pid } = child;
  if (pid === undefined) return { pid: 0, output: () => '', exited, stop: async () => {} };
  const output = collectOutput(child, spec.onOutput);
  const guard = startGuard(pid);
  let stopping: Promise<void> | undefined;
  return {
    pid,
    output,
    exited,
    stop: () => {
      stopping ??= endGroup(pid).finally(() => guard.kill('SIGKILL'));
      return stopping;
    },
  };
}

function startGuard(group: number): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'guard', String(group)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.unref();
  return guard;
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  });
}

function collectOutput(child: ChildProcess, onOutput?: (text: string) => void): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARS);
      onOutput?.(text);
    });
  }
  return () => output;
}

async function endGroup(group: number): Promise<void> {
  if (!signalGroup(group, 'SIGTERM')) return;
  if (await groupEnds(group, GRACE_MS)) return;
  signalGroup(group, 'SIGKILL');
  await groupEnds(group, KILL_WAIT_MS);
}

async function groupEnds(group: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (signalGroup(group, 0)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Whether the group has a process left. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** How long `waitUntilReady` polls, and the signal that aborts it. */
export interface ReadyWait {
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * Polls `probe` until it resolves to true; false or a rejection means not yet. Throws, with the output of the group, if
 * its child ends or the time runs out. Throws the signal's reason if the signal is aborted.
 */
export async function waitUntilReady(
  group: ProcessGroup,
  probe: () => Promise<boolean>,
  { timeoutMs, signal }: ReadyWait,
): Promise<void> {
  let ended: string | undefined;
  group.exited.then((how) => {
    ended = how;
  });
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    if (ended !== undefined) throw new Error(`ended before it was ready (${ended}):\n${group.output()}`);
    if (await probe().catch(() => false)) return;
    await sleep(READY_POLL_MS);
  }
  throw new Error(`not ready after ${timeoutMs} ms:\n${group.output()}`);
}

/** Whether a server answers with HTTP 200 at `url`. */
export async function answersOk(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  await response.arrayBuffer();
  return response.status === 200;
}

/** A port that nothing listens on at this moment. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return listenOnce(0, host);
}

/** Whether a process already listens on the port. */
export async function isPortTaken(port: number, host = '127.0.0.1'): Promise<boolean> {
  try {
    await listenOnce(port, host);
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return true;
    throw error;
  }
}

function listenOnce(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}
