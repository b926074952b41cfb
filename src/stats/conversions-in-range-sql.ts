import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { entityOf } from './entity-sql.ts';
import { dayOf, exchangeRates, fxRateOf } from './fx-sql.ts';
import {
  countsAtAll,
  goalKeys,
  goalSettings,
  type JourneyQuestion,
  touchesOfJourneys,
} from './journey-sql.ts';
import { adjustedConversions, isAdjusted, isUnretracted, restatedValue } from './net-conversion-sql.ts';
import { MAX_LISTED_JOURNEYS } from './swept/swept-entities-sql.ts';
import { isOneOf } from './where-sql.ts';

/** The longest lookback a goal can have. */
export const MAX_LOOKBACK_DAYS = 365;
const DAY_SECONDS = 86_400;

/**
 * Adjusted ids that are read at most: reading an id costs less than a quarter of probing a conversion. The few conversions
 * of open days are probed.
 */
function mostAdjusted({ all_listed }: JourneyQuestion): SQL {
  return all_listed ? sql`0` : sql`(select 4 * count(*) from reached)`;
}

/**
 * The filter of conversions: fields AND-ed, values OR-ed.
 *
 * Needs: a row of conversions, whose alias is `prefix` (`c.`), or empty. Gives: conditions to
 * join with `and`.
 */
export function conversionConditions(
  { where_conversion }: Pick<JourneyQuestion, 'where_conversion'>,
  prefix: SQL,
): SQL[] {
  return Object.entries(where_conversion).map(([field, values]) =>
    field === 'currency'
      ? isOneOf(sql`${prefix}currency`, values)
      : isOneOf(sql`${prefix}properties ->> ${field.slice('properties.'.length)}::text`, values),
  );
}

/**
 * The conversions of the goals and the range. Under `reset` the previous conversion may lie before the range, but never
 * further back than the lookback: beyond that it changes nothing.
 *
 * Needs: no step. Gives: a select of conversions, with all columns.
 */
export function reachedConversions(question: JourneyQuestion): SQL {
  const { workspace_id, from, to, lookback_days, policy } = question;
  const reachDays = policy === 'reset' ? (lookback_days ?? MAX_LOOKBACK_DAYS) : 0;
  return sql`
        select *
        from conversions c
        where c.workspace_id = ${tenant(workspace_id)}
          and c.goal = any(${goalKeys(question)})
          and c.occurred_at >= ${from}::timestamptz - make_interval(secs => ${reachDays * DAY_SECONDS}::float8)
          and c.occurred_at < ${to}::timestamptz`;
}

/**
 * The conversions of the range, each with the bounds of its journey: `opens_at` (inclusive) and `used_up_to`
 * (exclusive; -infinity unless an earlier conversion used touchpoints up). The bounds are computed once, in a
 * materialized step, because only plain columns reach an index under row level security.
 *
 * The conversions are numbered in the order of their entities. The touches of one entity then lie close to each other
 * in the index (258,000 probes: 1.8 s instead of 2.9 s), and later steps sort by a number instead of an id.
 * Expressions that are used several times are computed below an `offset 0`, which keeps them from being copied.
 *
 * Needs: no step. Gives: the steps `goal_settings`, `reached`, `fx` (unless sums are by currency), `adjusted`, `bounded`,
 * `chosen` (under a narrowed token) and `converted (number, entity, id, person_id, account_id, goal, occurred_at,
 * touchpoint_id, currency, interval, retracted, opens_at, used_up_to, lacks_rate, gross, net, is_crowded, previous_at,
 * next_opens_at)`. `number` and `entity` are of type bigint. `gross` and `net` are in the report's currency at the rate
 * of the conversion's day, null without a value or a rate. `is_crowded`: the entity has so many conversions that its
 * journeys are swept. Touches after `previous_at` and before `next_opens_at` are in no other journey of the step; each
 * of the two is null if there is no conversion on its side.
 * @param interval a text expression over `c (occurred_at, currency)`, the interval that credit is summed by
 */
