import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import {
  type Differences,
  isSameLock,
  judge,
  previousRelease,
  type Release,
  type Report,
  replaceMigrations,
  SKIPPED,
} from './previous-release.ts';
import { type ProcessGroup, startGroup } from './processes.ts';
import { PROJECT_ROOT } from './workerd.ts';

/**
 * Runs the API tests of the previous release, with its own code, on the newest schema: what happens between the
 * migration of the database and the deploy of the Worker. The argument is the file for Vitest's JSON report.
 */

const SERVER = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';
const PROJECT = 'api on postgres';
const TEST_FOLDERS = ['test/http', 'test/sql'];
/** It takes less than 4 minutes; a run that hangs is ended. */
const LIMIT_MS = 15 * 60_000;

const stopped = new AbortController();

function git(...args: string[]): string {
  const options = ['-c', 'core.hooksPath=/dev/null', ...args];
  return execFileSync('git', options, { cwd: PROJECT_ROOT, encoding: 'utf8', stdio: 'pipe' }).trim();
}

function isTrue(...args: string[]): boolean {
  try {
    git(...args);
    return true;
  } catch {
    return false;
  }
}

const readJson = <T>(path: string) => JSON.parse(readFileSync(join(PROJECT_ROOT, path), 'utf8')) as T;

async function onServer(statement: string): Promise<Record<string, string>[]> {
  const client = new Client({ connectionString: SERVER, connectionTimeoutMillis: 3_000 });
  try {
    await client.connect();
    return (await client.query<Record<string, string>>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** The release to test, or the reason why it cannot be tested here. */
async function choose(): Promise<Release | string> {
  const { version } = readJson<{ version: string }>('package.json');
  const releases = readJson<Release[]>('migrations/releases.json');
  if (!isTrue('rev-parse', 'HEAD')) return 'this is not a git checkout';
  const own = releases.find((release) => release.version === version);
  if (own && isTrue('cat-file', '-e', `${own.commit}^{commit}`)) {
    const isSame = isTrue('diff', '--quiet', own.commit, '--', 'src', 'migrations/*.sql');
    if (!isSame) throw new Error(`${version} is released: raise the version in package.json`);
  }
  const release = previousRelease(releases, { version, commit: git('rev-parse', 'HEAD') });
  if (!release) return 'there is no previous release';
  if (!isTrue('cat-file', '-e', `${release.commit}^{commit}`))
    return `this checkout lacks the commit ${release.commit} of ${release.version}: run \`git fetch --unshallow\``;
  try {
    await onServer('select 1');
  } catch (error) {
    return `no PostgreSQL server at ${new URL(SERVER).host} (${String(error)}): set TEST_DATABASE_URL`;
  }
  return release;
}

async function addPackages(checkout: string): Promise<void> {
  const [own, present] = await Promise.all(
    [checkout, PROJECT_ROOT].map((folder) => readFile(join(folder, 'package-lock.json'), 'utf8')),
  );
  if (isSameLock(own ?? '', present ?? '')) {
    symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(checkout, 'node_modules'));
    return;
  }
  await run(
    { command: 'npm', args: ['ci', '--no-audit', '--no-fund'], cwd: checkout },
    async (group, how) => {
      if (how !== 'code 0') throw new Error(`npm ci failed (${how}):\n${group.output()}`);
    },
  );
}

/** Runs a program to its end, or until this one is stopped. */
async function run(
  spec: { command: string; args: string[]; cwd: string },
  after: (group: ProcessGroup, how: string) => Promise<void>,
): Promise<void> {
  stopped.signal.throwIfAborted();
  const group = startGroup({ ...spec, onOutput: (text) => process.stdout.write(text) });
  try {
    const limit = sleep(LIMIT_MS, 'the time limit', { ref: false, signal: stopped.signal });
    const how = await Promise.race([group.exited, limit]);
    await after(group, how);
  } finally {
    await group.stop();
    // A global setup that was ended has left its database.
    const left = await onServer(
      `select datname from pg_database where datname like 'throughline\\_test\\_${group.pid}\\_%'`,
    );
    for (const { datname } of left) await onServer(`drop database if exists "${datname}" with (force)`);
  }
}

async function testFiles(checkout: string, { left_out }: Differences): Promise<string[]> {
  const names = await Promise.all(
    TEST_FOLDERS.map(async (folder) =>
      (await readdir(join(checkout, folder))).map((name) => `${folder}/${name}`),
    ),
  );
  const unknown = left_out.filter(({ file }) => !names.flat().includes(file));
  if (unknown.length > 0) throw new Error(`not a test of the release: ${JSON.stringify(unknown)}`);
  return names
    .flat()
    .filter((file) => file.endsWith('.test.ts') && !left_out.some((one) => one.file === file));
}

/** Resolves to Vitest's report. */
async function runTests(checkout: string, differences: Differences): Promise<Report> {
  const file = join(checkout, 'report.json');
  const files = await testFiles(checkout, differences);
  const reporters = ['--silent', '--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
  const vitest = join(checkout, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', PROJECT, ...reporters, ...files];
  await run({ command: process.execPath, args, cwd: checkout }, async (_, how) => {
    if (!/^code [01]$/.test(how)) throw new Error(`vitest ended with ${how}`);
  });
  return JSON.parse(await readFile(file, 'utf8')) as Report;
}

async function test(release: Release): Promise<Report> {
  const none: Differences = { left_out: [], expected: [] };
  const all = readJson<Record<string, Differences>>('migrations/expected-differences.json');
  const differences = all[release.version] ?? none;
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'throughline-release-')));
  const checkout = join(folder, 'checkout');
  try {
    git('worktree', 'add', '--detach', checkout, release.commit);
    await replaceMigrations(checkout, join(PROJECT_ROOT, 'migrations'));
    await addPackages(checkout);
    const verdict = judge(await runTests(checkout, differences), differences.expected, checkout);
    for (const name of verdict.failures) process.stdout.write(`fails on the newest schema: ${name}\n`);
    for (const name of verdict.stale)
      process.stdout.write(`listed in expected-differences.json, and does not fail: ${name}\n`);
    return verdict.report;
  } finally {
    await rm(folder, { recursive: true, force: true });
    git('worktree', 'prune');
  }
}

async function main(reportPath: string | undefined): Promise<void> {
  const started = performance.now();
  const chosen = await choose();
  const report = typeof chosen === 'string' ? SKIPPED : await test(chosen);
  if (reportPath) writeFileSync(reportPath, JSON.stringify(report));
  if (typeof chosen === 'string') {
    process.stdout.write(`\n*** THE PREVIOUS RELEASE IS NOT TESTED: ${chosen} ***\n`);
    return;
  }
  const { numPassedTests, numFailedTests, numPendingTests, success } = report;
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(
    `release ${chosen.version} on the newest schema: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped, in ${seconds} s\n`,
  );
  process.exitCode = success ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)));

main(process.argv[2]).catch((error: unknown) => {
  const reason = stopped.signal.aborted ? stopped.signal.reason : error;
  process.stderr.write(`the previous release could not be tested: ${String(reason)}\n`);
  process.exitCode = 1;
});
