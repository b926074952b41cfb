import type { z } from '@hono/zod-openapi';
import { escapePointer } from '../domain/json.ts';
import type { FieldError } from './errors.ts';

export const UNSTORABLE = 'Text with NUL or a lone surrogate is not stored; remove it.';

/** What zod found, as pointers below `base` (`/touchpoints/3`, or empty for a body that is one item). */
export function itemErrors(error: z.ZodError, base: string): FieldError[] {
  return error.issues.flatMap((issue) => {
    const pointer = base + issue.path.map((part) => `/${escapePointer(String(part))}`).join('');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        pointer: `${pointer}/${escapePointer(key)}`,
        detail: 'Unknown field.',
      }));
    }
    return [{ pointer, detail: `${issue.message}.` }];
  });
}
