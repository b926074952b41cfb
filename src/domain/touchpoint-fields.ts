/**
 * The kinds of touchpoints. Tables, schemas and reports all read the closed sets of this file.
 * Source: the product's own vocabulary, which uses the standard terms of the field.
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

/** `inbound`: from people to the company. `outbound`: from the company to people. */
export const DIRECTIONS = ['inbound', 'outbound'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** The lifecycle stages, in order. */
export const STAGES = ['conversation', 'consideration', 'trial', 'purchase', 'loyalty', 'advocacy'] as const;
export type Stage = (typeof STAGES)[number];

/** Kinds that get credit only if a report's `where[kind]` names them. */
export const KINDS_WITHOUT_CREDIT = ['event', 'view', 'other'] as const satisfies readonly Kind[];

/** The fields of touchpoints that reports can group by and filter on. */
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

/** Allowed values by field; null stands for the empty field. Fields are AND-ed, values OR-ed. */
export type FieldValues = Readonly<Record<string, readonly (string | null)[]>>;

/** Allowed values by dimension of touchpoints. */
export type Where = Partial<Record<Dimension, readonly (string | null)[]>>;

/** Dimensions whose values are compared without case: they are stored in lower case, and filters are read so. */
export const ORIGIN_DIMENSIONS = ['source', 'medium'] as const satisfies readonly Dimension[];

/** The stored form of a `source` or `medium`. */
export function normaliseOriginText(text: string): string {
  return text.trim().toLowerCase();
}

/** The filter with the values of `source` and `medium` in their stored form. */
export function normaliseWhere<W extends FieldValues>(where: W): W {
  const normalised: Record<string, readonly (string | null)[]> = { ...where };
  for (const name of ORIGIN_DIMENSIONS) {
    const values = where[name];
    if (values)
      normalised[name] = values.map((value) => (value === null ? null : normaliseOriginText(value)));
  }
  return normalised as W;
}
