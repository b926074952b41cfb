/** The heap of the isolate while something runs, in MiB. */
export interface HeapPeak {
  /** JavaScript objects and text, garbage that is not collected yet included. */
  heap: number;
  /** The same with the buffers outside of the heap that it refers to. */
  heap_and_buffers: number;
}

const POLL_MS = 10;
const MIB = 1024 ** 2;

interface HeapUsage {
  usedSize: number;
  backingStorageSize?: number;
}

/** The inspector of workerd, over one WebSocket: workerd does not answer a second one of its isolate. */
export interface HeapWatch {
  /** Runs `use`, and asks for the heap every few milliseconds. */
  during(use: () => Promise<unknown>): Promise<HeapPeak>;
  close(): void;
}

export async function watchHeap(inspectorUrl: string): Promise<HeapWatch> {
  const socket = new WebSocket(inspectorUrl);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${inspectorUrl}`)), {
      once: true,
    });
  });
  const peak = { heap: 0, heap_and_buffers: 0 };
  socket.addEventListener('message', ({ data }) => {
    const { result } = JSON.parse(String(data)) as { result?: HeapUsage };
    if (result?.usedSize === undefined) return;
    const { usedSize, backingStorageSize = 0 } = result;
    peak.heap = Math.max(peak.heap, usedSize / MIB);
    peak.heap_and_buffers = Math.max(peak.heap_and_buffers, (usedSize + backingStorageSize) / MIB);
  });
  let serial = 0;
  const ask = () => {
    serial += 1;
    socket.send(JSON.stringify({ id: serial, method: 'Runtime.getHeapUsage' }));
  };
  return {
    during: async (use) => {
      Object.assign(peak, { heap: 0, heap_and_buffers: 0 });
      const timer = setInterval(ask, POLL_MS);
      await use().finally(() => clearInterval(timer));
      return { heap: Math.round(peak.heap), heap_and_buffers: Math.round(peak.heap_and_buffers) };
    },
    close: () => socket.close(),
  };
}
