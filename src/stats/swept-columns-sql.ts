import { type SQL, sql } from 'drizzle-orm';

/** The columns of a journey that its rows repeat. */
export const JOURNEY = sql`entity, conversion_id, interval, gross, net, retracted, low, high, groups, recorded, touches,
          last_non_direct, lead, opportunity`;
/** The same for the rows of touches in a list. */
export const NO_JOURNEY = sql`entity, null as conversion_id, null as interval, null::numeric as gross, null::numeric as net,
          null::boolean as retracted, null::bigint as low, null::bigint as high, null::bigint as groups,
          null::bigint as recorded, null::bigint as touches, null::bigint as last_non_direct,
          null::bigint as lead, null::bigint as opportunity`;

/** The position in the journey of a place in the list of the entity. */
export const positionOf = (place: SQL) => sql`(${place} - low - coalesce(recorded < ${place}, false)::int)`;

/** The place itself, or the one before if the touchpoint there recorded the conversion; null outside the journey. */
export const inJourney = (place: SQL) =>
  sql`nullif(greatest(${place} - coalesce(recorded = ${place}, false)::int, low), low)`;
