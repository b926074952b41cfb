import type { SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { FieldError } from '../domain/json.ts';
import type { Resource } from '../domain/settings.ts';
import { checkItem } from '../http/item-errors.ts';
import type { RecordContext } from '../http/operation.ts';
import type { DropReason, ItemResult, ItemWarning } from './batch-answer.ts';
import { withoutBlanks } from './blanks.ts';
import { type Candidate, conflictError, firstsOf, settleConflicts, settleFollowers } from './candidates.ts';
import { type ContentHashes, contentHashes } from './content-hash.ts';
import { isolate, isRefusalOfData, notIsolated, rejectedByDatabase } from './isolate.ts';
import { keepRejections, type RejectedItem } from './keep-rejections.ts';
import type { NamedItem } from './name-items.ts';
import { capError, countingOf } from './page-usage-sql.ts';
import { isPublishable, uniformResult } from './publishable.ts';
import type { SentItem } from './read-items.ts';

/** A row for the statements. */
export interface StoredRow extends ContentHashes {
  id: string;
}

/**
 * A prepared item, or its errors. The content hash is of the parsed item with the members of `content` in place of its
 * own.
 */
export type Prepared<R> =
  | { row: Omit<R, keyof ContentHashes>; content: object; warnings: FieldError[] }
  | { errors: FieldError[] };

/** A resource that can be posted in batches, as its slice defines it. */
export interface IngestResource<I extends { id?: string | null | undefined }, R extends StoredRow> {
  resource: Resource;
  id_prefix: string;
  schema: z.ZodType<I>;
  prepare(item: I, id: string, pointer: string, context: RecordContext): Promise<Prepared<R>>;
  /** The statements of one transaction. The last one returns `{id, outcome}` for every row that is visible to it. */
  write(rows: readonly R[], context: RecordContext): Promise<SQL[]>;
  /** A statement that returns the same without storing anything. */
  check(rows: readonly R[], context: RecordContext): SQL;
  /** Outcomes of `write` that reject the item, besides `conflict`, with the error of each. */
  rejections: Record<string, FieldError>;
  /** Outcomes of `write` that store the item with a warning. */
  warnings?: Record<string, ItemWarning>;
}

export interface RecordOptions {
  dryRun: boolean;
}

/** A batch whose items were validated, without the database. */
export interface PreparedBatch<R extends StoredRow> {
  items: readonly NamedItem[];
  /** The valid items, in order. Conflicts within the batch are among them, and have a result already. */
  candidates: readonly Candidate<R>[];
  /** Results that are settled, by index: invalid items, and conflicts within the batch. */
  results: Map<number, ItemResult>;
}

/** The limit of rounds for rows that a concurrent batch is writing, which are asked for again. */
const MAX_ROUNDS = 3;

/**
 * Records a batch and returns a result for every item. Valid items are stored in one transaction; the others are kept
 * as rejections with their reasons.
 */
export async function recordBatch<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  items: readonly NamedItem[],
  options: RecordOptions,
  context: RecordContext,
): Promise<ItemResult[]> {
  return storeBatch(resource, await prepareBatch(resource, items, context), options, context);
}

/** Validates every item, and settles the results that need no database. */
export async function prepareBatch<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  items: readonly NamedItem[],
  context: RecordContext,
): Promise<PreparedBatch<R>> {
  const results = new Map<number, ItemResult>();
  const candidates: Candidate<R>[] = [];
  const prepared = await Promise.all(items.map((item) => prepareItem(resource, item, context)));
  prepared.forEach((made, i) => {
    const sent = items[i];
    if (!sent) return;
    if ('row' in made) candidates.push({ sent, ...made });
    else results.set(sent.index, { index: sent.index, id: sent.id, status: 'rejected', errors: made.errors });
  });
  settleConflicts(candidates, results);
  return { items, candidates, results };
}

