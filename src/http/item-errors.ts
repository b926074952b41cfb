import type * as z from 'zod';
import { escapePointer, type FieldError, protoKeys, unstorable } from '../domain/json.ts';

const UNSTORABLE =
  'Text with NUL or a lone surrogate, or a number beyond a double, cannot be stored; remove it.';

export type Checked<T> = { data: T } | { errors: FieldError[] };

/** Parses a body or an item. All errors in it have pointers below `base`. */
export function checkItem<T>(schema: z.ZodType<T>, value: unknown, base: string): Checked<T> {
  const at = (pointers: string[], detail: string) =>
    pointers.map((pointer) => ({ pointer: base + pointer, detail }));
  const unstored = unstorable(value);
  if (unstored.length > 0) return { errors: at(unstored, UNSTORABLE) };
  const parsed = schema.safeParse(value);
  if (!parsed.success) return { errors: itemErrors(parsed.error, base) };
  const proto = protoKeys(value);
  return proto.length > 0 ? { errors: at(proto, 'Unknown field; remove it.') } : { data: parsed.data };
}

/** The errors of zod, with pointers below `base` (`/touchpoints/3`, or empty for a body that is one item). */
function itemErrors(error: z.ZodError, base: string): FieldError[] {
  return error.issues.flatMap((issue) => {
    const pointer = base + issue.path.map((part) => `/${escapePointer(String(part))}`).join('');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        pointer: `${pointer}/${escapePointer(key)}`,
        detail: 'Unknown field; remove it.',
      }));
    }
    return [{ pointer, detail: `${issue.message}.` }];
  });
}
