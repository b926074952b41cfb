import * as z from 'zod';
import type { FieldError } from '../domain/json.ts';
import { ApiError } from '../http/errors.ts';
import type { Reply } from '../http/operation.ts';

/** What became of an item; each ends as exactly one of these. */
export const STATUSES = ['accepted', 'duplicate', 'conflict', 'rejected', 'dropped', 'queued'] as const;
export type Status = (typeof STATUSES)[number];

/** Why an item was kept out on purpose. */
export const DROP_REASONS = ['consent', 'erased'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface ItemResult {
  index: number;
  id: string;
  status: Status;
  /** Why an item was dropped. */
  reason?: DropReason;
  errors?: FieldError[];
  warnings?: FieldError[];
}

export const FieldErrorSchema = z
  .object({
    pointer: z.string().meta({ description: 'JSON pointer into the body, or `?name` for a parameter.' }),
    detail: z.string().meta({ description: 'What is wrong and what to change.' }),
  })
  .meta({ id: 'FieldError' });

export const BatchAnswer = z
  .object({
    accepted: z.number().int(),
    duplicates: z.number().int().meta({ description: 'Same id and same content as stored: a no-op.' }),
    dropped: z.number().int().meta({ description: 'Kept out on purpose, as by consent.' }),
    rejected: z
      .number()
      .int()
      .meta({ description: 'Rejected or conflicting; kept under /v1/rejections for 30 days.' }),
    queued: z.number().int().optional().meta({
      description: 'Durable in the queue, and stored soon. Only where the deployment has one.',
    }),
    results: z.array(
      z.object({
        index: z.number().int(),
        id: z.string().meta({ description: 'The one sent, or the one it got.' }),
        status: z.enum(STATUSES),
        reason: z.enum(DROP_REASONS).optional().meta({
          description:
            '`consent`: the person does not want it stored. `erased`: it is of somebody who was erased since.',
        }),
        errors: z.array(FieldErrorSchema).optional(),
        warnings: z.array(FieldErrorSchema).optional(),
      }),
    ),
  })
  .meta({ id: 'BatchAnswer' });

/** Every item, in order, and the status that sums them up: 200, 202, 207, or 422 when nothing went in. */
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
  throw new ApiError('no_item_accepted', 'Nothing of this was stored; `results` says why, item by item.', {
    members: body,
  });
}
