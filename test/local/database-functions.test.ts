import { describe, expect, test } from 'vitest';
import { applyMigrations } from '../../local/apply-migrations.ts';
import { readDatabaseFunctions } from '../../local/database-functions.ts';
import { ForeignMigrations } from '../../local/migrator.ts';
import type { SqlBackend } from '../../local/sql-backend.ts';
import { backendCases } from './databases.ts';

/** `migrations/functions` holds the present text of every database function. */

const functions = await readDatabaseFunctions();

/** Every function and trigger as stored in the database; for an aggregate, its parts. */
const DEFINITIONS = `
  select p.proname::text,
    case when p.prokind = 'a' then concat_ws(' ', a.aggtransfn, a.aggfinalfn, a.aggtranstype::regtype, a.agginitval, p.proparallel)
      else pg_get_functiondef(p.oid) end
  from pg_proc p
  left join pg_aggregate a on a.aggfnoid = p.oid
  where p.pronamespace = 'public'::regnamespace
  union all
  select t.tgname::text, pg_get_triggerdef(t.oid)
  from pg_trigger t
  where not t.tgisinternal
  order by 1, 2`;

async function rows(backend: SqlBackend, query: string): Promise<(string | null)[][]> {
  const [result] = await backend.run([{ query, params: [] }], { atomic: false });
  return result?.rows ?? [];
}

for (const { name, reason, open } of await backendCases()) {
  describe.runIf(reason === undefined)(`a migrated database on ${name}`, { timeout: 120_000 }, () => {
    test('has the functions that have a file, and no others; applying every file changes nothing', async () => {
      const { backend, remove } = await open();
      try {
        await applyMigrations(backend);
        const migrated = await rows(backend, DEFINITIONS);
        const known = await rows(
          backend,
          `select distinct proname::text from pg_proc where pronamespace = 'public'::regnamespace order by 1`,
        );
        expect(known.flat()).toEqual(functions.map((one) => one.name).toSorted());
        for (const query of functions.flatMap(({ statements }) => statements)) {
          await backend.run([{ query, params: [] }], { atomic: false });
        }
        expect(await rows(backend, DEFINITIONS)).toEqual(migrated);
      } finally {
        await remove();
      }
    });

    test('with migrations of another version is refused, and left as it is', async () => {
      const { backend, remove } = await open();
      try {
        await applyMigrations(backend);
        expect(await applyMigrations(backend)).toEqual({ applied: [], newer: 0 });
        const change = 'update drizzle.__drizzle_migrations set created_at = created_at - 1 where id = 1';
        await backend.run([{ query: change, params: [] }], { atomic: false });
        await expect(applyMigrations(backend)).rejects.toThrow(ForeignMigrations);
        await expect(applyMigrations(backend)).rejects.toThrow(/^1 of its \d+ migrations/);
      } finally {
        await remove();
      }
    });
  });
}

test('every file says in a header what its function is for, and creates it under the name of the file', () => {
  for (const { name, statements } of functions) {
    expect(statements[0], name).toMatch(new RegExp(`^-- ${name}: [a-z]`));
    expect(statements[0], name).toMatch(
      new RegExp(`^create or replace (function|aggregate) ${name} ?\\(`, 'm'),
    );
  }
});
