import { styleText } from 'node:util';

/** The output of the demo: `process.stdout`, or a stand-in. */
export interface Terminal {
  isTTY?: boolean;
  write(text: string): unknown;
}

type Style = 'bold' | 'dim' | 'cyan' | 'green';

/** Text in a style, or unchanged if escape codes are not wanted. */
export type Paint = (style: Style, text: string) => string;

export function painter({ isTTY }: Terminal, env: NodeJS.ProcessEnv): Paint {
  // Any value but the empty one switches colours off: https://no-color.org.
  const isPlain = !isTTY || Boolean(env.NO_COLOR) || env.TERM === 'dumb';
  return (style, text) => (isPlain ? text : styleText(style, text, { validateStream: false }));
}

const LINE_CHARS = 100;
const BAR_CHARS = 40;
const PLAIN_LINES = 4;

/** Shows the progress towards a known total. */
export interface Progress {
  add(items: number): void;
  /** Ends the line; must also be called if the work failed. */
  end(): void;
}

/** A growing bar on a terminal; elsewhere, where lines cannot be overwritten, one line per quarter. */
export function startProgress(
  total: number,
  { terminal, paint }: { terminal: Terminal; paint: Paint },
): Progress {
  let done = 0;
  let quarters = 0;
  const counts = () => `${count(done).padStart(count(total).length)} of ${count(total)} items`;
  const draw = () => {
    const filled = Math.floor((done / total) * BAR_CHARS);
    const bar = paint('cyan', '█'.repeat(filled)) + paint('dim', '░'.repeat(BAR_CHARS - filled));
    terminal.write(`\r  ${bar}  ${counts()}`);
  };
  if (terminal.isTTY) draw();
  return {
    add: (items) => {
      done += items;
      if (terminal.isTTY) return draw();
      const reached = Math.floor((done / total) * PLAIN_LINES);
      if (reached > quarters) terminal.write(`  ${counts()}\n`);
      quarters = reached;
    },
    end: () => {
      if (terminal.isTTY) terminal.write('\n');
    },
  };
}

/** `12,345`. */
export function count(items: number): string {
  return items.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1,234.50`. */
export function money(value: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** One line of a table: the first `texts` cells are left-aligned, the numbers after them right-aligned. */
export function row(cells: readonly string[], widths: readonly number[], texts = 1): string {
  return cells
    .map((cell, i) => (i < texts ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    .join('')
    .trimEnd();
}

export function rule(widths: readonly number[], paint: Paint): string {
  return paint('dim', '─'.repeat(widths.reduce((sum, width) => sum + width, 0)));
}

/** Wraps text into lines of at most 100 characters. */
export function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trimStart();
    if (lines.length > 0 && longer.length <= LINE_CHARS) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
