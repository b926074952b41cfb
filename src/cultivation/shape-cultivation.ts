import {
  type ArmSums,
  type Arms,
  compareArms,
  MIN_ARM_PEOPLE,
  MIN_CONVERTED,
} from '../domain/cultivation.ts';
import type { GoalKind } from '../domain/settings.ts';
import { ApiError } from '../http/errors.ts';
import { missingRateWarning, type Warning } from '../stats/warnings.ts';
import type { CultivationReport } from './cultivation-schema.ts';
import {
  type ArmRow,
  type CultivationAnswer,
  type CultivationQuestion,
  MAX_CHANNELS,
} from './cultivation-sql.ts';

/** Shapes the sums of the database into the report. */

type Row = CultivationReport['data'][number];

/** The goals that the query names, or that apply by default. */
export interface AskedGoals {
  goal: readonly string[];
  cultivation_goal: readonly string[];
}

/**
 * Rejects goals of the wrong kind, with a pointer to each list that names one. @throws ApiError
 * invalid_request
 */
export function refuseOtherKinds(
  { goal, cultivation_goal }: AskedGoals,
  goals: readonly { key: string; kind: GoalKind }[],
): void {
  const asked = [
    ['?goal', goal, 'conversion'],
    ['?cultivation_goal', cultivation_goal, 'cultivation'],
  ] as const;
  const errors = asked.flatMap(([pointer, keys, kind]) => {
    const wrong = keys.filter((key) => goals.some((other) => other.key === key && other.kind !== kind));
    const detail = `Not of the kind ${kind}: ${wrong.join(', ')}; name goals of that kind, or change the kind of these.`;
    return wrong.length === 0 ? [] : [{ pointer, detail }];
  });
  if (errors.length > 0)
    throw new ApiError('invalid_request', errors.map(({ detail }) => detail).join(' '), { errors });
}

export function reportOf(
  question: CultivationQuestion,
  { cultivation_goal }: Pick<AskedGoals, 'cultivation_goal'>,
  answer: CultivationAnswer,
): Omit<CultivationReport, 'query'> {
  const { lacks_rate, ...left_out } = answer.left_out;
  const arms = armsAt(answer, 0);
  const { low_evidence, ...everyone } = compareArms(arms);
  const compared = arms.cultivated.people + arms.uncultivated.people;
  const data =
    question.group_by === null
      ? [{ group: {}, ...everyone, pool_people: answer.pool.people, low_evidence }]
      : groupRows(question, cultivation_goal, answer);
  return {
    observational: true,
    totals: {
      people: compared + left_out.converted_before_landmark + left_out.short_follow_up,
      compared,
      converted: arms.cultivated.converted + arms.uncultivated.converted,
      // Removes the last digits of binary fractions.
      value: Number((arms.cultivated.value + arms.uncultivated.value).toFixed(9)),
      currency: question.currency,
      pool_people: answer.pool.people,
    },
    ...everyone,
    left_out,
    pool: cultivation_goal.map((key) => ({ goal: key, people: poolOf(answer, key) })),
    data,
    warnings: [
      ...evidenceWarnings(arms, data),
      ...(cultivation_goal.length === 0 ? [NO_CULTIVATION_GOAL] : []),
      ...(lacks_rate > 0 ? [missingRateWarning(lacks_rate, question.currency)] : []),
    ],
  };
}

function groupRows(
  { group_by }: CultivationQuestion,
  cultivationGoals: readonly string[],
  answer: CultivationAnswer,
): Row[] {
  if (group_by === 'cultivation_goal') {
    const { uncultivated } = armsAt(answer, 0);
    return cultivationGoals.map((key, i) => ({
      group: { cultivation_goal: key },
      ...compareArms({ cultivated: armsAt(answer, i + 1).cultivated, uncultivated }),
      pool_people: poolOf(answer, key),
    }));
  }
  return (answer.channels ?? []).map(({ place, channel, pool_people }) => ({
    ...(place > MAX_CHANNELS ? { group: null, other: true as const } : { group: { channel } }),
    ...compareArms(armsAt(answer, place)),
    pool_people,
  }));
}

function armsAt({ arms }: CultivationAnswer, at: number): Arms<ArmSums> {
  const rows = (arms ?? []).filter(({ place }) => place === at);
  return {
    cultivated: sumsOf(rows.find(({ is_cultivated }) => is_cultivated)),
    uncultivated: sumsOf(rows.find(({ is_cultivated }) => !is_cultivated)),
  };
}

/** An empty arm has no row. */
function sumsOf(row: ArmRow | undefined): ArmSums {
  return {
    people: row?.people ?? 0,
    converted: row?.converted ?? 0,
    value: Number(row?.value ?? 0),
    median_seconds: row?.median_seconds ?? null,
  };
}

function poolOf({ pool }: CultivationAnswer, goal: string): number {
  return pool.goals?.[goal] ?? 0;
}

const NO_CULTIVATION_GOAL: Warning = {
  code: 'no_cultivation_goal',
  detail:
    'The workspace has no goal of the kind cultivation, so nobody is cultivated; create one with PUT /v1/goals/{key}.',
};

function evidenceWarnings(arms: Arms<ArmSums>, data: readonly Row[]): Warning[] {
  const low = data.filter(({ low_evidence }) => low_evidence).length;
  if (low === 0 && !compareArms(arms).low_evidence) return [];
  const counts = `cultivated ${arms.cultivated.people}, uncultivated ${arms.uncultivated.people}`;
  const detail = `${low} of ${data.length} rows have an arm of fewer than ${MIN_ARM_PEOPLE} people, or fewer than ${MIN_CONVERTED} conversions; people in total: ${counts}. Send a longer range or fewer groups.`;
  return [{ code: 'low_evidence', detail }];
}
