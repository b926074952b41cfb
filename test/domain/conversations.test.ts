import { describe, expect, test } from 'vitest';
import { type Message, responseBucket, responseOutcome, summaryOf } from '../../src/domain/conversations.ts';

const message = (
  id: string,
  occurred_at: number,
  direction: Message['direction'],
  voided = false,
): Message => ({
  id,
  occurred_at,
  direction,
  voided,
});

describe('a thread', () => {
  test('of an inbound message and an answer is answered after the time between', () => {
    expect(summaryOf([message('b', 9, 'outbound'), message('a', 2, 'inbound')])).toEqual({
      opened_at: 2,
      opening_id: 'a',
      first_response_at: 9,
      last_at: 9,
      last_direction: 'outbound',
      inbound: 1,
      outbound: 1,
    });
  });

  test('that we began is opened by their first message, and what we wrote before is no response', () => {
    expect(summaryOf([message('a', 1, 'outbound'), message('b', 2, 'inbound')])).toMatchObject({
      opened_at: 2,
      first_response_at: null,
      last_direction: 'inbound',
    });
    expect(summaryOf([message('a', 1, 'outbound')])).toMatchObject({ opened_at: null, opening_id: null });
  });

  test('goes by id where messages are of one instant, bytewise', () => {
    const [sent, got] = [message('a', 1, 'outbound'), message('B', 1, 'inbound')];
    expect(summaryOf([sent, got])).toMatchObject({ first_response_at: 1, last_direction: 'outbound' });
    expect(summaryOf([message('A', 1, 'outbound'), got])).toMatchObject({
      first_response_at: null,
      last_direction: 'inbound',
    });
  });

  test('has no part in voided messages, nor in those without a direction', () => {
    expect(summaryOf([message('a', 1, 'inbound', true), message('b', 2, null)])).toBeNull();
    expect(summaryOf([])).toBeNull();
  });
});

test.for([
  [0, '<5m'],
  [299.999, '<5m'],
  [300, '<15m'],
  [899.999, '<15m'],
  [900, '<1h'],
  [3599.999, '<1h'],
  [3600, '<4h'],
  [14_400, '<24h'],
  [86_399.999, '<24h'],
  [86_400, '>=24h'],
  [1e9, '>=24h'],
  [null, 'never'],
] as const)('a response after %s seconds is in the bucket %s', ([seconds, bucket]) => {
  expect(responseBucket(seconds)).toBe(bucket);
});

describe('of who opened a conversation on day 10, with a horizon of 30 days,', () => {
  const DAY = 86_400_000;
  const opened = { opened_at: 10 * DAY, first_response_at: 10 * DAY + 60_000 };
  const outcome = (days: number[], now = 100, value: number | null = 2) =>
    responseOutcome(
      opened,
      days.map((day) => ({ occurred_at: day * DAY, value })),
      30,
      now * DAY,
    );

  test.for<[string, number[], boolean, number]>([
    ['no conversion is none', [], false, 0],
    ['one before the opening is none', [10 - 1e-6], false, 0],
    ['one at 24 hours is the first that counts', [11], true, 2],
    ['one at the horizon is the last that counts', [40], true, 2],
    ['one after the horizon is none', [40 + 1e-6], false, 0],
    ['several add their values', [12, 13, 50], true, 4],
  ])('%s', ([, days, converted, value]) => {
    expect(outcome(days)).toEqual({ bucket: '<5m', converted, value });
  });

  test('a conversion within 24 hours, from the instant of opening on, leaves them out', () => {
    for (const day of [10, 10.5, 11 - 1e-6])
      expect(outcome([day, 15])).toEqual({ left_out: 'converted_within_24h' });
  });

  test('less than the horizon of follow-up leaves them out; an early conversion goes first', () => {
    expect(outcome([15], 40 - 1e-6)).toEqual({ left_out: 'short_follow_up' });
    expect(outcome([15], 40)).toMatchObject({ converted: true });
    expect(outcome([10.5], 20)).toEqual({ left_out: 'converted_within_24h' });
  });

  test('a conversion without a value counts and is worth nothing', () => {
    expect(outcome([12], 100, null)).toMatchObject({ converted: true, value: 0 });
  });
});