export function conversionsInRange(question: JourneyQuestion, interval: SQL = sql`null::text`): SQL {
  const { workspace_id, from, lookback_days, only_with_journey, by_currency } = question;
  const source = question.source ?? reachedConversions(question);
  const amounts = sql`select currency, day from reached where occurred_at >= ${from}::timestamptz`;
  const filter = conversionConditions(question, sql`c.`);
  const chosen = filter.length > 0 ? sql`, ${sql.join(filter, sql` and `)} as is_chosen` : sql``;
  const conditions = [sql`occurred_at >= ${from}::timestamptz`, sql`counts`];
  if (filter.length > 0) conditions.push(sql`is_chosen`);
  const isIncluded = sql.join(conditions, sql` and `);
  return sql`
    goal_settings as materialized (${goalSettings(workspace_id, sql`g.key = any(${goalKeys(question)})`, lookback_days)}),
    reached as materialized (
      select c.id, c.person_id, c.account_id, c.goal, c.occurred_at, c.touchpoint_id, c.value, c.currency,
        ${dayOf(question, sql`c.occurred_at`)} as day${chosen}
      from (${source}
      ) c
    ), ${by_currency ? sql`` : sql`${exchangeRates(question, amounts)},`}
    ${adjustedConversions(workspace_id, mostAdjusted(question))},
    ${boundedConversions(question)},
    ${
      only_with_journey
        ? sql`chosen as materialized (
      select *
      from bounded
      where ${isIncluded}
    ), ${numberedConversions(question, interval, chosenWithJourney(question), sql`c.has_journey`)}`
        : numberedConversions(question, interval, sql`bounded`, isIncluded)
    }`;
}

/**
 * The conversions of the range with their adjustments and the bounds of their journeys.
 *
 * Needs: the steps `goal_settings`, `reached`, `fx` and `adjusted`. Gives: the step `bounded`, with the columns of
 * `reached`, `rate, retracted, restated_value, opens_at, used_up_to` and `counts`, whether its goal counts it.
 */
function boundedConversions(question: JourneyQuestion): SQL {
  const { workspace_id, scope, policy } = question;
  const adjusted = (id: SQL) => isAdjusted(mostAdjusted(question), id);
  const rate = question.by_currency ? sql`1::numeric` : fxRateOf(question, sql`c.currency`, sql`c.day`);
  const previous =
    policy === 'reset'
      ? sql`coalesce(max(c.occurred_at) filter (where not c.retracted) over (
          partition by ${entityOf(scope, sql`c`)}, c.goal order by c.occurred_at, c.id rows between unbounded preceding and 1 preceding
        ), '-infinity')`
      : sql`'-infinity'::timestamptz`;
  return sql`bounded as (
      select c.*, c.occurred_at - g.lookback as opens_at, ${previous} as used_up_to,
        ${countsAtAll(workspace_id, scope, adjusted)} as counts
      from (
        select c.*, coalesce(${restatedValue(workspace_id, sql`c.is_adjusted`)}, c.value) as restated_value,
          not ${isUnretracted(workspace_id, sql`c.id`, sql`c.is_adjusted`)} as retracted
        from (
          select c.*, ${rate} as rate, ${adjusted(sql`c.id`)} as is_adjusted
          from reached c
          offset 0
        ) c
        offset 0
      ) c
      join goal_settings g on g.key = c.goal
    )`;
}

/**
 * Numbers conversions, and compares each with the others of its entity, all in one sort.
 *
 * Needs: `source`, a step with the columns of `bounded`. Gives: the step `converted` of `conversionsInRange`, with the
 * rows of the source under a condition.
 */
function numberedConversions(
  { scope, with_retracted }: JourneyQuestion,
  interval: SQL,
  source: SQL,
  isIncluded: SQL,
): SQL {
  const entity = entityOf(scope, sql`c`);
  const number = sql`row_number() over (order by ${entity}, c.occurred_at, c.id)`;
  const hasJourneys = with_retracted ? sql`` : sql` filter (where not c.retracted)`;
  return sql`converted as materialized (
      select ${number} as number, ${number} - row_number() over entity as entity, c.id, c.person_id, c.account_id, c.goal,
        c.occurred_at, c.touchpoint_id, c.currency, ${interval} as interval, c.retracted, c.opens_at, c.used_up_to,
        c.restated_value is not null and c.rate is null as lacks_rate, c.value * c.rate as gross,
        c.restated_value * c.rate as net, count(*)${hasJourneys} over entity > ${MAX_LISTED_JOURNEYS} as is_crowded,
        lag(c.occurred_at) over entity as previous_at,
        lead(c.occurred_at) over entity - (select max(lookback) from goal_settings) as next_opens_at
      from ${source} c
      where ${isIncluded}
      window entity as (
        partition by ${entity} order by c.occurred_at, c.id rows between unbounded preceding and unbounded following
      )
    )`;
}

/**
 * The chosen conversions, and whether they have a touchpoint in their journey, be they retracted or not. As an output
 * column `in` is a hash look-up; in a condition it would be a join of steps, with a nested loop.
 *
 * Needs: the step `chosen`. Gives: a table expression with its columns and `has_journey`.
 */
function chosenWithJourney(question: JourneyQuestion): SQL {
  const touches = touchesOfJourneys({ ...question, with_retracted: true }, sql`chosen`, sql`null`);
  return sql`(
        select *, id in (select conversion_id from (${touches}) touches) as has_journey
        from chosen
        offset 0
      )`;
}
