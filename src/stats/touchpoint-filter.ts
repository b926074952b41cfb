import * as z from 'zod';
import { DIMENSIONS, DIRECTIONS, type Dimension, KINDS, STAGES } from '../domain/touchpoint-fields.ts';

const MAX_VALUES = 100;

const anyOf = z.array(z.string().nullable()).min(1).max(MAX_VALUES);

/** Of a closed set: another word would match nothing, for ever. */
function someOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.array(z.enum(words).nullable()).min(1).max(MAX_VALUES).optional();
}

const fields = {
  channel: anyOf.optional(),
  source: anyOf.optional(),
  medium: anyOf.optional(),
  campaign: anyOf.optional(),
  content: anyOf.optional(),
  term: anyOf.optional(),
  kind: someOf(KINDS),
  direction: someOf(DIRECTIONS),
  stage: someOf(STAGES),
  conversation: anyOf.optional(),
  topic: anyOf.optional(),
} satisfies Record<Dimension, z.ZodType>;

/** Which touchpoints: what a goal's `match` and the steps of a funnel are made of. */
export const TouchpointFilter = z
  .strictObject(fields, { message: `Fields are ${DIMENSIONS.join(', ')}; each a list of values` })
  .refine((filter) => Object.keys(filter).length > 0, {
    message: `Name at least one field, of ${DIMENSIONS.join(', ')}`,
  })
  .meta({
    id: 'TouchpointFilter',
    description:
      'A touchpoint fits when each field named has one of the values; null stands for an empty field.',
    example: { kind: ['follow'], channel: ['x', 'linkedin'] },
  });
