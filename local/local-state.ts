import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A workspace that `npm run dev` seeded. Its token is shown once, so it is kept here. */
export interface DemoWorkspace {
  id: string;
  token: string;
}

/** State that has to survive a restart so that the data on disk stay readable. */
export interface LocalState {
  rootKey: string;
  identitySecret: string;
  tokenSecret: string;
  /** Seeded workspaces, by their database. */
  demos: Record<string, DemoWorkspace>;
}

const FILE = 'throughline.json';
const SECRET_BYTES = 32;

/** Reads the state in `folder`, or generates new secrets. Without a folder nothing is read or kept. */
export async function loadLocalState(folder: string | undefined): Promise<LocalState> {
  const kept = folder === undefined ? {} : await readState(join(folder, FILE));
  const made = { rootKey: newSecret(), identitySecret: newSecret(), tokenSecret: newSecret() };
  const state = { ...made, demos: {}, ...kept };
  await saveLocalState(folder, state);
  return state;
}

/** Writes the state to `folder`, readable by its owner only. */
export async function saveLocalState(folder: string | undefined, state: LocalState): Promise<void> {
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, FILE), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}

async function readState(path: string): Promise<Partial<LocalState>> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
