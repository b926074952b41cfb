import { neon, neonConfig } from '@neondatabase/serverless';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/neon-http';
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { expect, test } from 'vitest';
import { startNeonServer } from '../../local/neon-server.ts';
import { backendCases } from './databases.ts';

// In a file of its own: drizzle() replaces the driver's date parsers for the whole process.
neonConfig.fetchEndpoint = (host, port) => `http://${host}:${port}/sql`;

const things = pgTable('things', {
  id: integer('id').primaryKey(),
  note: text('note'),
  at: timestamp('at', { withTimezone: true, precision: 3 }),
});

for (const { name, reason, open } of await backendCases()) {
  test.runIf(reason === undefined)(
    `drizzle writes, reads and rolls back a batch over ${name}`,
    async () => {
      const { backend, remove } = await open();
      const server = await startNeonServer({ backend });
      try {
        const orm = drizzle(neon(server.connectionString));
        await orm.execute(sql`create table things (id int primary key, note text, at timestamptz(3))`);
        const row = { id: 1, note: null, at: new Date('2026-01-02T03:04:05.678Z') };
        const [inserted, listed] = await orm.batch([
          orm.insert(things).values(row).returning(),
          orm.select().from(things),
        ]);
        expect(inserted).toEqual([row]);
        expect(listed).toEqual([row]);

        const failing = orm.batch([orm.delete(things), orm.execute(sql`select 1 / 0`)]);
        await expect(failing).rejects.toMatchObject({ name: 'NeonDbError', code: '22012' });
        expect(await orm.select().from(things)).toEqual([row]);
      } finally {
        await server.close();
        await remove();
      }
    },
    30_000,
  );
}
