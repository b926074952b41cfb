import * as z from 'zod';
import type { FieldError } from '../domain/json.ts';
import { ApiError } from '../http/errors.ts';
import type { Reply } from '../http/operation.ts';
import { MAX_REJECTIONS_PER_DAY } from './rejection-insert-sql.ts';

/** The status of an item; each item ends with exactly one. */
export const STATUSES = ['accepted', 'duplicate', 'conflict', 'rejected', 'dropped', 'queued'] as const;
export type Status = (typeof STATUSES)[number];

/** Reasons for which a valid item is not stored. */
export const DROP_REASONS = ['consent', 'erased'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface ItemResult {
  index: number;
  id: string;
  status: Status;
  /** Set if the item was dropped. */
  reason?: DropReason;
  errors?: FieldError[];
  warnings?: ItemWarning[];
  /** Set if the item is not kept under /v1/rejections either. */
  kept?: false;
}

/** Codes of warnings that a sender may want to act on. */
export const WARNING_CODES = ['waiting_for_conversion'] as const;

export interface ItemWarning extends FieldError {
  code?: (typeof WARNING_CODES)[number];
}

export const FieldErrorSchema = z
  .object({
    pointer: z.string().meta({ description: 'JSON pointer into the body, or `?name` for a parameter.' }),
    detail: z.string().meta({ description: 'The fault, and what to change.' }),
  })
  .meta({ id: 'FieldError' });

const ItemWarningSchema = FieldErrorSchema.extend({
  code: z.enum(WARNING_CODES).optional().meta({
    description:
      '`waiting_for_conversion`: the adjustment is stored, and counts as soon as its conversion is stored, within 30 days.',
  }),
}).meta({ id: 'ItemWarning' });

export const BatchAnswer = z
  .object({
    accepted: z.number().int(),
    duplicates: z
      .number()
      .int()
      .meta({ description: 'Stored before with the same id and content: a no-op.' }),
    dropped: z.number().int().meta({ description: 'Not stored on purpose, for example without consent.' }),
    rejected: z.number().int().meta({
      description:
        'Rejected or in conflict; kept under /v1/rejections for 30 days, except results with `kept: false`.',
    }),
    queued: z.number().int().optional().meta({
      description: 'Durable in the queue, and stored soon. Only in deployments with a queue.',
    }),
    results: z.array(
      z.object({
        index: z.number().int(),
        id: z.string().meta({ description: 'The id that was sent, or the one that the server generated.' }),
        status: z.enum(STATUSES),
        reason: z.enum(DROP_REASONS).optional().meta({
          description:
            '`consent`: a person that it names has withheld consent. `erased`: a person that it names was erased at or after its time.',
        }),
        errors: z.array(FieldErrorSchema).optional(),
        warnings: z.array(ItemWarningSchema).optional(),
        kept: z
          .literal(false)
          .optional()
          .meta({
            description: `The item is rejected or in conflict, and is not kept under /v1/rejections, because its key has added ${MAX_REJECTIONS_PER_DAY.toLocaleString('en-US')} rejections today (UTC). Send it again, corrected.`,
          }),
      }),
    ),
  })
  .meta({ id: 'BatchAnswer' });

/** All results in order, with the status that sums them up: 200, 202, 207, or 422 if every item is rejected. */
export function batchReply(results: ItemResult[]): Reply<z.output<typeof BatchAnswer>> {
  const count = (...statuses: Status[]) =>
    results.filter((result) => statuses.includes(result.status)).length;
  const queued = count('queued');
  const body = {
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    dropped: count('dropped'),
    rejected: count('rejected', 'conflict'),
    ...(queued > 0 && { queued }),
    results,
  };
  if (body.rejected === 0) return { status: queued > 0 ? 202 : 200, body };
  if (body.rejected < results.length) return { status: 207, body };
  throw new ApiError('no_item_accepted', 'No item was stored; `results` has the reasons, item by item.', {
    members: body,
  });
}
