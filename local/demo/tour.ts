import type { AttributionReport, Explanation } from '../../src/attribution/attribution-schema.ts';
import type { Conversion } from '../../src/conversions/conversion-schema.ts';
import { attributionLines, DEMO_MODELS } from './attribution-view.ts';
import { storyCalendar } from './calendar.ts';
import { chartLines } from './chart-view.ts';
import { type Access, ask } from './client.ts';
import { explanationLines, identitiesOf, tellingness } from './explanation-view.ts';
import { count, money, type Paint, wrap } from './terminal.ts';

/** The number of purchases that are examined to find an interesting one. */
const CANDIDATES = 100;
const MODELS = DEMO_MODELS.join(',');

/** The API access and the time range of the tour. */
export interface TourContext {
  access: Access;
  paint: Paint;
  /** The end of the story. */
  until: Date;
}

/** The range of the story, as dates for a query. */
export function storyRange(until: Date): { from: string; to: string } {
  const date = (at: number) => new Date(at).toISOString().slice(0, 10);
  const { from, until: to } = storyCalendar(until);
  return { from: date(from), to: date(to) };
}

/** Which channels led to the purchases of the year, under five models. */
export async function showAttribution({ access, paint, until }: TourContext): Promise<string[]> {
  const report = await getAttribution(access, until, { models: MODELS, group_by: 'channel' });
  const { conversions, value, gross_conversions, gross_value } = report.totals;
  return [
    paint('bold', `1  Which channels led to the ${count(conversions)} purchases of the year?`),
    'Each purchase is divided among the touchpoints of its buyer in the 90 days before. The models differ',
    'in how: first_touch and last_touch give it all to one, linear the same to each, time_decay more to',
    'recent ones, position_based 40% to the first, 40% to the last and the rest to those between.',
    '`opened` and `closed` count the purchases whose first or last touchpoint was on that channel.',
    '',
    ...attributionLines(report, paint),
    '',
    `${paint('green', '✓')} Every column adds up to the total. Refunds are taken off: without them it would be ` +
      `${count(gross_conversions)} purchases,`,
    `  ${money(gross_value)} USD instead of ${money(value)}. Unattributed: no touchpoint in those 90 days.`,
  ];
}

/** One purchase with an interesting journey. */
export async function showExplanation({ access, paint, until }: TourContext): Promise<string[]> {
  const { from, to } = storyRange(until);
  const query = new URLSearchParams({ goal: 'purchase', from, to, limit: String(CANDIDATES) });
  const { data } = await ask<{ data: Conversion[] }>(access, 'GET', `/v1/conversions?${query}`);
  let best: Explanation | undefined;
  for (const { id } of data) {
    const path = `/v1/conversions/${encodeURIComponent(id)}/explanation?models=${MODELS}`;
    const explanation = await ask<Explanation>(access, 'GET', path);
    if (!best || tellingness(explanation) > tellingness(best)) best = explanation;
  }
  if (!best) throw new Error('the API lists no purchase');
  const { id, occurred_at, net_value, currency } = best.conversion;
  const when = `${occurred_at.slice(0, 10)} at ${occurred_at.slice(11, 16)} UTC`;
  return [
    paint('bold', `2  Why is ${id} credited as it is?`),
    ...wrap(
      `${money(net_value ?? 0)} ${currency}, bought on ${when}. The journey follows one person, known by ` +
        `${identitiesOf(best)}. For each model: the share of a touchpoint, and its credit.`,
    ),
    '',
    ...explanationLines(best, paint),
  ];
}

/** The value of the purchases, month by month. */
export async function showMonths({ access, paint, until }: TourContext): Promise<string[]> {
  const report = await getAttribution(access, until, { interval: 'month' });
  return [
    paint('bold', '3  When did the purchases come in?'),
    '',
    ...chartLines(report, storyCalendar(until), paint),
  ];
}

function getAttribution(
  access: Access,
  until: Date,
  question: Record<string, string>,
): Promise<AttributionReport> {
  const query = new URLSearchParams({ goal: 'purchase', ...storyRange(until), ...question });
  return ask<AttributionReport>(access, 'GET', `/v1/reports/attribution?${query}`);
}
