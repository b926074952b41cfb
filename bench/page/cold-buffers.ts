import { connect } from '../databases.ts';

const BLOCK_BYTES = 8192;
/** A larger server would need a larger table than is worth making. */
const MOST_BUFFER_BYTES = 1024 ** 3;

/**
 * Reads a table three times as large as the server's shared buffers into them, so that they hold nothing else. The
 * server is not restarted, because it may have other users; the cache of the operating system keeps its files.
 */
export interface Eviction {
  evict(): Promise<void>;
  close(): Promise<void>;
}

/** @returns null if the server's shared buffers are larger than 1 GiB */
export async function startEviction(databaseUrl: string): Promise<Eviction | null> {
  const client = await connect(databaseUrl);
  const { rows } = await client.query<{ blocks: number }>(
    "select setting::int as blocks from pg_settings where name = 'shared_buffers'",
  );
  const blocks = rows[0]?.blocks ?? 0;
  if (blocks * BLOCK_BYTES > MOST_BUFFER_BYTES) {
    await client.end();
    return null;
  }
  await client.query('create unlogged table bench.filler (text text)');
  await client.query('alter table bench.filler alter text set storage plain');
  // Two rows fill a block.
  await client.query("insert into bench.filler select repeat('x', 4000) from generate_series(1, $1::int) n", [
    2 * 3 * blocks,
  ]);
  await client.query('vacuum bench.filler');
  await client.query('checkpoint');
  return {
    // A buffer that was used often stays until it was passed over some times.
    evict: async () => {
      for (let i = 0; i < 2; i++) await client.query("select bench.pg_prewarm('bench.filler', 'buffer')");
    },
    close: () => client.end(),
  };
}
