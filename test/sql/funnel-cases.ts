import fc from 'fast-check';
import { expect } from 'vitest';
import { accountAt } from '../../src/domain/accounts.ts';
import {
  type EventFilter,
  FUNNEL_ENTRIES,
  FUNNEL_ORDERS,
  type FunnelEvent,
  type FunnelRules,
  funnelOf,
} from '../../src/domain/funnel.ts';
import { FUNNEL_COUNTS, type FunnelSummary, summariseFunnel } from '../../src/domain/funnel-report.ts';
import { type Json, TestWorkspace } from '../support/api.ts';

/** Random logs and funnels, and the comparison of a funnel in SQL with its definition. */

export const START = Date.UTC(2026, 0, 1);
export const DAY_MS = 86_400_000;

/** Few instants and few values give many ties, and many events that fit several steps. */
export const instant = fc.integer({ min: 0, max: 14 }).map((hours) => START + hours * 12 * 3_600_000);
const person = fc.constantFrom<string>('a', 'a', 'b', 'c');
const account = fc.constantFrom('acme', 'beta', null, null);
export const touch = fc.record({
  person,
  account,
  occurred_at: instant,
  kind: fc.constantFrom<string>('mention', 'reply', 'click', 'other'),
  channel: fc.constantFrom('x', 'email'),
  campaign: fc.constantFrom('spring', 'autumn', null),
});
export const GOALS = ['purchase', 'lead'] as const;
const conversion = fc.record({
  person,
  account,
  occurred_at: instant,
  goal: fc.constantFrom(...GOALS),
  value: fc.constantFrom(10, 25, null),
  retracted: fc.constantFrom(false, false, false, true),
});
export const log = fc.record({
  touches: fc.array(touch, { maxLength: 40, size: 'max' }),
  conversions: fc.array(conversion, { maxLength: 15, size: 'max' }),
});
export type Log = typeof log extends fc.Arbitrary<infer T> ? T : never;

const touchpointFilter = fc
  .record(
    {
      kind: fc.subarray(['mention', 'reply', 'click'], { minLength: 1 }),
      campaign: fc.constantFrom<(string | null)[]>(['spring'], [null], ['autumn', null]),
      channel: fc.constantFrom(['x'], ['email']),
    },
    { requiredKeys: [] },
  )
  .filter((fields) => Object.keys(fields).length > 0);
export const filter: fc.Arbitrary<EventFilter> = fc.oneof(
  { weight: 3, arbitrary: touchpointFilter.map((fields): EventFilter => ({ touchpoint: fields as never })) },
  {
    weight: 1,
    arbitrary: fc.subarray([...GOALS], { minLength: 1 }).map((goal) => ({ conversion: { goal } })),
  },
);
export const anyQuestion = fc.record({
  steps: fc.array(filter, { minLength: 2, maxLength: 4 }),
  order: fc.constantFrom(...FUNNEL_ORDERS),
  entry: fc.constantFrom(...FUNNEL_ENTRIES),
  count: fc.constantFrom(...FUNNEL_COUNTS),
  scope: fc.constantFrom('person', 'account'),
  window_seconds: fc.constantFrom(1, 43_200, 86_400, 3 * 86_400, 30 * 86_400),
  hold: fc.constantFrom<string[]>([], [], ['campaign'], ['campaign', 'channel']),
  exclude: fc.array(
    fc.record({
      filter: fc.oneof(
        filter,
        fc.constant<EventFilter>({ touchpoint: { kind: ['other'] } }),
        fc.constant<EventFilter>({ touchpoint: { kind: ['other'] } }),
      ),
      after_step: fc.constantFrom<number | undefined>(undefined, 1, 2),
      before_step: fc.constantFrom<number | undefined>(undefined, 2, 3, 4),
    }),
    { maxLength: 2 },
  ),
  breakdown: fc.constantFrom(null, ['channel'], ['campaign', 'kind']),
  at_step: fc.integer({ min: 1, max: 4 }),
  days: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 4, max: 8 })),
});
export type Question = typeof anyQuestion extends fc.Arbitrary<infer T> ? T : never;

/** At most this number of reports at a time: a workspace has four slots. */
const AT_A_TIME = 4;

/** Records the log in a workspace of its own, and compares the funnels over it with the definition. */
export async function compareAll(sample: Log, asked: readonly Question[]): Promise<void> {
  const workspace = await TestWorkspace.make();
  await post(workspace, sample);
  const questions = asked.map(askable);
  for (let i = 0; i < questions.length; i += AT_A_TIME)
    await Promise.all(
      questions.slice(i, i + AT_A_TIME).map((question) => compare(workspace, sample, question)),
    );
}

