/** What a terminal or a log needs of a stream; `process.stderr` is one. */
export interface ProgressStream {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** Reports something of the current step, such as how much of it is done. */
export type Note = (text: string) => void;

export interface Progress {
  /** Begins the next step. */
  step(text: string): void;
  note: Note;
  end(): void;
}

const TICK_MS = 1000;
const NOTE_EVERY_MS = 10_000;

/**
 * Step k of n, the time since the beginning, and what is being done: one line that is rewritten every second in a
 * terminal; elsewhere a line for each step, and at most one for its notes every ten seconds.
 * @param steps their number; null if it is not known
 */
export function startProgress(
  stream: ProgressStream,
  steps: number | null,
  nowMs: () => number = () => performance.now(),
): Progress {
  const started = nowMs();
  let [count, text, suffix, written] = [0, '', '', started];
  const line = () => {
    const place = steps === null ? '' : `${count} of ${steps}, `;
    return `${place}${clock(nowMs() - started)}  ${text}${suffix === '' ? '' : `: ${suffix}`}`;
  };
  const show = () => {
    written = nowMs();
    stream.write(stream.isTTY ? `\r\x1b[K${line().slice(0, 110)}` : `${line()}\n`);
  };
  const timer = stream.isTTY ? setInterval(show, TICK_MS) : undefined;
  timer?.unref();
  return {
    step: (name) => {
      [count, text, suffix] = [count + 1, name, ''];
      show();
    },
    note: (name) => {
      suffix = name;
      if (stream.isTTY || nowMs() - written >= NOTE_EVERY_MS) show();
    },
    end: () => {
      clearInterval(timer);
      [text, suffix] = ['done', ''];
      show();
      if (stream.isTTY) stream.write('\n');
    },
  };
}

/** `1:02:03`, `2:03`. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
