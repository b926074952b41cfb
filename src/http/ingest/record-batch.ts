import type { z } from '@hono/zod-openapi';
import type { SQL } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { canonicalJson, unstorableText } from '../../domain/json.ts';
import type { Resource } from '../../domain/settings.ts';
import type { FieldError } from '../errors.ts';
import { itemErrors, UNSTORABLE } from '../item-errors.ts';
import type { WorkspaceContext } from '../operation.ts';
import type { ItemResult } from './answer.ts';
import { quarantine, type RefusedItem } from './quarantine.ts';
import type { SentItem } from './read-items.ts';

/** A row as the statements take it. `content_hash` in hex. */
export interface StoredRow {
  id: string;
  content_hash: string;
}

/** An item made ready, or what is wrong with it. `content` is what "the same item" is judged on. */
export type Prepared<R> =
  | { row: Omit<R, 'content_hash'>; content: object; warnings: FieldError[] }
  | { errors: FieldError[] };

/** What a slice says of a thing that can be posted in batches. */
export interface IngestResource<I extends { id?: string | null | undefined }, R extends StoredRow> {
  resource: Resource;
  id_prefix: string;
  schema: z.ZodType<I>;
  prepare(item: I, id: string, pointer: string, context: WorkspaceContext): Promise<Prepared<R>>;
  /** In one transaction; the last one returns `{id, outcome}` of every row that it could see. */
  write(rows: readonly R[], context: WorkspaceContext): Promise<SQL[]>;
  /** The same answer without storing anything. */
  check(rows: readonly R[], context: WorkspaceContext): SQL;
  /** Outcomes of `write` that refuse the item, beside `conflict`, and what to tell the sender. */
  refusals: Record<string, FieldError>;
}

export interface RecordOptions {
  dryRun: boolean;
  /** From `Idempotency-Key`: items without an id get one from it, so that a retry is the same batch. */
  idempotencyKey: string | null;
}

interface Candidate<R> {
  sent: SentItem;
  row: R;
  warnings: FieldError[];
}

/** Ids of the server's making: time-sortable, or from the idempotency key and the place in the batch. */
const ID_HASH_LENGTH = 32;

/** How often rows that another batch was writing at the same moment are asked for again. */
const MAX_ROUNDS = 3;

/**
 * Validates, stores and answers for every item of a batch: what is right goes in, in one transaction, and what
 * is not is kept aside with its reasons.
 */
export async function recordBatch<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  items: readonly SentItem[],
  options: RecordOptions,
  context: WorkspaceContext,
): Promise<ItemResult[]> {
  const results = new Map<number, ItemResult>();
  const candidates: Candidate<R>[] = [];
  const prepared = await Promise.all(items.map((sent) => prepareItem(resource, sent, options, context)));
  prepared.forEach((item, i) => {
    const sent = items[i];
    if (!sent) return;
    if ('row' in item) candidates.push({ sent, ...item });
    else
      results.set(sent.index, {
        index: sent.index,
        id: sentId(sent),
        status: 'rejected',
        errors: item.errors,
      });
  });
  const firsts = settleRepeats(candidates, results);
  const refused = items.filter((sent) => results.get(sent.index)?.errors !== undefined);
  await store(resource, firsts, refusedItems(refused, results), options, results, context);
  settleFollowers(candidates, results);
  return items.map((sent) => results.get(sent.index) ?? unreachable(sent));
}

async function prepareItem<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  sent: SentItem,
  options: RecordOptions,
  context: WorkspaceContext,
): Promise<{ row: R; warnings: FieldError[] } | { errors: FieldError[] }> {
  if (sent.unreadable) return { errors: [{ pointer: sent.pointer, detail: 'This line is not JSON.' }] };
  const unstorable = unstorableText(sent.value, sent.pointer);
  if (unstorable.length > 0) {
    return {
      errors: unstorable.map((pointer) => ({
        pointer,
        detail: UNSTORABLE,
      })),
    };
  }
  const parsed = resource.schema.safeParse(sent.value);
  if (!parsed.success) return { errors: itemErrors(parsed.error, sent.pointer) };
  const id = parsed.data.id ?? (await makeId(resource.id_prefix, sent.index, options, context));
  const item = await resource.prepare(parsed.data, id, sent.pointer, context);
  if ('errors' in item) return item;
  const content = canonicalJson({ ...(sent.value as object), ...item.content });
  const content_hash = (await context.secrets.hash('content', content)).slice(0, ID_HASH_LENGTH);
  return { row: { ...item.row, content_hash } as R, warnings: item.warnings };
}

async function makeId(
  prefix: string,
  index: number,
  options: RecordOptions,
  context: WorkspaceContext,
): Promise<string> {
  if (options.idempotencyKey === null)
    return `${prefix}_${uuidv7({ msecs: context.now.getTime() }).replaceAll('-', '')}`;
  const hash = await context.secrets.hash('idempotency', `${prefix} ${options.idempotencyKey} ${index}`);
  return `${prefix}_${hash.slice(0, ID_HASH_LENGTH)}`;
}

