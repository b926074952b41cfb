import { expect, test } from 'vitest';
import { clock, startProgress } from '../../bench/progress.ts';

function streamOf(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

test('a log gets a line for each step with its place and the time, and a note every ten seconds', () => {
  const stream = streamOf(false);
  let now = 0;
  const progress = startProgress(stream, 2, () => now);
  progress.step('load');
  now = 9_999;
  progress.note('half');
  now = 10_000;
  progress.note('most');
  now = 61_000;
  progress.step('measure');
  progress.end();
  expect(stream.written).toEqual([
    '1 of 2, 0:00  load\n',
    '1 of 2, 0:10  load: most\n',
    '2 of 2, 1:01  measure\n',
    '2 of 2, 1:01  done\n',
  ]);
});

test('a terminal gets one line, which is rewritten', () => {
  const stream = streamOf(true);
  const progress = startProgress(stream, null, () => 5_000);
  progress.step('load');
  progress.note('half');
  progress.end();
  expect(stream.written).toEqual(
    ['0:00  load', '0:00  load: half', '0:00  done'].map((text) => `\r\x1b[K${text}`).concat('\n'),
  );
});

test.for([
  [59_999, '0:59'],
  [3_599_000, '59:59'],
  [3_661_000, '1:01:01'],
] as const)('%i ms are %s', ([ms, text]) => {
  expect(clock(ms)).toBe(text);
});
