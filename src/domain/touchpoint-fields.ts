/**
 * The closed sets of a touchpoint. Tables, schemas and reports all read them from here.
 * Source: the product's own vocabulary; each word is the field's standard term.
 */
export const KINDS = [
  'mention',
  'message',
  'reply',
  'comment',
  'review',
  'like',
  'follow',
  'subscribe',
  'share',
  'referral',
  'visit',
  'click',
  'view',
  'email_open',
  'email_click',
  'call',
  'meeting',
  'demo',
  'event',
  'other',
] as const;
export type Kind = (typeof KINDS)[number];

/** `inbound`: they to us. `outbound`: we to them. */
export const DIRECTIONS = ['inbound', 'outbound'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** The lifecycle, in order. */
export const STAGES = ['conversation', 'consideration', 'trial', 'purchase', 'loyalty', 'advocacy'] as const;
export type Stage = (typeof STAGES)[number];

/** Kinds that get no credit unless a report's `where[kind]` names them. */
export const KINDS_WITHOUT_CREDIT = ['event', 'view', 'other'] as const satisfies readonly Kind[];

/** What attribution can group by and filter on. */
export const DIMENSIONS = [
  'channel',
  'source',
  'medium',
  'campaign',
  'content',
  'term',
  'kind',
  'direction',
  'stage',
  'conversation',
  'topic',
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** The dimensions that spend has as well. */
export const SPEND_DIMENSIONS = [
  'channel',
  'source',
  'medium',
  'campaign',
] as const satisfies readonly Dimension[];
export type SpendDimension = (typeof SPEND_DIMENSIONS)[number];

/** Allowed values by field; null allows the empty field. Fields are AND-ed, values OR-ed. */
export type FieldValues = Readonly<Record<string, readonly (string | null)[]>>;

/** The same over the dimensions of touchpoints. */
export type Where = Partial<Record<Dimension, readonly (string | null)[]>>;
