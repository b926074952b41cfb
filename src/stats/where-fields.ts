import * as z from 'zod';
import { DIMENSIONS, type Dimension, normaliseWhere } from '../domain/touchpoint-fields.ts';

/** The query parameter `where`, which filters the touchpoints of a report or a list. */

/** The most values of one field of `where`. */
export const MAX_WHERE_VALUES = 100;

const values = z.array(z.string().nullable()).min(1).max(MAX_WHERE_VALUES);

/** A filter of touchpoints: fields, and the values that they may have. */
export const TouchpointWhere = z
  .record(z.string(), values)
  .superRefine((where, context) => {
    for (const dimension of Object.keys(where)) {
      if (!(DIMENSIONS as readonly string[]).includes(dimension)) {
        context.addIssue({
          code: 'custom',
          path: [dimension],
          message: `Unknown field; known fields are ${DIMENSIONS.join(', ')}`,
        });
      }
    }
  })
  .transform((where) => normaliseWhere(where) as Partial<Record<Dimension, (string | null)[]>>);

/** `where[channel]=x,linkedin`. */
export const WhereQuery = TouchpointWhere.optional().meta({
  type: 'object',
  param: { style: 'deepObject', explode: true },
  description:
    'Filters touchpoints: `where[channel]=x,linkedin`. Values are OR-ed, fields AND-ed; `\\0` is null, `\\,` is a comma.',
  additionalProperties: { type: 'string' },
  example: { channel: 'x,linkedin' },
});
