import { parseArgs } from 'node:util';

/** The options of the demo. */
export interface DemoOptions {
  /** Stay up after printing, or exit. */
  stay: boolean;
  seed: number;
  port: number;
  databaseUrl: string | undefined;
  rootKey: string | undefined;
}

export const HELP = `npm run demo -- [--once] [--seed N]

Starts the API on this machine, loads a year of synthetic data through it, prints its reports, and
stays up for exploring until Ctrl-C.

  --once      exit after printing
  --seed N    a whole number; each seed generates another year (default 1)
  --help      print this

  PORT          port of the API (default: a free one)
  DATABASE_URL  a PostgreSQL server to use; the demo deletes its workspace there when it ends
                (default: an embedded PGlite in memory)
  ROOT_KEY      at least 32 characters (default: a new one)
`;

const DEFAULT_SEED = '1';

/** Reads arguments and environment; undefined if help is requested. Throws on unknown options. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): DemoOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      once: { type: 'boolean', default: false },
      seed: { type: 'string', default: DEFAULT_SEED },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    stay: !values.once,
    seed: wholeNumber('--seed', values.seed, 0xffffffff),
    // An empty variable counts as absent: `PORT= npm run demo`.
    port: wholeNumber('PORT', env.PORT || '0', 65_535),
    databaseUrl: env.DATABASE_URL || undefined,
    rootKey: env.ROOT_KEY || undefined,
  };
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= max)) throw new Error(`${name} must be a whole number from 0 to ${max}, not ${text}`);
  return number;
}
