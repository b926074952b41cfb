import { parseArgs } from 'node:util';
import { QUICK_SIZES, SIZES, type WorkspaceSize } from './workspace/size.ts';

/** The benchmarks that run by name only. */
export const NAMES = [
  'ingest',
  'funnel',
  'funnel-large',
  'locks',
  'hostile',
  'hostile-answers',
  'rotation',
] as const;
export type BenchName = (typeof NAMES)[number];

/** The file of the full run. */
export const PAGE = 'docs/performance.md';

/** How the performance page is made. */
export interface PageOptions {
  sizes: readonly WorkspaceSize[];
  /** Only reads whose name contains this text. */
  reads: string;
  is_quick: boolean;
  /** The file of the page; null for stdout. */
  page: string | null;
  /** What the names of loaded databases begin with, which are kept and copied; null if each run loads its own. */
  reuse: string | null;
  /** A folder for the plans of all statements; null for none. */
  plans: string | null;
}

export type Asked =
  | { kind: 'benches'; names: BenchName[] }
  | { kind: 'page'; options: PageOptions }
  | { kind: 'load'; sizes: readonly WorkspaceSize[]; prefix: string }
  | { kind: 'usage'; problem: string | null };

export const USAGE = `npm run bench                      measures 1, 3 and 10 million touchpoints and writes ${PAGE}
npm run bench -- --quick           the same for a small workspace, within two minutes; the page goes to stdout
npm run bench -- name …            one or more of: ${NAMES.join(', ')}

  --sizes 1m,3m     only these sizes, of ${SIZES.map(({ name }) => name).join(', ')}; the page goes to stdout
  --reads TEXT      only operations whose name contains this; the page goes to stdout
  --page FILE       writes the page to this file
  --reuse PREFIX    copies the databases PREFIX1m, PREFIX3m …; those that do not exist are loaded first, and kept
  --load            loads the databases of --reuse that do not exist, and measures nothing
  --plans FOLDER    writes the plan of every statement, as JSON

The server is that of DATABASE_URL, or postgres://postgres@127.0.0.1:5432/postgres. JSON goes to stdout if the page does not.
`;

export function readArguments(args: readonly string[]): Asked {
  const problem = (text: string): Asked => ({ kind: 'usage', problem: text });
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return problem(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: 'usage', problem: null };
  const unknown = positionals.filter((name) => !isName(name));
  if (unknown.length > 0) return problem(`Unknown benchmark: ${unknown.join(', ')}`);
  if (positionals.length > 0 && Object.keys(values).length > 0)
    return problem('Options belong to the performance page, and not to benchmarks by name.');
  if (positionals.length > 0) return { kind: 'benches', names: positionals.filter(isName) };
  const known = values.quick ? QUICK_SIZES : SIZES;
  const names = values.sizes?.split(',') ?? known.map(({ name }) => name);
  const unknownSizes = names.filter((name) => !known.some((size) => size.name === name));
  if (unknownSizes.length > 0) return problem(`Unknown size: ${unknownSizes.join(', ')}`);
  const prefix = values.reuse ?? null;
  if (prefix !== null && !/^[a-z][a-z0-9_]{0,40}$/.test(prefix))
    return problem('--reuse takes lower-case letters, digits and _.');
  const sizes = known.filter(({ name }) => names.includes(name));
  if (values.load)
    return prefix === null ? problem('--load needs --reuse.') : { kind: 'load', sizes, prefix };
  const isWhole = !values.quick && values.sizes === undefined && values.reads === undefined;
  return {
    kind: 'page',
    options: {
      sizes,
      reads: values.reads ?? '',
      is_quick: values.quick ?? false,
      page: values.page ?? (isWhole ? PAGE : null),
      reuse: prefix,
      plans: values.plans ?? null,
    },
  };
}

const parse = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      sizes: { type: 'string' },
      reads: { type: 'string' },
      page: { type: 'string' },
      reuse: { type: 'string' },
      load: { type: 'boolean' },
      plans: { type: 'string' },
      help: { type: 'boolean' },
    },
  });

function isName(name: string): name is BenchName {
  return (NAMES as readonly string[]).includes(name);
}
