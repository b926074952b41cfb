import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { PROJECT_ROOT } from '../../local/workerd.ts';

const config = unstable_readConfig({ config: join(PROJECT_ROOT, 'wrangler.toml') });

test("Cloudflare's own log of requests, which holds whole URLs, is off; the lines of the Worker are kept", () => {
  expect(config.observability?.enabled).toBe(true);
  expect(config.observability?.logs).toMatchObject({ enabled: true, invocation_logs: false });
});

test('the addresses of the deployment are said: workers.dev, and none for versions that are not deployed', () => {
  expect([config.workers_dev, config.preview_urls]).toEqual([true, false]);
});
