import type { DemoWorkspace } from './local-state.ts';

/** Makes a workspace named Demo and returns its id and the token of its first key. */
export async function seedDevWorkspace(url: string, rootKey: string): Promise<DemoWorkspace> {
  const response = await fetch(`${url}/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Demo' }),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`POST /v1/workspaces: HTTP ${response.status} ${text}`);
  const { workspace, key } = JSON.parse(text) as { workspace: { id: string }; key: { token: string } };
  return { id: workspace.id, token: key.token };
}

/** True if the workspace of an earlier start is still in the database: its token opens it. */
export async function isDemoThere(url: string, { token }: DemoWorkspace): Promise<boolean> {
  const response = await fetch(`${url}/v1/workspace`, { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  return response.status === 200;
}
