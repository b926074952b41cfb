/** Markdown that is as readable as text: tables have columns of equal width, paragraphs short lines. */

const MAX_LINE = 100;

/** @param texts how many columns are text, from the left; the others are numbers */
export function table(head: readonly string[], rows: readonly (readonly string[])[], texts = 1): string {
  const widths = head.map((name, i) => Math.max(3, name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const cell = (text: string, i: number) =>
    i < texts ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0);
  const line = (cells: readonly string[]) =>
    `| ${widths.map((_, i) => cell(cells[i] ?? '', i)).join(' | ')} |`;
  const dashes = (width: number, i: number) =>
    i < texts ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`;
  return [line(head), `|${widths.map(dashes).join('|')}|`, ...rows.map(line)].join('\n');
}

export function paragraph(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > MAX_LINE) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** `0.42`, `9.1`, `123`, `12,345`: no digits after the point from ten on. */
export function number(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const digits = size >= 10 ? 0 : size >= 1 ? 1 : 2;
  return Number(value.toFixed(digits)).toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** The number; a dash if there is none. */
export function numberOr(value: number | null | undefined): string {
  return value === null || value === undefined || Number.isNaN(value) ? '–' : number(value);
}
