import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { buildWorker } from '../../local/workerd.ts';

/** Small enough to start quickly anywhere; a library that is too heavy is noticed when it is added. */
const MAX_GZIP_KIB = 600;

test(`the Worker is at most ${MAX_GZIP_KIB} KiB of gzip`, async () => {
  const outdir = await mkdtemp(join(tmpdir(), 'throughline-size-'));
  onTestFinished(() => rm(outdir, { recursive: true, force: true }));
  await buildWorker(outdir);
  // wrangler writes the source map and a README beside the modules; neither is part of the Worker.
  const modules = (await readdir(outdir)).filter((file) => !/\.map$|^README/.test(file));
  expect(modules).toContain('worker.js');
  const sizes = await Promise.all(
    modules.map(async (file) => gzipSync(await readFile(join(outdir, file))).length),
  );
  const kib = sizes.reduce((sum, size) => sum + size, 0) / 1024;
  expect(kib).toBeLessThanOrEqual(MAX_GZIP_KIB);
}, 60_000);
