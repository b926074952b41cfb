import { basename, posix } from 'node:path';
import { expect, test } from 'vitest';
import { projectFiles, textOf } from './project-files.ts';

/** Documents and comments name files and folders: a file that is moved or renamed must not leave its old path behind. */

/** Documents are read as a whole, code by its comments. */
const documents = projectFiles.filter((path) => /^([^/]+|docs\/adr\/.+)\.md$/.test(path));
const commented = projectFiles.filter((path) => /\.(ts|sql|toml)$|^\.ci\//.test(path));

const files = new Set(projectFiles);
const folders = new Set(projectFiles.flatMap(foldersAbove));
const TOP_FOLDERS = [...folders].filter((folder) => !folder.includes('/'));

function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

/**
 * The comment of a line. In TypeScript a comment begins the line, or follows code as `//` between spaces, which no
 * address contains. In SQL and in scripts it ends the line.
 */
const COMMENTS: Record<string, RegExp> = {
  ts: /^\s*(?:\/\/|\/\*|\*)(.*)|\s\/\/ (.*)/,
  sql: /(?:^|\s)--(.*)/,
  toml: /(?:^|\s)#(.*)/,
};

interface Line {
  /** `path:line`, for messages. */
  place: string;
  folder: string;
  text: string;
}

function linesOf(path: string, comment?: RegExp): Line[] {
  return textOf(path)
    .split('\n')
    .map((line, i) => {
      const match = comment?.exec(line);
      const text = comment ? (match?.[1] ?? match?.[2] ?? '') : line;
      return { place: `${path}:${i + 1}`, folder: posix.dirname(path), text };
    })
    .filter(({ text }) => text !== '');
}

const lines = [
  ...documents.flatMap((path) => linesOf(path)),
  ...commented.flatMap((path) => linesOf(path, COMMENTS[path.split('.').at(-1) ?? ''] ?? COMMENTS.toml)),
];

/** `*`, `…` and `<name>` stand for any text without a slash. */
const WILDCARD = /\*|…|<[a-z-]+>/g;
const ADDRESS = /\b[a-z]+:\/\/\S+/g;
const TOKEN = /(?<![\w./@$:-])(?:[\w.*…-]|<[a-z-]+>)+(?:\/(?:[\w.*…-]|<[a-z-]+>)+)*\/?/g;

const FILE_WITH_FOLDER = /\/.*\.(ts|sql|md|json|toml|html)$/;
const BARE_FILE = /^[^/]*[\w>]\.(ts|sql|md|json|toml|html)$/;

/** The tokens of a text that look like a path of the project. */
function pathsIn(text: string): string[] {
  return (text.replace(ADDRESS, '').match(TOKEN) ?? [])
    .map((token) => token.replace(/\.+$/, ''))
    .filter(
      (token) =>
        FILE_WITH_FOLDER.test(token) ||
        BARE_FILE.test(token) ||
        /^[\w<.-]+\/$/.test(token) ||
        (token.includes('/') && TOP_FOLDERS.includes(token.split('/')[0] ?? '')),
    );
}

/** A path is relative to the root, to `src` or to the folder of the text. A file without a folder may be in any folder. */
function exists(path: string, folder: string): boolean {
  const name = path.replace(/\/$/, '');
  const isSame = matcherOf(name);
  if (!name.includes('/') && !path.endsWith('/')) return projectFiles.some((file) => isSame(basename(file)));
  return [name, posix.join('src', name), posix.join(folder, name)].some((candidate) => {
    const fits = matcherOf(candidate);
    return files.has(candidate) || folders.has(candidate) || [...files, ...folders].some(fits);
  });
}

function matcherOf(name: string): (path: string) => boolean {
  if (name.search(WILDCARD) === -1) return (path) => path === name;
  const literals = name.split(WILDCARD).map((literal) => literal.replaceAll('.', '\\.'));
  const pattern = new RegExp(`^${literals.join('[^/]*')}$`);
  return (path) => pattern.test(path);
}

test('documents and comments are read, and name paths', () => {
  expect(documents).toContain('docs/adr/0001-slices-on-a-pure-floor.md');
  expect(lines.flatMap(({ text }) => pathsIn(text)).length).toBeGreaterThan(100);
  expect(pathsIn('see src/db/client.ts, `*-sql.ts`, test/sql and https://a.example/src/b.ts.')).toEqual([
    'src/db/client.ts',
    '*-sql.ts',
    'test/sql',
  ]);
});

test('every path that a document or a comment names exists', () => {
  const missing = lines.flatMap(({ place, folder, text }) =>
    pathsIn(text)
      .filter((path) => !exists(path, folder))
      .map((path) => `${place} ${path}`),
  );
  expect(missing).toEqual([]);
});

test('every ADR that a document or a comment cites exists', () => {
  const missing = lines.flatMap(({ place, text }) =>
    [...text.matchAll(/\bADR (\d+)/g)]
      .filter(([, number = '']) => !exists(`docs/adr/${number.padStart(4, '0')}-*.md`, '.'))
      .map(([citation]) => `${place} ${citation}`),
  );
  expect(missing).toEqual([]);
});

test('every script that a document or a comment names is in package.json', () => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
  const missing = lines.flatMap(({ place, text }) =>
    [...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)]
      .filter(([, name = '']) => !(name in scripts))
      .map(([command]) => `${place} ${command}`),
  );
  expect(missing).toEqual([]);
});
