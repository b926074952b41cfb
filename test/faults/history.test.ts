import { expect, test } from 'vitest';
import { type Attempt, type AttemptOutcome, judge } from './history.ts';

/** `a:unknown b:accepted` */
function attemptsOf(text: string): Attempt[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [item = '', outcome] = word.split(':');
      return { item, outcome: outcome as AttemptOutcome };
    });
}

const GOOD = { lost: [], invented: [], doubled: [] };

test.for<[attempts: string, stored: string[], verdict: object]>([
  ['', [], { ...GOOD, acknowledged: 0, unknown: 0 }],
  ['a:accepted b:duplicate', ['a', 'b'], { ...GOOD, acknowledged: 2, unknown: 0 }],
  // The outcomes of b and c are unknown: stored or not, both are right.
  ['a:unknown a:duplicate b:unknown c:unknown', ['a', 'b'], { ...GOOD, acknowledged: 1, unknown: 3 }],
  ['a:unknown a:accepted', ['a'], { ...GOOD, acknowledged: 1, unknown: 1 }],
  // However often an item is answered as queued, it is stored once.
  ['a:queued a:queued b:queued', ['a', 'b'], { ...GOOD, acknowledged: 2 }],
  ['a:queued', [], { ...GOOD, lost: ['a'] }],
  ['a:queued', ['a', 'a'], { ...GOOD, doubled: ['a'] }],
  ['a:failed', [], { ...GOOD, acknowledged: 0 }],
  // Rejected while the goal was missing, and sent again after it was created.
  ['a:failed a:accepted', ['a'], { ...GOOD, acknowledged: 1 }],
  ['a:accepted b:accepted', ['b'], { ...GOOD, lost: ['a'] }],
  ['a:unknown a:duplicate', [], { ...GOOD, lost: ['a'] }],
  ['a:accepted', ['a', 'x'], { ...GOOD, invented: ['x'] }],
  ['a:accepted b:failed', ['a', 'b'], { ...GOOD, invented: ['b'] }],
  ['a:accepted', ['a', 'a'], { ...GOOD, doubled: ['a'] }],
  ['a:unknown', ['a', 'a'], { ...GOOD, doubled: ['a'] }],
  // Stored once, but accepted as new twice: its consequences may have happened twice.
  ['a:accepted a:accepted', ['a'], { ...GOOD, doubled: ['a'] }],
  ['a:accepted b:accepted', ['b', 'b', 'x'], { lost: ['a'], invented: ['x'], doubled: ['b'] }],
])('sent «%s», stored %j', ([attempts, stored, verdict]) => {
  expect(judge(attemptsOf(attempts), stored)).toMatchObject(verdict);
});