/** Without combinations that the API rejects: bounds beyond the steps, bounds in `any`, groups of a conversion. */
function askable(question: Question): Question {
  const { steps, order, exclude } = question;
  const at_step = Math.min(question.at_step, steps.length);
  const isGrouped = question.breakdown && 'touchpoint' in (steps[at_step - 1] as EventFilter);
  return {
    ...question,
    at_step,
    breakdown: isGrouped ? question.breakdown : null,
    exclude: exclude.map((one) => {
      if (order === 'any') return { ...one, after_step: undefined, before_step: undefined };
      const before_step = one.before_step && Math.min(one.before_step, steps.length);
      const isAhead = (one.after_step ?? 1) < (before_step ?? steps.length);
      return { ...one, before_step, after_step: isAhead ? one.after_step : undefined };
    }),
  };
}

async function compare(workspace: TestWorkspace, sample: Log, question: Question): Promise<void> {
  const answer = await workspace.post('/v1/reports/funnel', bodyOf(question));
  const name = JSON.stringify({ question: bodyOf(question), answer: answer.body });
  expect(answer.status, name).toBe(200);
  const wanted = expectedOf(sample, question);
  expect(answer.body.data.map(tidy), name).toEqual(wanted.steps.map(tidy));
  // People who did not reach the step are last in the report, and sorted by size in the definition.
  const inOrder = (groups: Json[]) =>
    groups.toSorted((a, b) => Number(a.group === null) - Number(b.group === null));
  const groups = (answer.body.breakdown ?? []).map((row: Json) => ({
    group: row.group && Object.values(row.group),
    steps: row.steps.map(tidy),
  }));
  const expected = wanted.breakdown.map(({ group, steps }) => ({ group, steps: steps.map(tidy) }));
  expect(groups, name).toEqual(inOrder(expected));
}

function tidy({ name: _, ...row }: Json): Json {
  return JSON.parse(JSON.stringify(row), (_key, value) =>
    typeof value === 'number' ? Number(value.toFixed(6)) : value,
  );
}

function bodyOf({ breakdown, at_step, exclude, days, ...rest }: Question) {
  return {
    ...rest,
    from: new Date(START + days[0] * DAY_MS).toISOString(),
    to: new Date(START + days[1] * DAY_MS).toISOString(),
    exclude: exclude.map(({ filter: own, after_step, before_step }) => ({
      ...own,
      ...(after_step && { after_step }),
      ...(before_step && { before_step }),
    })),
    ...(breakdown && { breakdown: { by: breakdown, at_step } }),
  };
}

function expectedOf(sample: Log, question: Question): FunnelSummary {
  const { steps, count, breakdown, at_step, days } = question;
  const funnel: FunnelRules = {
    ...question,
    from: START + days[0] * DAY_MS,
    to: START + days[1] * DAY_MS,
    exclude: question.exclude.map(({ filter: own, after_step, before_step }) => ({
      ...own,
      ...(after_step && { after_step }),
      ...(before_step && { before_step }),
    })),
  };
  const entities = [...Map.groupBy(eventsOf(sample), entityOf(sample, question.scope)).values()];
  return summariseFunnel(
    entities.map((events) => funnelOf(events, funnel)),
    { steps, count, ...(breakdown && { breakdown: { by: breakdown, at_step } }) },
  );
}

type Event = FunnelEvent & { person: string; account: string | null };

function eventsOf({ touches, conversions }: Log): Event[] {
  return [
    ...touches.map((sample, i): Event => ({ ...sample, type: 'touchpoint', id: `t${i}` })),
    ...conversions.flatMap(({ retracted, ...sample }, i): Event[] =>
      retracted ? [] : [{ ...sample, type: 'conversion', id: `c${i}` }],
    ),
  ];
}

function entityOf({ touches, conversions }: Log, scope: string): (event: Event) => string {
  if (scope === 'person') return (event) => event.person;
  return (event) => {
    const facts = [...touches, ...conversions]
      .filter((other) => other.person === event.person && other.account !== null)
      .map(({ occurred_at, account: account_id }) => ({
        source: 'item' as const,
        occurred_at,
        account_id: account_id ?? '',
      }));
    return event.account ?? accountAt(facts, event.occurred_at) ?? event.person;
  };
}

async function post(workspace: TestWorkspace, { touches, conversions }: Log): Promise<void> {
  for (const goal of GOALS) await workspace.goal(goal);
  const item = ({ person: user_id, account: id, occurred_at, ...rest }: Json) => ({
    ...rest,
    person: { user_id },
    ...(id !== null && { account: { id } }),
    occurred_at: new Date(occurred_at).toISOString(),
  });
  const sold = conversions.map(({ retracted: _, ...sample }, i) => ({
    ...item(sample),
    id: `c${i}`,
    currency: 'USD',
  }));
  if (touches.length > 0)
    await workspace.load(
      'touchpoints',
      touches.map((sample, i) => ({ ...item(sample), id: `t${i}` })),
    );
  if (sold.length > 0) await workspace.load('conversions', sold);
  for (const [i, { retracted }] of conversions.entries())
    if (retracted) await workspace.post(`/v1/conversions/c${i}/adjustments`, { kind: 'retraction' });
}
