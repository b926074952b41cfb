import * as z from 'zod';
import { DIMENSIONS, DIRECTIONS, type Dimension, KINDS, STAGES } from '../domain/touchpoint-fields.ts';

const MAX_VALUES = 100;

const anyOf = z.array(z.string().nullable()).min(1).max(MAX_VALUES);

/** Values of `source` or `medium`, in their stored form. */
const anyOrigin = z.array(z.string().trim().toLowerCase().nullable()).min(1).max(MAX_VALUES);

/** Values of a closed set. Any other word would never match anything, so it is rejected. */
function someOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.array(z.enum(words).nullable()).min(1).max(MAX_VALUES).optional();
}

const fields = {
  channel: anyOf.optional(),
  source: anyOrigin.optional(),
  medium: anyOrigin.optional(),
  campaign: anyOf.optional(),
  content: anyOf.optional(),
  term: anyOf.optional(),
  kind: someOf(KINDS),
  direction: someOf(DIRECTIONS),
  stage: someOf(STAGES),
  conversation: anyOf.optional(),
  topic: anyOf.optional(),
} satisfies Record<Dimension, z.ZodType>;

/** A filter of touchpoints, for a goal's `match` and the steps of funnels. */
export const TouchpointFilter = z
  .strictObject(fields, { message: `Send fields among ${DIMENSIONS.join(', ')}; each is a list of values` })
  .refine((filter) => Object.keys(filter).length > 0, {
    message: `Name at least one field among ${DIMENSIONS.join(', ')}`,
  })
  .meta({
    id: 'TouchpointFilter',
    description:
      'A touchpoint matches if each field named here has one of the values; null stands for an empty field.',
    example: { kind: ['follow'], channel: ['x', 'linkedin'] },
  });
