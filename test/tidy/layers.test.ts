import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { sourceFiles, textOf } from './project-files.ts';

/** From left to right: a room imports only from itself and from rooms to its right. Slices are all one room. */
const ROOMS = ['worker', 'document', 'app', 'slices', 'ingest', 'stats', 'http', 'db', 'domain'] as const;
type Room = (typeof ROOMS)[number];

const FILES: Record<string, Room> = {
  'src/worker.ts': 'worker',
  'src/app.ts': 'app',
  'src/operations.ts': 'app',
  'src/reports.ts': 'app',
  'src/queue.ts': 'app',
  'src/schedule.ts': 'app',
};

/** Rooms side by side: neither imports the other. */
const APART: [Room, Room][] = [
  ['ingest', 'stats'],
  ['worker', 'document'],
];

/** The list of migrations is data, not code. */
const JOURNAL = 'migrations/meta/_journal.json';

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g;

interface Import {
  from: string;
  to: string;
}

/** Type imports count, because files that import each other's types have to be understood together. */
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

const inside = imports.filter(({ to }) => to.startsWith('src/'));

test('src is read: every file imports something, or is imported', () => {
  expect(imports.length).toBeGreaterThan(100);
});

test('src imports nothing from beside it but the list of migrations', () => {
  const outside = imports.filter(({ to }) => !to.startsWith('src/') && to !== JOURNAL);
  expect(outside.map(shown)).toEqual([]);
});

test('a room imports only to its right: worker → app → slices → ingest | stats → http → db → domain', () => {
  const leftward = inside.filter(({ from, to }) => ROOMS.indexOf(roomOf(to)) < ROOMS.indexOf(roomOf(from)));
  expect(leftward.map(shown)).toEqual([]);
});

test('ingest and stats do not know each other, and nothing that runs knows the document', () => {
  const across = inside.filter(({ from, to }) =>
    APART.some(
      (pair) => pair.includes(roomOf(from)) && pair.includes(roomOf(to)) && roomOf(from) !== roomOf(to),
    ),
  );
  expect(across.map(shown)).toEqual([]);
});

test('slices never import each other; what two of them need moves down', () => {
  const across = inside.filter(
    ({ from, to }) => roomOf(from) === 'slices' && roomOf(to) === 'slices' && folderOf(from) !== folderOf(to),
  );
  expect(across.map(shown)).toEqual([]);
});

test('no import cycles, types counted', () => {
  const graph = Map.groupBy(inside, ({ from }) => from);
  expect(cyclesOf(new Map([...graph].map(([from, edges]) => [from, edges.map(({ to }) => to)])))).toEqual([]);
});

/** The groups of files that import each other in a circle: strongly connected components of two or more (Tarjan). */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    stack.push(file);
    let low = index;
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, order.get(next) ?? low);
    }
    lowest.set(file, low);
    if (low === index) {
      const component = stack.splice(stack.indexOf(file));
      if (component.length > 1) cycles.push(component.toSorted());
    }
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return cycles;
}
