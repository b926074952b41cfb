import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Locks a folder (created if missing) for this process and returns a function that unlocks it. Throws if another
 * living process holds the lock. A lock left by a dead process is taken over.
 */
export async function lockFolder(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, 'lock');
  try {
    await writeLock(path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const holder = Number(await readFile(path, 'utf8'));
    if (isAlive(holder)) throw new Error(`${dataDir} is in use by process ${holder}`);
    await rm(path, { force: true });
    await writeLock(path);
  }
  return () => rm(path, { force: true });
}

async function writeLock(path: string): Promise<void> {
  const file = await open(path, 'wx');
  await file.writeFile(String(process.pid));
  await file.close();
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
