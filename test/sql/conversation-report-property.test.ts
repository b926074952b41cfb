import fc from 'fast-check';
import { expect, test } from 'vitest';
import { businessSeconds, type OpenHours, type OpeningHours } from '../../src/domain/business-hours.ts';
import {
  type ConversationSummary,
  type Message,
  RESPONSE_BUCKETS,
  responseOutcome,
  summaryOf,
} from '../../src/domain/conversations.ts';
import { inJourneyOrder } from '../../src/domain/journey.ts';
import { conversionRate } from '../../src/domain/proportions.ts';
import { type Json, needWorld, runs, TestWorkspace } from '../support/api.ts';

needWorld();

/** Ranges around the days on which clocks change in Berlin and in New York. */
const STARTS = [Date.UTC(2025, 2, 6), Date.UTC(2025, 2, 27), Date.UTC(2025, 9, 23), Date.UTC(2025, 9, 30)];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ZONES = ['Europe/Berlin', 'America/New_York', 'UTC'] as const;
const PEOPLE = ['ann', 'bob', 'cleo', 'dan', 'eve', 'flo'] as const;
const GOALS = { order: 'every', contract: 'once' } as const;
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** Few times of day on some days, so that instants often fall on the bounds of buckets and of the outcome period. */
const stepOf = (days: number) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: days }),
      fc.constantFrom(0, 0, 0.1, 0.25, 0.5, 1, 3.75, 4, 7.5, 9, 12, 18, 23.75),
    )
    .map(([day, hour]) => day * 24 + hour);
const step = stepOf(6);
const message = fc.record({
  thread: fc.constantFrom(...'abcdefghijklmnop'),
  person: fc.constantFrom(...PEOPLE),
  step,
  direction: fc.constantFrom('inbound' as const, 'outbound' as const),
  channel: fc.constantFrom('x', 'email', 'call'),
  voided: fc.constantFrom(true, false, false, false, false),
});
const conversion = fc.record({
  person: fc.constantFrom(...PEOPLE),
  step: stepOf(8),
  goal: fc.constantFrom<(keyof typeof GOALS)[]>('order', 'contract'),
  value: fc.integer({ min: 0, max: 10_000 }).map((cents) => cents / 100),
  currency: fc.constantFrom('USD', 'USD', 'JPY'),
  retracted: fc.constantFrom(true, false, false, false),
});
const time = fc
  .integer({ min: 0, max: 47 })
  .map((half) => `${String(half >> 1).padStart(2, '0')}:${half % 2 ? '30' : '00'}`);
const hours = fc
  .tuple(time, fc.oneof(time, fc.constant('24:00')))
  .filter(([from, to]) => from < to)
  .map(([from, to]): OpenHours => ({ from, to }));
const sample = fc.record({
  start: fc.constantFrom(...STARTS),
  messages: fc.array(message, { minLength: 1, maxLength: 100, size: 'max' }),
  conversions: fc.array(conversion, { maxLength: 30, size: 'max' }),
  goals: fc.constantFrom<(keyof typeof GOALS)[][]>(
    [],
    ['order'],
    ['order'],
    ['contract'],
    ['contract', 'order'],
  ),
  horizon_days: fc.constantFrom(2, 5, 30),
  from: fc.constantFrom(0, 0, 24),
  hours: fc.option(
    fc.record({
      timezone: fc.constantFrom(...ZONES),
      days: fc.dictionary(fc.constantFrom(...DAYS), hours, { minKeys: 1, noNullPrototype: true }),
      holidays: fc.integer({ min: 0, max: 6 }),
    }),
  ),
  interval: fc.constantFrom('day' as const, null),
  channels: fc.constantFrom<(string[] | null)[]>(null, ['x', 'call']),
  limit: fc.constantFrom(1, 2, 10),
});
type Sample = typeof sample extends fc.Arbitrary<infer T> ? T : never;

const idOf = (i: number) => `${['b', 'A', 'é', 'a', 'Z'][i % 5]}${i}`;
const instantOf = ({ start }: Sample, hoursIn: number) => start + hoursIn * HOUR_MS;
const iso = (ms: number) => new Date(ms).toISOString();

test('the report equals the definition, business hours across changes of clocks included, on random logs with many ties', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(sample, async (log) => {
      const business_hours = businessHoursOf(log);
      const workspace = await TestWorkspace.make({ business_hours });
      await post(workspace, log);
      const { body } = await workspace.get(queryOf(log));
      const { totals, data, buckets, left_out, warnings } = body;
      const expected = expectedOf(log, business_hours);
      expect({ totals: near(totals), data: data.map(near), buckets, left_out, warnings }).toEqual(expected);
    }),
    { numRuns: runs(40), seed: 20260105 },
  );
});

