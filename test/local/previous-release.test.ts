import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  isSameLock,
  judge,
  previousRelease,
  type Report,
  replaceMigrations,
} from '../../local/previous-release.ts';

/** The parts of `npm run test:previous` that need no checkout of the release. */

describe('the previous release', () => {
  const releases = [
    { version: '0.1.0', commit: 'a' },
    { version: '0.2.0', commit: 'b' },
  ];

  test.for([
    ['0.3.0', 'c', '0.2.0'],
    ['0.2.0', 'c', '0.1.0'],
    ['0.3.0', 'b', '0.1.0'],
  ] as const)('of version %s at commit %s is %s', ([version, commit, expected]) => {
    expect(previousRelease(releases, { version, commit })?.version).toBe(expected);
  });

  test('does not exist before the second one', () => {
    expect(previousRelease(releases.slice(0, 1), { version: '0.1.0', commit: 'c' })).toBeUndefined();
  });
});

test('lock files are the same if only the version of the project differs', () => {
  const lock = (version: string, zod: string) =>
    JSON.stringify({
      version,
      packages: { '': { version, dependencies: { zod } }, 'node_modules/zod': { version: zod } },
    });
  expect(isSameLock(lock('0.1.0', '4.0.0'), lock('0.2.0', '4.0.0'))).toBe(true);
  expect(isSameLock(lock('0.1.0', '4.0.0'), lock('0.1.0', '4.0.1'))).toBe(false);
});

describe('the newest migrations', () => {
  async function folderOf(files: Record<string, string>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'throughline-release-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return folder;
  }

  const journal = (...tags: string[]) =>
    JSON.stringify({ entries: tags.map((tag, i) => ({ tag, when: 100 + i })) });
  const supports = (when: number) => ({
    'functions/oldest_supported_migration.sql': `create … as $$\n  select ${when}\n$$;`,
  });
  const checkoutOf = (first: string) =>
    folderOf({
      'migrations/0000_a.sql': first,
      'migrations/meta/_journal.json': journal('0000_a'),
      'src/health/ready.ts': `import journal from '../../migrations/meta/_journal.json';`,
    });
  const newest = (first: string, oldest: number) =>
    folderOf({
      '0000_a.sql': first,
      '0001_b.sql': '-- without a transaction\nCREATE INDEX CONCURRENTLY i on t (a);',
      'meta/_journal.json': journal('0000_a', '0001_b'),
      ...supports(oldest),
    });

  test('replace those of the release, which compares the schema with its own journal and can apply all of them', async () => {
    const checkout = await checkoutOf('create table t (a int)');
    await replaceMigrations(checkout, await newest('create table t (a int)', 100));
    const read = (path: string) => readFile(join(checkout, path), 'utf8');
    expect(await read('migrations/meta/_journal.json')).toBe(journal('0000_a', '0001_b'));
    expect(await read('migrations/0001_b.sql')).toContain('\nCREATE index i on t (a);');
    const source = await read('src/health/ready.ts');
    const imported = /'(.*)'/.exec(source)?.[1] ?? '';
    expect(await read(join('src/health', imported))).toBe(journal('0000_a'));
  });

  test('may not edit a released one, and may not end the support of the release', async () => {
    const checkout = await checkoutOf('create table t (a int)');
    const edited = await newest('create table t (a bigint)', 100);
    await expect(replaceMigrations(checkout, edited)).rejects.toThrow('0000_a.sql is released');
    const contracted = await newest('create table t (a int)', 101);
    await expect(replaceMigrations(checkout, contracted)).rejects.toThrow('ends the support');
  });
});

describe('the results of the release', () => {
  const FILE = 'test/http/a.test.ts';
  const report = (statuses: Record<string, string>): Report => {
    const all = Object.values(statuses);
    const failed = all.filter((status) => status === 'failed').length;
    return {
      numPassedTests: all.length - failed,
      numFailedTests: failed,
      ...{ numPendingTests: 0, numTodoTests: 0, success: failed === 0 },
      testResults: [
        {
          name: `/checkout/${FILE}`,
          status: failed > 0 ? 'failed' : 'passed',
          assertionResults: Object.entries(statuses).map(([fullName, status]) => ({ fullName, status })),
        },
      ],
    };
  };
  const expected = [{ file: FILE, test: 'b', reason: 'r' }];

  test('a failure that is not listed fails the run', () => {
    const { failures, report: judged } = judge(report({ a: 'failed', b: 'failed' }), expected, '/checkout');
    expect(failures).toEqual([`${FILE} > a`]);
    expect(judged).toMatchObject({ numFailedTests: 1, numPendingTests: 1, success: false });
  });

  test('a failure that is listed counts as skipped', () => {
    const { failures, stale, report: judged } = judge(report({ b: 'failed' }), expected, '/checkout');
    expect([failures, stale]).toEqual([[], []]);
    expect(judged).toMatchObject({
      ...{ numPassedTests: 0, numFailedTests: 0, numPendingTests: 1, success: true },
      testResults: [{ status: 'passed', assertionResults: [{ status: 'skipped' }] }],
    });
  });

  test('a test that is listed and passes is reported', () => {
    const verdict = judge(report({ b: 'passed' }), expected, '/checkout');
    expect([verdict.failures, verdict.stale]).toEqual([[], [`${FILE} > b`]]);
  });

  test('a file that could not be run, and an error outside every test, fail the run', () => {
    const passed = report({ a: 'passed' });
    const [file] = passed.testResults;
    if (!file) throw new Error('no file');
    const broken = { ...passed, success: false, testResults: [{ ...file, status: 'failed' }] };
    expect(judge(broken, [], '/checkout').failures).toEqual([`${FILE} could not be run`]);
    expect(judge(broken, [], '/checkout').report.testResults[0]?.status).toBe('failed');
    expect(judge({ ...passed, success: false }, [], '/checkout').failures).toHaveLength(1);
  });
});
