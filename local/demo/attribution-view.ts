import type { AttributionReport } from '../../src/attribution/attribution-schema.ts';
import type { Model } from '../../src/domain/attribution.ts';
import { count, money, type Paint, row, rule } from './terminal.ts';

/** The models that the demo compares. */
export const DEMO_MODELS = [
  'first_touch',
  'last_touch',
  'linear',
  'time_decay',
  'position_based',
] as const satisfies readonly Model[];

const WIDTHS = [16, 7, 8, 12, 12, 12, 12, 16];
/** The first numbers of a row are purchases, the others are money. */
const COUNTS = 2;
const UNITS = '                  purchases    credited value by model, USD';

/** Far below a cent, and far above the rounding error of a sum of a few hundred numbers with nine decimals. */
const TOLERANCE = 1e-5;

/** A row before it is formatted: purchases opened and closed, then a value for each model. */
interface Entry {
  name: string;
  numbers: number[];
}

/**
 * The report as a table. Throws if the rows and the unattributed part do not add up to the totals: the API is wrong
 * then, and the demo must not show its numbers.
 */
export function attributionLines(report: AttributionReport, paint: Paint): string[] {
  const entries = report.data.map((item) => entryOf(item.group?.channel ?? '(none)', item.credit));
  const { unattributed = { conversions: 0, value: 0 }, conversions, value } = report.totals;
  const rest = evenEntry('unattributed', unattributed);
  const total = evenEntry('total', { conversions, value });
  const columns = total.numbers.map((sum, i) => {
    const numbers = [...entries, rest].map((entry) => entry.numbers[i] ?? 0);
    return i < COUNTS ? roundToSum(numbers, sum) : roundToSum(numbers, sum, 100);
  });
  const lines = [...entries, rest].map(({ name }, i) =>
    line(
      name,
      columns.map((column) => column[i] ?? 0),
    ),
  );
  return [
    paint('dim', UNITS),
    row(['channel', 'opened', 'closed', ...DEMO_MODELS], WIDTHS),
    rule(WIDTHS, paint),
    ...lines.slice(0, -1),
    paint('dim', lines.at(-1) ?? ''),
    rule(WIDTHS, paint),
    paint('bold', line(total.name, total.numbers)),
  ];
}

function entryOf(name: string, credit: AttributionReport['data'][number]['credit']): Entry {
  const counts = [credit.first_touch?.conversions ?? 0, credit.last_touch?.conversions ?? 0];
  return { name, numbers: [...counts, ...DEMO_MODELS.map((model) => credit[model]?.value ?? 0)] };
}

/** The part that no model divides: the same in every column. */
function evenEntry(name: string, { conversions, value }: { conversions: number; value: number }): Entry {
  return { name, numbers: [conversions, conversions, ...DEMO_MODELS.map(() => value)] };
}

function line(name: string, numbers: number[]): string {
  return row([name, ...numbers.map((number, i) => (i < COUNTS ? count(number) : money(number)))], WIDTHS);
}

/**
 * Rounds to multiples of 1 / `scale` and keeps the sum: all numbers are rounded down, and the largest remainders get
 * the units that are left. Each number moves by less than one unit.
 */
export function roundToSum(numbers: readonly number[], sum: number, scale = 1): number[] {
  const added = numbers.reduce((subtotal, number) => subtotal + number, 0);
  if (Math.abs(added - sum) > TOLERANCE) throw new Error(`a column adds up to ${added}, not to ${sum}`);
  const units = numbers.map((number) => Math.floor(number * scale + TOLERANCE));
  const left = Math.round(sum * scale) - units.reduce((subtotal, unit) => subtotal + unit, 0);
  const remainder = (i: number) => (numbers[i] ?? 0) * scale - (units[i] ?? 0);
  const ranked = numbers.map((_, i) => i).sort((a, b) => remainder(b) - remainder(a));
  for (const i of ranked.slice(0, left)) units[i] = (units[i] ?? 0) + 1;
  return units.map((unit) => unit / scale);
}
