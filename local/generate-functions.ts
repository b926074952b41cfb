import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDatabaseFunctions } from './database-functions.ts';
import { PROJECT_ROOT } from './workerd.ts';

const USAGE = `Writes a migration that replaces database functions by their present text in migrations/functions.
  npm run generate:functions -- <name of the migration> <function> …
  npm run generate:functions -- cap_identities replay_people recompute_people`;

const MIGRATIONS = join(PROJECT_ROOT, 'migrations');
const DRIZZLE_KIT = join(PROJECT_ROOT, 'node_modules/drizzle-kit/bin.cjs');

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const [name, ...wanted] = process.argv.slice(2);
if (!name || !/^[a-z][a-z0-9_]*$/.test(name) || wanted.length === 0) fail(USAGE);

const functions = await readDatabaseFunctions();
const unknown = wanted.filter((one) => !functions.some((known) => known.name === one));
if (unknown.length > 0) fail(`migrations/functions has no ${unknown.map((one) => `${one}.sql`).join(', ')}`);

const kit = spawnSync(process.execPath, [DRIZZLE_KIT, 'generate', '--custom', '--name', name], {
  cwd: PROJECT_ROOT,
  encoding: 'utf8',
});
if (kit.status !== 0) fail(`drizzle-kit could not make the migration:\n${kit.stdout}${kit.stderr}`);

const file = readdirSync(MIGRATIONS)
  .toSorted()
  .findLast((one) => one.endsWith(`_${name}.sql`));
if (!file) fail(`drizzle-kit made no migration that ends in _${name}.sql`);
const statements = functions
  .filter((known) => wanted.includes(known.name))
  .flatMap((known) => known.statements);
writeFileSync(join(MIGRATIONS, file), `${statements.join('\n--> statement-breakpoint\n')}\n`);
process.stdout.write(`wrote migrations/${file}\n`);
