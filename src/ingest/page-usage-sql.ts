import { type SQL, sql } from 'drizzle-orm';
import { DatabaseRefusal } from '../db/client.ts';
import { type DailyCaps, DEFAULT_DAILY_CAPS, type Resource } from '../domain/settings.ts';
import { DAY_MS } from '../domain/time.ts';
import { ApiError } from '../http/errors.ts';
import type { RecordContext } from '../http/operation.ts';
import { isPublishable } from './publishable.ts';

/** Daily caps of publishable keys. See `migrations/functions/require_daily_caps.sql`. */

type Capped = Pick<RecordContext, 'caller' | 'workspace' | 'now'>;

const dayOf = (now: Date) => now.toISOString().slice(0, 10);
const capsOf = ({ caller }: Capped): DailyCaps => caller.daily_caps ?? DEFAULT_DAILY_CAPS;

/** Statements before and after those that store items. */
interface Counting {
  before: SQL[];
  after: SQL[];
}

export const UNCOUNTED: Counting = { before: [], after: [] };

/**
 * The statements that count the items of a publishable key, and hold them to its daily caps. They raise an error of
 * `CAP_OF_ERROR`.
 */
export function countingOf(
  resource: Resource,
  { rows, rejections }: { rows: readonly { id: string; value?: unknown }[]; rejections: number },
  context: RecordContext,
): Counting {
  if (!isPublishable(context)) return UNCOUNTED;
  const counts = { items: rows.length + rejections, rejections };
  // Conversions get the default value of their goal, and touchpoints may record such conversions.
  const ids = rows.filter(({ value }) => value == null).map(({ id }) => id);
  return {
    before: [requireDailyCaps(counts, context)],
    after: ids.length > 0 ? [countDefaultValues(resource, ids, context)] : [],
  };
}

/** Counts the items of one round trip, before they are stored. */
function requireDailyCaps(counts: Pick<DailyCaps, 'items' | 'rejections'>, context: Capped): SQL {
  const { workspace, caller, now } = context;
  return sql`select require_daily_caps(${workspace.id}::uuid, ${caller.key_id}, ${dayOf(now)}::date,
    ${counts.items}::int, ${counts.rejections}::int, ${JSON.stringify(capsOf(context))}::jsonb)`;
}

/** Counts conversions with a default value, after they are stored in the same transaction. */
function countDefaultValues(resource: Resource, ids: readonly string[], context: Capped): SQL {
  const { workspace, caller, now } = context;
  return sql`select count_default_values(${workspace.id}::uuid, ${caller.key_id}, ${dayOf(now)}::date, ${resource},
    ${sql.param([...ids])}::text[], ${capsOf(context).default_value_conversions}::bigint)`;
}

/** The cap that was passed, by the SQLSTATE that the functions raise. */
const CAP_OF_ERROR: Readonly<Record<string, keyof DailyCaps>> = {
  TL003: 'items',
  TL004: 'rejections',
  TL005: 'default_value_conversions',
};

/** The error to throw in place of one of the database: `daily_cap_reached` if a cap was passed, else the same. */
export function capError(error: unknown, context: Capped): unknown {
  const cap = error instanceof DatabaseRefusal ? CAP_OF_ERROR[error.sqlstate] : undefined;
  if (!cap) return error;
  const now = context.now.getTime();
  const retry_after_seconds = Math.ceil((DAY_MS - (now % DAY_MS)) / 1000);
  const detail = `The key may record ${capsOf(context)[cap]} ${cap} a day, and this request would pass that; nothing of it is stored. Send it after midnight UTC, send fewer items, or create a key with higher \`daily_caps\`.`;
  return new ApiError('daily_cap_reached', detail, { retry_after_seconds });
}
