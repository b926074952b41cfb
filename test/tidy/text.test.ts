import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../local/workerd.ts';
import { linesWith, projectFiles, sourceFiles, textOf } from './project-files.ts';

const MAX_FILE_LINES = 300;

/** This file contains the patterns that it forbids. */
const others = sourceFiles.filter((path) => path !== 'test/tidy/text.test.ts');

const FORBIDDEN: [string, RegExp][] = [
  ['note to come back to: do it, or write an issue', /\b(TODO|FIXME|XXX)\b/],
  ['test keeps the others from running', /\b(test|describe|it)\.only\(/],
  ['type says nothing: use unknown and look', /\bas any\b/],
  ['type error is silenced', /@ts-(ignore|nocheck|expect-error)/],
  ['error is swallowed', /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/],
  [
    'column is looked up by a function, which reaches no index under row level security: see ADR 17',
    /\.(id|\w+_id|\w+_at|kind|conversation|domain) = (coalesce|lower|date_trunc|greatest|least)\(/,
  ],
  ['text becomes SQL: use sql`` with parameters or fragments', /\bsql\.raw\(/],
];

test.for(FORBIDDEN)('no %s', ([, pattern]) => {
  expect(linesWith(pattern, others)).toEqual([]);
});

test(`files have at most ${MAX_FILE_LINES} lines`, () => {
  const long = sourceFiles
    .map((path) => ({ path, lines: textOf(path).split('\n').length - 1 }))
    .filter(({ lines }) => lines > MAX_FILE_LINES);
  expect(long).toEqual([]);
});

test('functions have at most 50 lines', () => {
  expect(longFunctions()).toEqual([]);
});

/** By Biome's rule, whose limit is 50. A `describe` is a heading and not a function. */
function longFunctions(): string[] {
  const biome = join(PROJECT_ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const rule = '--only=complexity/noExcessiveLinesPerFunction';
  const args = [biome, 'lint', rule, '--reporter=json', '--max-diagnostics=none', ...others];
  const output = execFileSync(process.execPath, args, { cwd: PROJECT_ROOT, encoding: 'utf8', stdio: 'pipe' });
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: { message: string; location: { path: string; start: { line: number } } }[];
  };
  return diagnostics.flatMap(({ message, location: { path, start } }) => {
    const line = textOf(path).split('\n')[start.line - 1] ?? '';
    return /^\s*describe\b/.test(line) ? [] : [`${path}:${start.line} ${message}`];
  });
}

test('names say what is inside: no utils, helpers, types or index', () => {
  const vague = /^(utils?|helpers?|types?|index|common|misc)$/;
  const names = sourceFiles.filter((path) =>
    path.split('/').some((part) => vague.test(basename(part, '.ts').replace(/\.test$/, ''))),
  );
  expect(names).toEqual([]);
});

test('no file names a place on somebody’s machine, or a host that packages come from', () => {
  const texts = projectFiles.filter((path) => path !== 'test/tidy/text.test.ts');
  expect(linesWith(/(^|[^\w.$}/])\/(work|tmp|root|home|Users|mnt)\//, texts)).toEqual([]);
  expect(linesWith(/\bregistry\.[a-z-]+\.[a-z]+/, texts)).toEqual([]);
  expect(linesWith(/"resolved":/, ['package-lock.json'])).toEqual([]);
});
