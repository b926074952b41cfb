// What the bundle has in place of `@hono/zod-openapi` (see [alias] in wrangler.toml): those parts of zod that `src/` uses,
// with an `.openapi()` that does nothing. What schemas say there is read once, by `npm run openapi`, where the real
// package writes the document; a request only parses.
//
// A list, because a namespace that is passed on as a value keeps all of itself: the generator, zod's other types and the
// translations of its messages into 50 languages were a fifth of the whole. By path: zod does not export its parts. A
// part that is missing here fails every API test when the Worker starts.
import { ZodError } from '../node_modules/zod/v4/classic/errors.js';
import * as iso from '../node_modules/zod/v4/classic/iso.js';
import * as schemas from '../node_modules/zod/v4/classic/schemas.js';
import { NEVER } from '../node_modules/zod/v4/core/core.js';

schemas.ZodType.prototype.openapi = function openapi() {
  return this;
};

export const z = {
  array: schemas.array,
  boolean: schemas.boolean,
  custom: schemas.custom,
  enum: schemas.enum,
  iso: { date: iso.date, datetime: iso.datetime },
  literal: schemas.literal,
  NEVER,
  number: schemas.number,
  object: schemas.object,
  partialRecord: schemas.partialRecord,
  record: schemas.record,
  strictObject: schemas.strictObject,
  string: schemas.string,
  tuple: schemas.tuple,
  union: schemas.union,
  unknown: schemas.unknown,
  uuid: schemas.uuid,
  ZodArray: schemas.ZodArray,
  ZodBoolean: schemas.ZodBoolean,
  ZodDefault: schemas.ZodDefault,
  ZodError,
  ZodNullable: schemas.ZodNullable,
  ZodNumber: schemas.ZodNumber,
  ZodObject: schemas.ZodObject,
  ZodOptional: schemas.ZodOptional,
  ZodPipe: schemas.ZodPipe,
  ZodRecord: schemas.ZodRecord,
  ZodString: schemas.ZodString,
  ZodType: schemas.ZodType,
  ZodUnknown: schemas.ZodUnknown,
};
