import { describe, expect, test } from 'vitest';
import {
  furthestStage,
  type LifecycleConversion,
  type LifecycleTouchpoint,
  lifecycleRows,
  movesOf,
} from '../../src/domain/lifecycle.ts';

/** Moves of Ann, as `time: from > to`. Times are small numbers; events are inbound and Ann's by default. */

type Event = Partial<LifecycleTouchpoint> | Partial<LifecycleConversion>;

function told(...events: [number, Event][]): string[] {
  const touchpoints: LifecycleTouchpoint[] = [];
  const conversions: LifecycleConversion[] = [];
  for (const [i, [occurred_at, event]] of events.entries()) {
    const base = { id: `e${i}`, occurred_at, person_id: 'ann' };
    if ('goal' in event)
      conversions.push({
        goal: 'g',
        goal_stage: 'purchase',
        counting: 'every',
        retracted: false,
        ...base,
        ...event,
      });
    else
      touchpoints.push({
        direction: 'inbound',
        stage: null,
        referred_by_person_id: null,
        voided: false,
        ...base,
        ...event,
      } as LifecycleTouchpoint);
  }
  const moves = movesOf('ann', { touchpoints, conversions });
  return moves.map(({ from, to, at }) => `${at}: ${from ?? '-'} > ${to}`);
}

const outbound = { direction: 'outbound' };
const order = { goal: 'order' };
const byBob = { person_id: 'bob', referred_by_person_id: 'ann' };

describe('a touchpoint makes', () => {
  test.each<[name: string, event: Event, moves: string[]]>([
    ['conversation if it is inbound', {}, ['1: - > conversation']],
    ['nothing if it is outbound', outbound, []],
    ['nothing without a direction', { direction: null }, []],
    ['consideration by its stage alone', { ...outbound, stage: 'consideration' }, ['1: - > consideration']],
    ['one move if it is inbound and of a trial', { stage: 'trial' }, ['1: - > trial']],
    [
      'conversation if it is inbound and speaks of a purchase',
      { stage: 'purchase' },
      ['1: - > conversation'],
    ],
    ['nothing by the stage conversation', { ...outbound, stage: 'conversation' }, []],
    ['nothing by the stage loyalty', { ...outbound, stage: 'loyalty' }, []],
    ['nothing by the stage advocacy', { ...outbound, stage: 'advocacy' }, []],
    ['nothing if it is voided', { voided: true }, []],
    ['nothing if it is of somebody else', { person_id: 'bob' }, []],
  ])('%s', (_, event, moves) => {
    expect(told([1, event])).toEqual(moves);
  });
});

describe('a conversion makes', () => {
  test.each<[name: string, event: Event, moves: string[]]>([
    ['consideration', { goal: 'lead', goal_stage: 'consideration' }, ['1: - > consideration']],
    ['trial', { goal: 'try', goal_stage: 'trial' }, ['1: - > trial']],
    ['purchase', order, ['1: - > purchase']],
    ['nothing by a goal without a stage', { goal: 'x', goal_stage: null }, []],
    ['nothing by the stage conversation', { goal: 'x', goal_stage: 'conversation' }, []],
    ['nothing by the stage loyalty', { goal: 'x', goal_stage: 'loyalty' }, []],
    ['nothing by the stage advocacy', { goal: 'x', goal_stage: 'advocacy' }, []],
    ['nothing if it is retracted', { ...order, retracted: true }, []],
    ['nothing if it is of somebody else', { ...order, person_id: 'bob' }, []],
  ])('%s', (_, event, moves) => {
    expect(told([1, event])).toEqual(moves);
  });
});

describe('purchase and loyalty', () => {
  test('are the first two conversions, and the third changes nothing', () => {
    expect(told([3, order], [1, order], [2, order])).toEqual(['1: - > purchase', '2: purchase > loyalty']);
  });

  test('are of whichever goals of that stage', () => {
    expect(told([1, order], [2, { goal: 'contract' }])).toEqual(['1: - > purchase', '2: purchase > loyalty']);
  });

  test('pass over a retracted one', () => {
    expect(told([1, order], [2, { ...order, retracted: true }], [3, order])).toEqual([
      '1: - > purchase',
      '3: purchase > loyalty',
    ]);
  });

  test('of a goal that counts once: its second conversion is none, another goal’s is', () => {
    const contract = { goal: 'contract', counting: 'once' as const };
    expect(told([1, contract], [2, contract])).toEqual(['1: - > purchase']);
    expect(told([1, contract], [2, contract], [3, order])).toEqual([
      '1: - > purchase',
      '3: purchase > loyalty',
    ]);
    expect(told([1, { ...contract, retracted: true }], [2, contract])).toEqual(['2: - > purchase']);
  });
});

