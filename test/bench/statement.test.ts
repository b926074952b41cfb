import { expect, test } from 'vitest';
import { transactionOf, withoutRole } from '../../bench/page/statement.ts';
import { differenceOf } from '../../bench/page/usual-difference.ts';

const query = (text: string) => ({ query: text, params: [] });
const ROLE = query("select set_config('role', $1, true), set_config('throughline.workspace_id', $2, true)");

test('settings and the slot of a report are not timed, whatever follows them is', () => {
  const settings = [
    ROLE,
    query('select begin_report($1, $2, $3)'),
    query("select set_config('jit', 'off', true)"),
  ];
  const report = [query('with x as (select 1) select'), query("select set_config('a', 'b', true)")];
  const transaction = transactionOf([...settings, ...report]);
  expect(transaction).toEqual({ before: settings, statements: report });
  expect(withoutRole(transaction)).toEqual({ before: settings.slice(1), statements: report });
});

test('a transaction that sets no role is not one of the Worker', () => {
  expect(() => transactionOf([query('select 1')])).toThrow('did not set a role');
});

const credit = (conversions: number, value: number) => ({ linear: { conversions, value } });
const REPORT = {
  data: [
    { group: { channel: 'x' }, credit: credit(10, 100) },
    { group: { channel: 'email' }, credit: credit(4, 50) },
  ],
};

test('the difference of the usual SQL is the greatest relative one of all groups and both figures', () => {
  const rows = [
    { group: ['x'], conversions: 10, value: 99 },
    { group: ['email'], conversions: 4, value: 50 },
  ];
  // 1 of 100 in the value of x.
  expect(differenceOf(rows, REPORT)).toBeCloseTo(0.01, 12);
});

test('a group that one of them lacks is a difference of 1', () => {
  expect(differenceOf([{ group: ['x'], conversions: 10, value: 100 }], REPORT)).toBe(1);
  const other = [
    { group: ['x'], conversions: 10, value: 100 },
    { group: ['reddit'], conversions: 4, value: 50 },
  ];
  expect(differenceOf(other, REPORT)).toBe(1);
});
