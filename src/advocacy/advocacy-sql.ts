import { type SQL, sql } from 'drizzle-orm';
import { tenant } from '../db/tenant.ts';
import { type CountedQuestion, countedConversions } from '../stats/counted-conversion-sql.ts';
import { knownGoals } from '../stats/journey-sql.ts';

/** The effective query of the advocacy report. */
export interface AdvocacyQuestion extends CountedQuestion {
  to: string;
  limit: number;
}

/** The sums of one advocate, or of all; `value` is exact decimal text. */
export interface AdvocacySums {
  referred_people: number;
  converted_people: number;
  value: string;
  second_order_people: number;
}

/** The one row of the statement. */
export interface AdvocacyAnswer {
  /** The goals that exist, among those of the query. */
  goals: string[] | null;
  advocates: (AdvocacySums & { person_id: string })[];
  totals: AdvocacySums & {
    advocates: number;
    all: { conversions: number; value: string };
    word_of_mouth: { conversions: number; value: string };
    lacks_rate: number;
  };
}

/**
 * The advocacy report in one statement, after `HASH_JOINS`. The domain's `advocacyOf` is the definition, and
 * a property test compares the two.
 *
 * Strategy: (1) For each advocate and person, take the first referral ever from the touchpoints that name an
 * advocate. (2) Take the counted conversions. (3) Sum the conversions that follow each referral of the range
 * by advocate. (4) Join referrals to the referrals that the referred people made. (5) For the totals, join
 * each conversion to the first referral of its person.
 */
export function advocacyStatement(question: AdvocacyQuestion): SQL {
  const { workspace_id, goals, limit } = question;
  return sql`
    with ${pairs(question)},
    ${countedConversions(question)},
    ${advocateSteps},
    ${totalSteps(question)}
    select (${knownGoals(workspace_id, goals)}) as goals,
      (
        select coalesce(json_agg(json_build_object(
          'person_id', advocate_id, 'referred_people', referred_people, 'converted_people', converted_people,
          'value', value::text, 'second_order_people', second_order_people
        ) order by converted_people desc, referred_people desc, advocate_id), '[]')
        from (
          select *
          from advocates
          order by converted_people desc, referred_people desc, advocate_id
          limit ${limit}
        ) shown
      ) as advocates,
      (
        select json_build_object(
          'advocates', (select count(*) from advocates),
          'referred_people', (select count(first_in_range) from referred),
          'converted_people', count(distinct person_id) filter (where is_brought),
          'value', coalesce(sum(net) filter (where is_brought), 0)::text,
          'second_order_people', (select count(distinct person_id) from second_order),
          'all', json_build_object(
            'conversions', count(*) filter (where is_in_range),
            'value', coalesce(sum(net) filter (where is_in_range), 0)::text
          ),
          'word_of_mouth', json_build_object(
            'conversions', count(*) filter (where is_in_range and is_told),
            'value', coalesce(sum(net) filter (where is_in_range and is_told), 0)::text
          ),
          'lacks_rate', count(*) filter (where lacks_rate and (is_in_range or is_brought))
        )
        from placed
      ) as totals`;
}

/**
 * The first referral of each person by each advocate. An erased advocate is a nameless person. Without
 * `offset 0` each identity would be looked up twice, for the condition and for the column.
 *
 * Needs: no step. Gives: the step `pairs (advocate_id, person_id, referred_at, is_in_range)`.
 */
function pairs({ workspace_id, from, to, now }: AdvocacyQuestion): SQL {
  return sql`
    pairs as materialized (
      select *, referred_at >= ${from}::timestamptz and referred_at < ${to}::timestamptz as is_in_range
      from (
        select advocate_id, person_id, min(referred_at) as referred_at
        from (
          select named.person_id, named.referred_at, (
            select i.person_id
            from identities i
            where i.workspace_id = ${tenant(workspace_id)} and i.id = named.identity_id
          ) as advocate_id
          from (
            select t.referred_by_identity_id as identity_id, t.person_id, min(t.occurred_at) as referred_at
            from touchpoints t
            where t.workspace_id = ${tenant(workspace_id)} and t.referred_by_identity_id is not null
              and t.voided_at is null and t.occurred_at <= ${now}::timestamptz
            group by t.referred_by_identity_id, t.person_id
          ) named
          offset 0
        ) known
        where advocate_id <> person_id
        group by advocate_id, person_id
      ) first_referrals
    )`;
}

/**
 * The sums of each advocate.
 *
 * Needs: the steps `pairs` and `counted`. Gives: the steps `brought`, `second_order (advocate_id, person_id)`
 * and `advocates (advocate_id, referred_people, converted_people, value, second_order_people)`.
 */
const advocateSteps = sql`
    brought as (
      select p.advocate_id, p.person_id, count(c.id) as conversions, coalesce(sum(c.net), 0) as value
      from pairs p
      left join counted c on c.person_id = p.person_id and c.occurred_at >= p.referred_at
      where p.is_in_range
      group by p.advocate_id, p.person_id
    ), second_order as materialized (
      select distinct p.advocate_id, next.person_id
      from pairs p
      join pairs next on next.advocate_id = p.person_id and next.referred_at >= p.referred_at
      where p.is_in_range and next.person_id <> p.advocate_id and not exists (
        select
        from pairs own
        where own.advocate_id = p.advocate_id and own.person_id = next.person_id
      )
    ), advocates as materialized (
      select firsts.*, coalesce(seconds.people, 0) as second_order_people
      from (
        select advocate_id, count(*) as referred_people, count(*) filter (where conversions > 0) as converted_people,
          sum(value) as value
        from brought
        group by advocate_id
      ) firsts
      left join (
        select advocate_id, count(*) as people
        from second_order
        group by advocate_id
      ) seconds using (advocate_id)
    )`;

/**
 * The conversions, with whether each is word of mouth (`is_told`) and follows a referral of the
 * range (`is_brought`).
 *
 * Needs: the steps `pairs` and `counted`. Gives: the steps `referred (person_id, first_ever, first_in_range)`
 * and `placed`, the columns of `counted` with `is_in_range, is_told, is_brought`.
 */
function totalSteps({ from, to }: AdvocacyQuestion): SQL {
  return sql`
    referred as materialized (
      select person_id, min(referred_at) as first_ever, min(referred_at) filter (where is_in_range) as first_in_range
      from pairs
      group by person_id
    ), placed as (
      select c.*, c.occurred_at >= ${from}::timestamptz and c.occurred_at < ${to}::timestamptz as is_in_range,
        c.occurred_at >= r.first_ever as is_told, c.occurred_at >= r.first_in_range as is_brought
      from counted c
      left join referred r using (person_id)
    )`;
}
