import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startWorkerd } from '../../local/workerd.ts';

async function bundleOf(source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'throughline-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const bundle = join(folder, 'worker.js');
  await writeFile(bundle, source);
  return bundle;
}

test('a Worker in workerd gets its variables, reaches this machine and logs', async () => {
  const upstream = createServer((_request, response) => response.end('from upstream'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const bundle = await bundleOf(`export default {
    async fetch(request, env) {
      console.log('asked for', new URL(request.url).pathname);
      return Response.json({ secret: env.SECRET, upstream: await (await fetch(env.UPSTREAM)).text() });
    },
  };`);
  const secret = 'a "quoted" $value \\ \'with\' `everything`';
  const port = (upstream.address() as AddressInfo).port;
  const worker = await startWorkerd({
    bundle,
    env: { SECRET: secret, UPSTREAM: `http://127.0.0.1:${port}/` },
  });
  onTestFinished(async () => {
    await worker.stop();
    upstream.closeAllConnections();
    upstream.close();
  });
  const response = await fetch(`${worker.url}/here`);
  expect(await response.json()).toEqual({ secret, upstream: 'from upstream' });
  await expect.poll(worker.output).toContain('asked for /here');
  await worker.stop();
  await expect(fetch(worker.url)).rejects.toThrow();
}, 30_000);

test('a Worker that does not start is an error with what workerd said', async () => {
  const bundle = await bundleOf('export default {;');
  await expect(startWorkerd({ bundle, env: {} })).rejects.toThrow('SyntaxError');
}, 30_000);
