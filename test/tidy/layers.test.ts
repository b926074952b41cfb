import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { sourceFiles, textOf } from './project-files.ts';

/** From left to right; a room imports only from itself and to its right. Slices are all one room. */
const ROOMS = ['worker', 'app', 'slices', 'http', 'db', 'domain'] as const;
type Room = (typeof ROOMS)[number];

const FILES: Record<string, Room> = {
  'src/worker.ts': 'worker',
  'src/app.ts': 'app',
  'src/operations.ts': 'app',
  'src/queue.ts': 'app',
  'src/schedule.ts': 'app',
};

/** Which migrations a build knows is data, not code. */
const JOURNAL = 'migrations/meta/_journal.json';

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g;

interface Import {
  from: string;
  to: string;
}

const imports: Import[] = sourceFiles
  .filter((path) => path.startsWith('src/'))
  .flatMap((from) =>
    [...textOf(from).matchAll(IMPORT)].map(([, specifier = '']) => ({
      from,
      to: posix.join(posix.dirname(from), specifier),
    })),
  );

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function roomOf(path: string): Room {
  const folder = folderOf(path);
  const floor = ROOMS.find((room) => room === folder);
  return FILES[path] ?? floor ?? 'slices';
}

function shown({ from, to }: Import): string {
  return `${from} imports ${to}`;
}

test('src is read: every file imports something, or is imported', () => {
  expect(imports.length).toBeGreaterThan(100);
});

test('src imports nothing from beside it but the list of migrations', () => {
  const outside = imports.filter(({ to }) => !to.startsWith('src/') && to !== JOURNAL);
  expect(outside.map(shown)).toEqual([]);
});

test('a room imports only to its right: worker → app → slices → http → db → domain', () => {
  const leftward = imports.filter(
    ({ from, to }) => to.startsWith('src/') && ROOMS.indexOf(roomOf(to)) < ROOMS.indexOf(roomOf(from)),
  );
  expect(leftward.map(shown)).toEqual([]);
});

test('slices never import each other; what two of them need moves down', () => {
  const across = imports.filter(
    ({ from, to }) =>
      to.startsWith('src/') &&
      roomOf(from) === 'slices' &&
      roomOf(to) === 'slices' &&
      folderOf(from) !== folderOf(to),
  );
  expect(across.map(shown)).toEqual([]);
});