/** Rounded, because percentiles are interpolated. */
function near(row: Json): Json {
  return JSON.parse(JSON.stringify(row), (_, value) =>
    typeof value === 'number' ? Number(value.toFixed(6)) : value,
  );
}

function businessHoursOf({ hours: asked, start }: Sample): (OpeningHours & { timezone: string }) | null {
  if (!asked) return null;
  const { timezone, days, holidays } = asked;
  return { timezone, days, holidays: [iso(start + holidays * DAY_MS).slice(0, 10)] };
}

function queryOf(log: Sample): string {
  const { goals, interval, channels } = log;
  return (
    `/v1/reports/conversations?from=${iso(instantOf(log, log.from))}&to=${iso(log.start + 28 * DAY_MS)}` +
    `&group_by=channel&limit=${log.limit}&horizon_days=${log.horizon_days}` +
    (goals.length > 0 ? `&goal=${goals.join()}` : '') +
    (interval ? `&interval=${interval}` : '') +
    (channels ? `&where[channel]=${channels.join()}` : '')
  );
}

async function post(workspace: TestWorkspace, log: Sample): Promise<void> {
  for (const [key, counting] of Object.entries(GOALS)) await workspace.goal(key, { counting });
  const touchpoints = log.messages.map(({ thread, person, step: hoursIn, voided: _, ...rest }, i) => ({
    ...rest,
    id: idOf(i),
    kind: 'message',
    occurred_at: iso(instantOf(log, hoursIn)),
    person: { user_id: person },
    conversation: { id: thread },
  }));
  const half = touchpoints.length >> 1;
  if (half > 0) await workspace.load('touchpoints', touchpoints.slice(half).toReversed());
  await workspace.load('touchpoints', half > 0 ? touchpoints.slice(0, half) : touchpoints);
  for (const [i, { voided }] of log.messages.entries())
    if (voided) await workspace.ask('DELETE', `/v1/touchpoints/${encodeURIComponent(idOf(i))}`);
  const conversions = log.conversions.map(({ person, step: hoursIn, retracted: _, ...rest }, i) => ({
    ...rest,
    id: idOf(i),
    occurred_at: iso(instantOf(log, hoursIn)),
    person: { user_id: person },
  }));
  if (conversions.length > 0) await workspace.load('conversions', conversions);
  for (const [i, { retracted }] of log.conversions.entries())
    if (retracted)
      await workspace.post(`/v1/conversions/${encodeURIComponent(idOf(i))}/adjustments`, {
        kind: 'retraction',
      });
}

interface Opened extends ConversationSummary {
  opened_at: number;
  opening_id: string;
  person: string;
  channel: string;
}

/** Conversations of the requested range and channels. */
function openedIn(log: Sample): Opened[] {
  const messages = log.messages.map((one, i) => ({
    ...one,
    id: idOf(i),
    occurred_at: instantOf(log, one.step),
  }));
  return [...Map.groupBy(messages, ({ thread }) => thread).values()].flatMap((own) => {
    const summary = summaryOf(own satisfies Message[]);
    const opening = own.find(({ id }) => id === summary?.opening_id);
    if (!summary?.opened_at || !opening || summary.opened_at < instantOf(log, log.from)) return [];
    if (log.channels && !log.channels.includes(opening.channel)) return [];
    if (summary.opened_at >= log.start + 28 * DAY_MS) return [];
    const { person, channel, id: opening_id } = opening;
    return [{ ...summary, opened_at: summary.opened_at, opening_id, person, channel }];
  });
}

function expectedOf(log: Sample, business: ReturnType<typeof businessHoursOf>): Json {
  const opened = openedIn(log);
  const sizes = [...Map.groupBy(opened, ({ channel }) => channel)]
    .map(([channel, rows]) => ({ channel, size: rows.length }))
    .sort((a, b) => b.size - a.size || (a.channel < b.channel ? -1 : 1));
  const shown = sizes.slice(0, log.limit).map(({ channel }) => channel);
  const intervalOf = ({ opened_at }: Opened) => (log.interval ? iso(opened_at).slice(0, 10) : null);
  const groups = [
    ...Map.groupBy(opened, (one) =>
      JSON.stringify([intervalOf(one), shown.includes(one.channel) ? one.channel : null]),
    ),
  ].map(([key, rows]) => ({ interval: JSON.parse(key)[0], channel: JSON.parse(key)[1], rows }));
  groups.sort(
    (a, b) =>
      Number(a.interval > b.interval) - Number(a.interval < b.interval) ||
      Number(a.channel === null) - Number(b.channel === null) ||
      b.rows.length - a.rows.length ||
      (a.channel < b.channel ? -1 : 1),
  );
  const data = groups.map(({ interval, channel, rows }) => ({
    ...(interval && { interval }),
    group: channel === null ? null : { channel },
    ...(channel === null && { other: true }),
    ...figuresOf(rows, business),
    share: rows.length / opened.filter((one) => intervalOf(one) === interval).length,
  }));
  return { totals: near(figuresOf(opened, business)), data: data.map(near), ...outcomesOf(log, opened) };
}

