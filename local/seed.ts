import { DAY_MS } from './demo/calendar.ts';
import { generateDemo } from './demo/generate.ts';
import { loadDemo } from './demo/load.ts';
import { recentDays } from './demo/slice.ts';
import type { DemoWorkspace } from './local-state.ts';

const SEED = 1;
/** About 2,500 touchpoints: enough for reports, and loaded in seconds. */
const SEEDED_DAYS = 45;
const SEED_TIMEOUT_MS = 60_000;

/**
 * Creates a workspace named Demo with the last weeks of the demo's data; returns its id and the token of its first
 * key.
 */
export async function seedDevWorkspace(url: string, rootKey: string): Promise<DemoWorkspace> {
  const response = await fetch(`${url}/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Demo' }),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`POST /v1/workspaces: HTTP ${response.status} ${text}`);
  const { workspace, key } = JSON.parse(text) as { workspace: { id: string }; key: { token: string } };
  const until = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS);
  const data = recentDays(generateDemo({ seed: SEED, until }), SEEDED_DAYS, until);
  const access = { url, token: key.token, signal: AbortSignal.timeout(SEED_TIMEOUT_MS) };
  await loadDemo(access, data, () => {});
  return { id: workspace.id, token: key.token };
}

/** Whether the workspace of an earlier start is still in the database, that is, whether its token is valid. */
export async function isDemoThere(url: string, { token }: DemoWorkspace): Promise<boolean> {
  const response = await fetch(`${url}/v1/workspace`, { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  return response.status === 200;
}
