import { readdir, readFile } from 'node:fs/promises';

/**
 * Milliseconds that all threads of a process have spent on a CPU. Threads that have ended are not counted; workerd keeps
 * its threads.
 * @returns null where the system does not tell, as outside of Linux
 */
export async function cpuTimeOf(pid: number): Promise<number | null> {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const times = await Promise.all(
      threads.map(async (thread) => {
        const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
        return Number(text.split(' ')[0]);
      }),
    );
    return times.reduce((sum, ns) => sum + ns, 0) / 1e6;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null;
    throw error;
  }
}