function figuresOf(rows: readonly Opened[], business: ReturnType<typeof businessHoursOf>): Json {
  const answered = rows.flatMap(({ opened_at, first_response_at }) =>
    first_response_at === null ? [] : [{ opened_at, first_response_at }],
  );
  return {
    conversations: rows.length,
    responded: answered.length,
    response_rate: rows.length === 0 ? null : answered.length / rows.length,
    first_response_seconds: spread(answered.map((one) => (one.first_response_at - one.opened_at) / 1000)),
    ...(business && {
      business_first_response_seconds: spread(
        answered.map((one) =>
          businessSeconds(one.opened_at, one.first_response_at, business, business.timezone),
        ),
      ),
    }),
    unanswered: rows.length - answered.length,
    messages: {
      inbound: rows.reduce((sum, { inbound }) => sum + inbound, 0),
      outbound: rows.reduce((sum, { outbound }) => sum + outbound, 0),
    },
  };
}

/** As `percentile_cont` computes it. */
function spread(values: number[]): { median: number | null; p90: number | null } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [low = 0, high = 0] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    return sorted.length === 0 ? null : low + (high - low) * (place % 1);
  };
  return { median: at(0.5), p90: at(0.9) };
}

function outcomesOf(log: Sample, opened: readonly Opened[]): Json {
  if (log.goals.length === 0) return { buckets: [], left_out: null, warnings: [] };
  const outcomes = [...Map.groupBy(opened, ({ person }) => person)].flatMap(([person, own]) => {
    const [first] = own.toSorted((a, b) =>
      inJourneyOrder(
        { id: a.opening_id, occurred_at: a.opened_at },
        { id: b.opening_id, occurred_at: b.opened_at },
      ),
    );
    if (!first) return [];
    const counted = countedOf(log, person);
    const outcome = responseOutcome(first, counted, log.horizon_days, Date.now());
    const landed = counted.filter(
      ({ occurred_at: at }) =>
        at >= first.opened_at + DAY_MS && at < first.opened_at + log.horizon_days * DAY_MS,
    );
    return [{ ...outcome, lacking: landed.filter(({ value }) => value === null).length }];
  });
  const buckets = RESPONSE_BUCKETS.map(({ bucket }) => {
    const own = outcomes.flatMap((one) => ('bucket' in one && one.bucket === bucket ? [one] : []));
    const arm = { people: own.length, converted: own.filter(({ converted }) => converted).length };
    const value = Number(own.reduce((sum, one) => sum + one.value, 0).toFixed(2));
    return { bucket, ...arm, ...conversionRate(arm), value };
  });
  const leftOut = (reason: string) =>
    outcomes.filter((one) => 'left_out' in one && one.left_out === reason).length;
  const lacking = outcomes.reduce((sum, one) => sum + ('bucket' in one ? one.lacking : 0), 0);
  return {
    buckets,
    left_out: {
      converted_within_24h: leftOut('converted_within_24h'),
      short_follow_up: leftOut('short_follow_up'),
    },
    warnings:
      lacking === 0
        ? []
        : [{ code: 'missing_fx_rate', detail: expect.stringMatching(`^${lacking} conversions`) }],
  };
}

/** The conversions of a person that count; there is no rate from JPY. */
function countedOf(log: Sample, person: string) {
  const own = log.conversions
    .map((one, i) => ({ ...one, id: idOf(i), occurred_at: instantOf(log, one.step) }))
    .filter((one) => one.person === person && !one.retracted && log.goals.includes(one.goal))
    .sort(inJourneyOrder);
  return own
    .filter(({ goal }, i) => GOALS[goal] === 'every' || own.findIndex((other) => other.goal === goal) === i)
    .map(({ occurred_at, value, currency }) => ({ occurred_at, value: currency === 'USD' ? value : null }));
}
