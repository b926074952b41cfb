import * as z from 'zod';
import type { FieldError } from '../domain/json.ts';
import { ApiError } from './errors.ts';

const MEMBER = /^([a-z_]+)\[([^\]]*)\]$/;

/**
 * Reads the query string into the shape of `schema`, and parses it.
 *
 * - a list may be comma-separated or repeated; `\,` is a comma inside a value, `\0` is null
 * - `where[channel]=x,linkedin` is `{where: {channel: ['x', 'linkedin']}}`
 * - numbers and booleans are read as such; anything else stays text
 * - if the schema has a `catchall`, that reads the parameters that the schema does not name
 * @throws ApiError invalid_request naming every parameter that is unknown, repeated or invalid
 */
export function readQuery<Q extends z.ZodObject>(schema: Q, search: URLSearchParams): z.output<Q> {
  const fields = schema.shape as Record<string, z.ZodType>;
  const errors: FieldError[] = [];
  const raw: Record<string, unknown> = {};
  for (const name of new Set(search.keys())) {
    const [, outer, inner] = name.match(MEMBER) ?? [];
    const field = coreOf(
      Object.hasOwn(fields, outer ?? name) ? fields[outer ?? name] : catchallOf(schema, name),
    );
    const values = search.getAll(name);
    if ([name, ...values].some((text) => text.includes('\0'))) {
      errors.push({
        pointer: `?${name.replaceAll('\0', '')}`,
        detail: 'Text with NUL cannot be stored; remove it.',
      });
      continue;
    }
    if (outer !== undefined && inner !== undefined && field instanceof z.ZodRecord && inner !== '__proto__') {
      raw[outer] = { ...(raw[outer] as object | undefined), [inner]: values.flatMap(splitList) };
    } else if (!field || outer !== undefined || inner === '__proto__') {
      errors.push({ pointer: `?${name}`, detail: `Unknown parameter; known are ${knownNames(fields)}.` });
    } else if (field instanceof z.ZodRecord) {
      errors.push({ pointer: `?${name}`, detail: `Name the field in brackets: ${name}[channel]=x.` });
    } else if (field instanceof z.ZodArray) {
      raw[name] = values.flatMap(splitList);
    } else if (values.length > 1) {
      errors.push({ pointer: `?${name}`, detail: 'Send it once.' });
    } else {
      raw[name] = scalarOf(field, values[0] ?? '');
    }
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) errors.push(...parsed.error.issues.map(queryError));
  if (errors.length > 0 || !parsed.success) {
    throw new ApiError(
      'invalid_request',
      `The query is invalid: ${errors.map((e) => `${e.pointer} ${e.detail}`).join(' ')}`,
      { errors },
    );
  }
  return parsed.data;
}

function knownNames(fields: Record<string, z.ZodType>): string {
  return Object.entries(fields)
    .map(([name, field]) => (coreOf(field) instanceof z.ZodRecord ? `${name}[…]` : name))
    .join(', ');
}

/** The schema of a parameter that is not named, if any is allowed. `__proto__` never is. */
function catchallOf(schema: z.ZodObject, name: string): z.ZodType | undefined {
  const { catchall } = schema.def;
  return catchall instanceof z.ZodString && name !== '__proto__' ? catchall : undefined;
}

/** The schema below optional(), default(), transform() and the like. */
function coreOf(schema: z.ZodType | undefined): z.ZodType | undefined {
  let core: unknown = schema;
  for (;;) {
    if (core instanceof z.ZodOptional || core instanceof z.ZodDefault || core instanceof z.ZodNullable)
      core = core.unwrap();
    else if (core instanceof z.ZodPipe) core = core.in;
    else return core as z.ZodType | undefined;
  }
}

function scalarOf(field: z.ZodType, text: string): unknown {
  if (field instanceof z.ZodNumber) return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (field instanceof z.ZodBoolean) return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** `a,b\,c,\0` → `['a', 'b,c', null]`. A backslash before anything else stands for itself. */
export function splitList(text: string): (string | null)[] {
  const parts: string[] = [];
  let part = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && text[i + 1] === ',') {
      part += ',';
      i += 1;
    } else if (text[i] === ',') {
      parts.push(part);
      part = '';
    } else {
      part += text[i];
    }
  }
  parts.push(part);
  return parts.map((value) => (value === '\\0' ? null : value));
}

function queryError(issue: z.core.$ZodIssue): FieldError {
  const [name, member] = issue.path.map(String);
  const isMember = member !== undefined && Number.isNaN(Number(member));
  return { pointer: `?${name ?? ''}${isMember ? `[${member}]` : ''}`, detail: `${issue.message}.` };
}
