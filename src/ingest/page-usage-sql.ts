import { type SQL, sql } from 'drizzle-orm';
import { DatabaseRefusal } from '../db/client.ts';
import { type DailyCaps, DEFAULT_DAILY_CAPS } from '../domain/settings.ts';
import { DAY_MS } from '../domain/time.ts';
import { ApiError } from '../http/errors.ts';
import type { RecordContext } from '../http/operation.ts';
import { isPublishable } from './publishable.ts';

/** Daily caps of publishable keys. See `migrations/functions/require_daily_caps.sql`. */

type Capped = Pick<RecordContext, 'caller' | 'workspace' | 'now'>;

const dayOf = (now: Date) => now.toISOString().slice(0, 10);
const capsOf = ({ caller }: Capped): DailyCaps => caller.daily_caps ?? DEFAULT_DAILY_CAPS;

/** The part of a row that decides whether it records conversions with a default value. */
interface CountedRow {
  id: string;
  /** Of a conversion. */
  goal?: string;
  value?: unknown;
  /** Of a touchpoint: what goals match. */
  columns?: Record<string, unknown>;
}

/**
 * The statement that counts a batch of a publishable key and holds it to the daily caps; none for a server's. It runs
 * before the items are stored, and counts what they ask for: what is stored already would tell the page what is known.
 * It raises an error of `CAP_OF_ERROR`.
 */
export function countingOf(
  { items, rejections, rows }: { items: number; rejections: number; rows: readonly CountedRow[] },
  context: RecordContext,
): SQL[] {
  if (!isPublishable(context)) return [];
  const { workspace, caller, now } = context;
  const asking = rows
    .filter(({ value }) => value == null)
    .flatMap(({ goal, columns }) => (goal === undefined ? (columns ?? []) : { goal }));
  const goals = caller.goals && sql.param([...caller.goals]);
  return [
    sql`select require_daily_caps(${workspace.id}::uuid, ${caller.key_id}, ${dayOf(now)}::date, ${items}::int,
      ${rejections}::int, ${JSON.stringify(asking)}::jsonb, ${goals}::text[], ${JSON.stringify(capsOf(context))}::jsonb)`,
  ];
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