describe('moves', () => {
  test('go through the five stages', () => {
    expect(
      told([1, {}], [2, { stage: 'consideration' }], [3, { stage: 'trial' }], [4, order], [5, order]),
    ).toEqual([
      '1: - > conversation',
      '2: conversation > consideration',
      '3: consideration > trial',
      '4: trial > purchase',
      '5: purchase > loyalty',
    ]);
  });

  test('skip stages, and never lead back', () => {
    expect(told([1, order], [2, {}], [3, { stage: 'trial' }])).toEqual(['1: - > purchase']);
    expect(told([1, {}], [2, { stage: 'trial' }], [3, { stage: 'consideration' }])).toEqual([
      '1: - > conversation',
      '2: conversation > trial',
    ]);
  });

  test('at one instant take touchpoints first, then ids bytewise', () => {
    expect(told([1, order], [1, {}])).toEqual(['1: - > conversation', '1: conversation > purchase']);
    expect(told([1, { id: 'b', stage: 'trial' }], [1, { id: 'B', stage: 'consideration' }])).toEqual([
      '1: - > consideration',
      '1: consideration > trial',
    ]);
    expect(told([1, { id: 'B', stage: 'trial' }], [1, { id: 'b', stage: 'consideration' }])).toEqual([
      '1: - > trial',
    ]);
  });
});

describe('advocacy', () => {
  test('is the first referral, from the stage of that moment, which stays', () => {
    expect(told([1, {}], [2, byBob], [3, byBob], [4, order])).toEqual([
      '1: - > conversation',
      '2: conversation > advocacy',
      '4: conversation > purchase',
    ]);
  });

  test('needs no stage', () => {
    expect(told([1, byBob])).toEqual(['1: - > advocacy']);
  });

  test('is not made by who turns out to be the person themself, nor by a voided touchpoint', () => {
    expect(told([1, { ...outbound, referred_by_person_id: 'ann' }])).toEqual([]);
    expect(told([1, { ...byBob, voided: true }])).toEqual([]);
  });

  test('is no stage of who was referred', () => {
    expect(told([1, { ...outbound, referred_by_person_id: 'bob' }])).toEqual([]);
  });

  test('is not the furthest stage', () => {
    expect(furthestStage([{ from: null, to: 'advocacy', at: 1 }])).toBeNull();
    const moves = [
      { from: null, to: 'trial' as const, at: 1 },
      { from: 'trial' as const, to: 'advocacy' as const, at: 2 },
    ];
    expect(furthestStage(moves)).toBe('trial');
  });
});

describe('the rows', () => {
  test('count who is at a stage or a later one as having reached it', () => {
    const at = { conversation: 4, trial: 3, purchase: 2, loyalty: 1, advocacy: 5 };
    expect(lifecycleRows(at, 20)).toEqual([
      { stage: 'conversation', people: 4, reached: 10, rate_from_previous: null },
      { stage: 'consideration', people: 0, reached: 6, rate_from_previous: 0.6 },
      { stage: 'trial', people: 3, reached: 6, rate_from_previous: 1 },
      { stage: 'purchase', people: 2, reached: 3, rate_from_previous: 0.5 },
      { stage: 'loyalty', people: 1, reached: 1, rate_from_previous: 1 / 3 },
      { stage: 'advocacy', people: 5, reached: 5, rate_from_previous: 0.25 },
    ]);
  });

  test('of nobody are zeros without rates', () => {
    const rows = lifecycleRows({}, 0);
    expect(rows).toHaveLength(6);
    for (const row of rows) expect(row).toMatchObject({ people: 0, reached: 0, rate_from_previous: null });
  });

  test('have a rate of 0 for advocacy where people have none, and null after a stage nobody reached', () => {
    expect(lifecycleRows({}, 7).map(({ rate_from_previous }) => rate_from_previous)).toEqual([
      null,
      null,
      null,
      null,
      null,
      0,
    ]);
  });
});