/** Stores the candidates, keeps rejected items as rejections, and returns a result for every item. */
export async function storeBatch<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  { items, candidates, results }: PreparedBatch<R>,
  options: RecordOptions,
  context: RecordContext,
): Promise<ItemResult[]> {
  const rejected = items.filter((item) => results.get(item.index)?.errors !== undefined);
  const firsts = firstsOf(candidates);
  const counting = options.dryRun
    ? []
    : countingOf(
        { items: items.length, rejections: rejected.length, rows: firsts.map(({ row }) => row) },
        context,
      );
  const writing = { resource, options, results, context, counting };
  await store(writing, firsts, rejectedItems(rejected, results));
  settleFollowers(candidates, results);
  const inOrder = items.map((item) => results.get(item.index) ?? unreachable(item));
  return isPublishable(context) ? inOrder.map(uniformResult) : inOrder;
}

async function prepareItem<I extends { id?: string | null | undefined }, R extends StoredRow>(
  resource: IngestResource<I, R>,
  sent: NamedItem,
  context: RecordContext,
): Promise<{ row: R; warnings: FieldError[] } | { errors: FieldError[] }> {
  if (sent.unreadable)
    return {
      errors: [{ pointer: sent.pointer, detail: 'This line is not JSON; send one JSON object a line.' }],
    };
  const checked = checkItem(resource.schema, withoutBlanks(sent.value), sent.pointer);
  if ('errors' in checked) return checked;
  const item = await resource.prepare(checked.data, sent.id, sent.pointer, context);
  if ('errors' in item) return item;
  const hashes = await contentHashes(sent.value as object, checked.data, item.content, context);
  return { row: { ...item.row, ...hashes } as R, warnings: item.warnings };
}

/** What the steps of storing a batch share. */
interface Writing<I extends { id?: string | null | undefined }, R extends StoredRow> {
  resource: IngestResource<I, R>;
  options: RecordOptions;
  results: Map<number, ItemResult>;
  context: RecordContext;
  /** Statements that count the batch, until they have taken effect with the first rows. */
  counting: SQL[];
}

async function store<I extends { id?: string | null | undefined }, R extends StoredRow>(
  writing: Writing<I, R>,
  candidates: Candidate<R>[],
  rejected: RejectedItem[],
): Promise<void> {
  const { options, results } = writing;
  let open = candidates;
  let toReject = options.dryRun ? [] : rejected;
  for (let round = 0; round < MAX_ROUNDS && (open.length > 0 || toReject.length > 0); round++) {
    const { answers, rejected: late } = await writeApart(writing, open, toReject);
    for (const each of answers) late.push(...settleOutcomes(writing, open, each));
    toReject = options.dryRun ? [] : rejectedItems(late, results);
    // Rows without a result were not visible: a concurrent batch was storing the same ids. Ask again.
    open = open.filter(({ sent }) => !results.has(sent.index));
  }
  if (toReject.length > 0) await writeRows(writing, [], toReject);
  if (open.length > 0) throw new Error('rows stayed invisible after they were written');
}

/** Outcomes of a write for items that are dropped. */
const DROPPED: Record<string, DropReason> = { dropped_consent: 'consent', dropped_erased: 'erased' };

interface Answers {
  /** The outcome of each row, by id. */
  outcomes: ReadonlyMap<string, string>;
  /** Ids of items whose link is skipped, because their people cannot be merged. */
  skippedLinks: ReadonlySet<unknown>;
}

const NO_ANSWERS: Answers = { outcomes: new Map(), skippedLinks: new Set() };

/**
 * One round trip, unless the database rejects a value. Then the items with such a value are found by bisection and
 * rejected, and all others are stored.
 */
async function writeApart<I extends { id?: string | null | undefined }, R extends StoredRow>(
  writing: Writing<I, R>,
  open: readonly Candidate<R>[],
  toReject: readonly RejectedItem[],
): Promise<{ answers: Answers[]; rejected: NamedItem[] }> {
  try {
    return { answers: [await writeRows(writing, open, toReject)], rejected: [] };
  } catch (error) {
    if (!isRefusalOfData(error) || open.length === 0) throw error;
    // By themselves, so that rejections cannot be the reason why a part is rejected, and the batch is counted whole.
    await writeRows(writing, [], toReject);
    const { results } = writing;
    const found = await isolate(open, error.sqlstate, (part) => writeRows(writing, part, []));
    const reject = ({ sent, row }: Candidate<R>, reason: FieldError) => {
      results.set(sent.index, { index: sent.index, id: row.id, status: 'rejected', errors: [reason] });
      return sent;
    };
    const rejected = [
      ...found.refused.map(({ row, sqlstate }) =>
        reject(row, rejectedByDatabase(row.sent.pointer, sqlstate)),
      ),
      ...found.undecided.map((row) => reject(row, notIsolated(row.sent.pointer))),
    ];
    return { answers: found.answers, rejected };
  }
}

