import { DAY_MS } from './calendar.ts';
import type { DemoData } from './diary.ts';

/** The last days of a data set, which load in a moment. Adjustments follow their conversions. */
export function recentDays(data: DemoData, days: number, until: Date): DemoData {
  const isRecent = ({ occurred_at }: { occurred_at?: string | null | undefined }) =>
    typeof occurred_at === 'string' && new Date(occurred_at).getTime() >= until.getTime() - days * DAY_MS;
  const conversions = data.conversions.filter(isRecent);
  const kept = new Set(conversions.map(({ id }) => id));
  return {
    goals: data.goals,
    touchpoints: data.touchpoints.filter(isRecent),
    conversions,
    adjustments: data.adjustments.filter(({ conversion_id }) => kept.has(conversion_id)),
  };
}
