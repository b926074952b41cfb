import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Asked, PAGE, readArguments, USAGE } from '../../bench/arguments.ts';
import { PROJECT_ROOT } from '../../local/workerd.ts';

function pageOptions(asked: Asked) {
  if (asked.kind !== 'page') throw new Error(`not the page: ${JSON.stringify(asked)}`);
  return { ...asked.options, sizes: asked.options.sizes.map(({ name }) => name) };
}

test('without arguments all sizes are measured, and the page is the one in docs', () => {
  expect(pageOptions(readArguments([]))).toEqual({
    sizes: ['1m', '3m', '10m'],
    reads: '',
    is_quick: false,
    page: PAGE,
    reuse: null,
    plans: null,
  });
});

test('a run of a part leaves the page in docs alone', () => {
  expect(pageOptions(readArguments(['--quick'])).page).toBe(null);
  expect(pageOptions(readArguments(['--sizes', '10m,1m']))).toMatchObject({
    sizes: ['1m', '10m'],
    page: null,
  });
  expect(pageOptions(readArguments(['--sizes=1m', '--page', 'here.md'])).page).toBe('here.md');
});

test('names run benchmarks in the order in which they are given', () => {
  expect(readArguments(['rotation', 'ingest'])).toEqual({ kind: 'benches', names: ['rotation', 'ingest'] });
});

test.for([
  [['--nonsense'], /nonsense/],
  [['nonsense'], /Unknown benchmark: nonsense/],
  [['funnel', '--quick'], /Options belong/],
  [['--sizes', '2m'], /Unknown size: 2m/],
  [['--quick', '--sizes', '1m'], /Unknown size: 1m/],
  [['--reuse', 'x"; drop'], /--reuse takes/],
] as const)('%j is answered with what is wrong', ([args, problem]) => {
  expect(readArguments(args)).toEqual({ kind: 'usage', problem: expect.stringMatching(problem) });
});

test('databases are loaded only under a name by which they are kept', () => {
  expect(readArguments(['--load'])).toEqual({ kind: 'usage', problem: '--load needs --reuse.' });
  expect(readArguments(['--load', '--reuse', 'kept_', '--sizes', '3m'])).toMatchObject({
    kind: 'load',
    prefix: 'kept_',
    sizes: [{ name: '3m' }],
  });
});

test('help is no problem', () => {
  expect(readArguments(['--help'])).toEqual({ kind: 'usage', problem: null });
});

test('an unknown option ends the process with 2 and the usage, before anything is started', () => {
  const ended = spawnSync(process.execPath, [join(PROJECT_ROOT, 'bench/main.ts'), '--nonsense'], {
    encoding: 'utf8',
    env: { ...process.env, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
  });
  expect(ended).toMatchObject({ status: 2, stdout: '' });
  expect(ended.stderr).toContain(USAGE);
});