/** One round trip: stores the rows, and the rejected items as rejections. Marks the results of those that are not kept. */
async function writeRows<I extends { id?: string | null | undefined }, R extends StoredRow>(
  writing: Writing<I, R>,
  open: readonly Candidate<R>[],
  toReject: readonly RejectedItem[],
): Promise<Answers> {
  const { resource, options, results, context, counting } = writing;
  const rows = open.map(({ row }) => row);
  const keeping = toReject.length > 0 ? await keepRejections(resource.resource, toReject, context) : null;
  const aside = keeping ? [keeping.statement] : [];
  const statements = options.dryRun
    ? [resource.check(rows, context)]
    : rows.length > 0
      ? await resource.write(rows, context)
      : [];
  const all = [...counting, ...aside, ...statements];
  if (all.length === 0) return NO_ANSWERS;
  const answers = await context.database
    .atomic(all)
    .catch((error: unknown) => Promise.reject(capError(error, context)));
  writing.counting = [];
  for (const { unkept_id } of keeping ? (answers[counting.length] ?? []) : []) {
    for (const { index } of keeping?.items.get(String(unkept_id)) ?? []) {
      const result = results.get(index);
      if (result) result.kept = false;
    }
  }
  const last = statements.length > 0 ? (answers.at(-1) ?? []) : [];
  return {
    outcomes: new Map(last.map((row) => [String(row.id), String(row.outcome)])),
    skippedLinks: new Set(answers.flat().flatMap((row) => row.skipped_item_id ?? [])),
  };
}

/** @returns the items that stored data rejects: conflicts, and the resource's own rejections */
function settleOutcomes<I extends { id?: string | null | undefined }, R extends StoredRow>(
  { resource, results, context }: Writing<I, R>,
  open: readonly Candidate<R>[],
  { outcomes, skippedLinks }: Answers,
): NamedItem[] {
  const rejected: NamedItem[] = [];
  // A page is not told what its links meet.
  const tellsPeople = !isPublishable(context);
  for (const { sent, row, warnings } of open) {
    const outcome = outcomes.get(row.id);
    if (outcome === undefined) continue;
    const result: ItemResult = { index: sent.index, id: row.id, status: 'rejected' };
    if (outcome === 'accepted' || outcome === 'duplicate') result.status = outcome;
    else if (resource.warnings?.[outcome]) result.status = 'accepted';
    else if (outcome in DROPPED) Object.assign(result, { status: 'dropped', reason: DROPPED[outcome] });
    else {
      rejected.push(sent);
      const rejection = resource.rejections[outcome];
      result.status = outcome === 'conflict' ? 'conflict' : 'rejected';
      result.errors = [
        rejection ? { ...rejection, pointer: sent.pointer + rejection.pointer } : conflictError(sent.pointer),
      ];
    }
    const warning = resource.warnings?.[outcome];
    const said = [
      ...warnings,
      ...(skippedLinks.has(row.id) && tellsPeople ? [skippedLink(sent.pointer)] : []),
      ...(warning ? [{ ...warning, pointer: sent.pointer + warning.pointer }] : []),
    ];
    if (said.length > 0) result.warnings = said;
    results.set(sent.index, result);
  }
  return rejected;
}

function rejectedItems(
  items: readonly NamedItem[],
  results: ReadonlyMap<number, ItemResult>,
): RejectedItem[] {
  return items.map((item) => ({ ...item, errors: results.get(item.index)?.errors ?? [] }));
}

function skippedLink(pointer: string): FieldError {
  const detail =
    'The link of these identities was skipped: it would put two user_ids, or more than 100 identities, in one person. It is kept but not applied; see skipped_links of the person.';
  return { pointer: `${pointer}/person`, detail };
}

function unreachable(sent: SentItem): never {
  throw new Error(`item ${sent.index} has no result`);
}
