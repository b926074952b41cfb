import type { AttributionReport } from '../../src/attribution/attribution-schema.ts';
import type { StoryCalendar } from './calendar.ts';
import { count, money, type Paint } from './terminal.ts';

const BAR_CHARS = 44;

/** Net value by month, one bar each: full blocks are attributed, light blocks are not. */
export function chartLines({ totals }: AttributionReport, calendar: StoryCalendar, paint: Paint): string[] {
  const months = new Map(totals.by_interval?.map((entry) => [entry.interval.slice(0, 7), entry]));
  const scale = BAR_CHARS / Math.max(1, ...[...months.values()].map(({ value }) => value));
  const notes = storyNotes(calendar);
  const title = `month    attributed █, unattributed ░${' '.repeat(BAR_CHARS - 26)}purchases         USD`;
  const lines = monthsOf(calendar).map((month) => {
    const { conversions = 0, value = 0, attributed } = months.get(month) ?? {};
    const known = Math.round((attributed?.value ?? 0) * scale);
    const unknown = Math.max(Math.round(value * scale) - known, 0);
    const bar = paint('cyan', '█'.repeat(known)) + paint('dim', '░'.repeat(unknown));
    const blank = ' '.repeat(Math.max(BAR_CHARS - known - unknown, 0));
    const numbers = `${count(conversions).padStart(9)} ${money(value).padStart(11)}`;
    return `${month}  ${bar}${blank}${numbers}  ${paint('dim', notes.get(month) ?? '')}`.trimEnd();
  });
  return [title, ...lines];
}

function monthsOf({ from, until }: StoryCalendar): string[] {
  const start = new Date(from);
  const months: string[] = [];
  for (let index = 0; ; index++) {
    const first = Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + index);
    if (first >= until) return months;
    months.push(new Date(first).toISOString().slice(0, 7));
  }
}

/** Events of the story, beside the month in which they show. */
function storyNotes({ from, until, launchAt, wildWeekAt }: StoryCalendar): Map<string, string> {
  const month = (at: number) => new Date(at).toISOString().slice(0, 7);
  const summers = [from, until].map((at) => `${new Date(at).getUTCFullYear()}-08`);
  return new Map([
    ...summers.map((summer): [string, string] => [summer, 'summer dip']),
    [month(launchAt), 'launch of version 2'],
    [month(wildWeekAt), 'Reddit thread goes wild'],
  ]);
}
