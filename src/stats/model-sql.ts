import { type SQL, sql } from 'drizzle-orm';
import {
  END_SHARES,
  type EndShares,
  MAX_HALVINGS,
  MILESTONE_SHARES,
  type Model,
  normalise,
} from '../domain/attribution.ts';
import { DAY_MS } from '../domain/time.ts';
import { byMilestones } from './milestone-sql.ts';

/** Parameters of the models; the half-life is in days of 86,400 s. */
export interface ModelParameters {
  half_life_days: number;
  weights?: EndShares | undefined;
}

/** Where a touch is in its journey: its position, from 1, and the number of touches. */
export interface Place {
  position: SQL;
  touches: SQL;
}

const PLACE: Place = { position: sql`position`, touches: sql`touches` };

/**
 * The domain's `byEnds`.
 *
 * Needs: the columns of the place. Gives: a float8 expression.
 */
function byEnds({ first, middle, last }: EndShares, { position, touches }: Place): SQL {
  return sql`case
    when ${touches} = 1 then 1
    when ${touches} = 2 then case ${position} when 1 then ${first / (first + last)}::float8 else ${last / (first + last)}::float8 end
    when ${position} = 1 then ${first}::float8
    when ${position} = ${touches} then ${last}::float8
    else ${middle}::float8 / (${touches} - 2)
  end`;
}

/**
 * The decay of a touch under `time_decay`, before it is divided by the sum over the journey. The domain's
 * `weightsOf` is the definition; a property test compares the two.
 *
 * Needs: `age`, an interval expression. Gives: a float8 expression.
 */
export function decayTerm(settings: ModelParameters, age: SQL): SQL {
  const halvings = sql`extract(epoch from ${age})::float8 / ${(settings.half_life_days * DAY_MS) / 1000}::float8`;
  return sql`case when ${halvings} > ${MAX_HALVINGS} then 0 else power(2::float8, -(${halvings})) end`;
}

/**
 * The weight of a touch under a model.
 *
 * Needs: `position, touches`, and by model `last_non_direct`, `lead_position` and `opportunity_position`, or `decay`, the
 * result of `decayTerm`, and `decays`, its sum over the journey; milestones need a place of these names. Gives: a float8
 * expression.
 */
export function weightSql(model: Model, settings: ModelParameters, place: Place = PLACE): SQL {
  const { position, touches } = place;
  switch (model) {
    case 'first_touch':
      return sql`(${position} = 1)::int::float8`;
    case 'last_touch':
      return sql`(${position} = ${touches})::int::float8`;
    case 'last_non_direct':
      return sql`(${position} = coalesce(last_non_direct, ${touches}))::int::float8`;
    case 'linear':
      return sql`1::float8 / ${touches}`;
    case 'time_decay':
      return sql`decay / decays`;
    case 'custom':
      return byEnds(normalise(settings.weights), place);
    case 'w_shaped':
    case 'full_path':
      return byMilestones(MILESTONE_SHARES[model]);
    default:
      return byEnds(END_SHARES[model], place);
  }
}

/** The weight that all touches between those with a weight of their own have in common: `factor` times `share`. */
export interface Between {
  /** Models with the same name have the same share. */
  name: string;
  /** Needs: a row of `swept_pieces` between such touches, see `weightSql`. Gives: a float8 expression. */
  share: SQL;
  factor: number;
}

/** Null: such touches weigh nothing, or each its own weight. */
export function weightBetween(model: Model, settings: ModelParameters): Between | null {
  const byEnds = (factor: number) => ({ name: 'even', share: sql`1::float8 / (touches - 2)`, factor });
  switch (model) {
    case 'first_touch':
    case 'last_touch':
    case 'last_non_direct':
    case 'time_decay':
      return null;
    case 'linear':
      return { name: 'linear', share: sql`1::float8 / touches`, factor: 1 };
    case 'custom':
      return byEnds(normalise(settings.weights).middle);
    case 'w_shaped':
    case 'full_path':
      return { name: model, share: weightSql(model, settings), factor: 1 };
    default:
      return byEnds(END_SHARES[model].middle);
  }
}