/** One id several times in a batch: the first goes on, the others follow it or are conflicts. */
function settleRepeats<R extends StoredRow>(
  candidates: readonly Candidate<R>[],
  results: Map<number, ItemResult>,
): Candidate<R>[] {
  const firsts = new Map<string, Candidate<R>>();
  for (const candidate of candidates) {
    const first = firsts.get(candidate.row.id);
    if (!first) firsts.set(candidate.row.id, candidate);
    else if (first.row.content_hash !== candidate.row.content_hash) {
      const { index, pointer } = candidate.sent;
      results.set(index, {
        index,
        id: candidate.row.id,
        status: 'conflict',
        errors: [conflictError(pointer)],
      });
    }
  }
  return [...firsts.values()];
}

/** What follows an equal item of the same batch is a duplicate if that went in, and shares its refusal if not. */
function settleFollowers<R extends StoredRow>(
  candidates: readonly Candidate<R>[],
  results: Map<number, ItemResult>,
): void {
  const firsts = new Map<string, ItemResult>();
  for (const { sent, row } of candidates) {
    const first = firsts.get(row.id);
    const result = results.get(sent.index);
    if (!first && result) firsts.set(row.id, result);
    else if (first && !result) {
      const status = first.status === 'accepted' ? 'duplicate' : first.status;
      results.set(sent.index, { ...first, index: sent.index, status });
    }
  }
}

async function store<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  candidates: Candidate<R>[],
  refused: RefusedItem[],
  options: RecordOptions,
  results: Map<number, ItemResult>,
  context: WorkspaceContext,
): Promise<void> {
  let open = candidates;
  let toQuarantine = options.dryRun ? [] : refused;
  for (let round = 0; round < MAX_ROUNDS && (open.length > 0 || toQuarantine.length > 0); round++) {
    const outcomes = await ask(resource, open, toQuarantine, options, context);
    const late = settleOutcomes(resource, open, outcomes, results);
    toQuarantine = options.dryRun ? [] : refusedItems(late, results);
    // Not seen: another batch was storing the same id at this moment. Ask again, now that it is there.
    open = open.filter(({ sent }) => !results.has(sent.index));
  }
  if (open.length > 0) throw new Error('rows stayed invisible after they were written');
}

/** One round trip: the rows to store, and beside them the items to keep aside. */
async function ask<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  open: readonly Candidate<R>[],
  toQuarantine: readonly RefusedItem[],
  options: RecordOptions,
  context: WorkspaceContext,
): Promise<Map<string, string>> {
  const rows = open.map(({ row }) => row);
  const aside = toQuarantine.length > 0 ? [await quarantine(resource.resource, toQuarantine, context)] : [];
  const statements = options.dryRun
    ? [resource.check(rows, context)]
    : rows.length > 0
      ? await resource.write(rows, context)
      : [];
  if (statements.length + aside.length === 0) return new Map();
  const answers = await context.database.atomic([...aside, ...statements]);
  const last = statements.length > 0 ? (answers.at(-1) ?? []) : [];
  return new Map(last.map((row) => [String(row.id), String(row.outcome)]));
}

/** @returns the items that what is stored refuses: conflicts, and the resource's own refusals */
function settleOutcomes<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  open: readonly Candidate<R>[],
  outcomes: ReadonlyMap<string, string>,
  results: Map<number, ItemResult>,
): SentItem[] {
  const refused: SentItem[] = [];
  for (const { sent, row, warnings } of open) {
    const outcome = outcomes.get(row.id);
    if (outcome === undefined) continue;
    const result: ItemResult = { index: sent.index, id: row.id, status: 'rejected' };
    if (outcome === 'accepted' || outcome === 'duplicate') result.status = outcome;
    else {
      refused.push(sent);
      const refusal = resource.refusals[outcome];
      result.status = outcome === 'conflict' ? 'conflict' : 'rejected';
      result.errors = [
        refusal ? { ...refusal, pointer: sent.pointer + refusal.pointer } : conflictError(sent.pointer),
      ];
    }
    if (warnings.length > 0) result.warnings = warnings;
    results.set(sent.index, result);
  }
  return refused;
}

function refusedItems(items: readonly SentItem[], results: ReadonlyMap<number, ItemResult>): RefusedItem[] {
  return items.map((sent) => ({
    value: sent.value,
    item_id: sentId(sent),
    errors: results.get(sent.index)?.errors ?? [],
  }));
}

function conflictError(pointer: string): FieldError {
  return {
    pointer: `${pointer}/id`,
    detail: 'This id is stored with other content, which stays; send a change under a new id.',
  };
}

function sentId(sent: SentItem): string | null {
  const id = (sent.value as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? id : null;
}

function unreachable(sent: SentItem): never {
  throw new Error(`item ${sent.index} has no result`);
}
