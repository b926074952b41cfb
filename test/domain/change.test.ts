import { expect, test } from 'vitest';
import { figureOf } from '../../src/domain/change.ts';

test.each([
  [150, 100, 0.5],
  [50, 100, -0.5],
  [0, 100, -1],
  [100, 100, 0],
  [100, 0, null],
  [0, 0, null],
  [null, 100, null],
  [100, null, null],
])('%j after %j is a change of %j', (value, previous, change) => {
  expect(figureOf(value, previous)).toEqual({ value, previous, change });
});
