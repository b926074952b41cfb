import { cp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WITHOUT_TRANSACTION } from './migrator.ts';

/** An entry of `migrations/releases.json`, oldest first. */
export interface Release {
  version: string;
  commit: string;
}

/** An entry of `migrations/expected-differences.json`, by the version of the release. */
export interface Differences {
  /** Files that do not test the API, or that take too long. */
  left_out: { file: string; reason: string }[];
  /** Tests that fail for a good reason: the newest schema behaves differently on purpose. `test` is the full name. */
  expected: { file: string; test: string; reason: string }[];
}

/**
 * The newest release before the version that is being made; undefined before the second one.
 * @param own the version in package.json
 */
export function previousRelease(
  releases: readonly Release[],
  own: { version: string; commit: string },
): Release | undefined {
  return releases.findLast(({ version, commit }) => version !== own.version && commit !== own.commit);
}

/** Whether two lock files install the same packages. The version of the project itself does not matter. */
export function isSameLock(a: string, b: string): boolean {
  const packagesOf = (text: string) => {
    const { packages } = JSON.parse(text) as { packages: Record<string, Record<string, unknown>> };
    const root = { ...packages[''], version: undefined };
    return JSON.stringify({ ...packages, '': root });
  };
  return packagesOf(a) === packagesOf(b);
}

interface Journal {
  entries: { tag: string; when: number }[];
}

/** The journal of the release, under another name: its own build compares the schema with this one. */
const OWN_JOURNAL = '_journal_of_the_release.json';

/**
 * Puts the newest migrations into the checkout of a release. Its own code applies them; the migrator of 0.1.0 does so
 * in one transaction, so indexes are made in the usual way there.
 * @throws if a migration of the release is missing or was edited, or if the schema says that it ends its support
 */
export async function replaceMigrations(checkout: string, newest: string): Promise<void> {
  const [own, target] = [join(checkout, 'migrations'), newest];
  const { entries } = JSON.parse(await readFile(join(own, 'meta/_journal.json'), 'utf8')) as Journal;
  for (const { tag } of entries) {
    const [released, present] = await Promise.all(
      [own, target].map((folder) => readFile(join(folder, `${tag}.sql`), 'utf8').catch(() => null)),
    );
    if (released !== present) throw new Error(`${tag}.sql is released, and may not be edited or removed`);
  }
  const support = await readFile(join(target, 'functions/oldest_supported_migration.sql'), 'utf8');
  const oldest = Number(/^\s*select (\d+)$/m.exec(support)?.[1]);
  if (!entries.some(({ when }) => when >= oldest))
    throw new Error('oldest_supported_migration() ends the support of this release');
  await rename(join(own, 'meta/_journal.json'), join(own, 'meta', OWN_JOURNAL));
  await cp(target, own, { recursive: true });
  for (const file of (await readdir(own)).filter((name) => name.endsWith('.sql')))
    await rewrite(join(own, file), (text) =>
      text.startsWith(WITHOUT_TRANSACTION) ? text.replaceAll(/\bindex concurrently\b/gi, 'index') : text,
    );
  for (const file of await readdir(join(checkout, 'src'), { recursive: true }))
    if (file.endsWith('.ts'))
      await rewrite(join(checkout, 'src', file), (text) =>
        text.replaceAll('migrations/meta/_journal.json', `migrations/meta/${OWN_JOURNAL}`),
      );
}

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const changed = change(text);
  if (changed !== text) await writeFile(path, changed);
}

/** The part of Vitest's JSON report that is read here and by `.ci/run`. */
export interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  success: boolean;
  testResults: {
    /** The path of the file. */
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string; failureMessages?: string[] | null }[];
  }[];
}

/** The report of a run that did not take place. */
export const SKIPPED: Report = {
  ...{ numPassedTests: 0, numFailedTests: 0, numPendingTests: 1, numTodoTests: 0 },
  ...{ success: true, testResults: [] },
};

/** What the results mean for a release. */
export interface Verdict {
  /** Expected failures count as skipped in it. */
  report: Report;
  /** Tests that fail, and files that could not be run, that are not listed. */
  failures: string[];
  /** Entries of the list that did not fail: the entry is to be removed. */
  stale: string[];
}

/** @param root of the checkout, to which the files of the list are relative */
export function judge(report: Report, expected: Differences['expected'], root: string): Verdict {
  const failures: string[] = [];
  const failed = new Set<string>();
  const testResults = report.testResults.map((result) => {
    const file = result.name.replace(`${root}/`, '');
    const assertionResults = result.assertionResults.map((assertion) => {
      if (assertion.status !== 'failed') return assertion;
      const name = `${file} > ${assertion.fullName}`;
      const isExpected = expected.some((one) => one.file === file && one.test === assertion.fullName);
      if (isExpected) failed.add(name);
      else failures.push(name);
      return { ...assertion, status: isExpected ? 'skipped' : 'failed' };
    });
    const hasTests = result.assertionResults.some(({ status }) => status === 'failed');
    if (result.status === 'failed' && !hasTests) failures.push(`${file} could not be run`);
    const isFailed = result.status === 'failed' && (!hasTests || assertionResults.some(isFailure));
    return { ...result, assertionResults, status: isFailed ? 'failed' : 'passed' };
  });
  const isOutside = !report.success && failures.length === 0 && failed.size === 0;
  if (isOutside) failures.push('an error outside every test');
  return {
    report: {
      ...report,
      testResults,
      numFailedTests: report.numFailedTests - failed.size,
      numPendingTests: report.numPendingTests + failed.size,
      success: failures.length === 0,
    },
    failures,
    stale: expected.map(({ file, test }) => `${file} > ${test}`).filter((name) => !failed.has(name)),
  };
}

const isFailure = ({ status }: { status: string }) => status === 'failed';
