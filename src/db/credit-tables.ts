import {
  bigint,
  boolean,
  customType,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { id, instant, workspaceId } from './columns.ts';
import { inWorkspace } from './workspace-tables.ts';

/*
 * Credit by day (ADR 31): sums of the attribution report by local day and group, for the questions that are asked often.
 * They are computed from touchpoints and conversions, and may be deleted at any time: reports then compute more.
 */

const snapshot = customType<{ data: string }>({ dataType: () => 'pg_snapshot' });
const transactionId = customType<{ data: string }>({ dataType: () => 'xid8' });
const questionId = () => uuid('question_id').notNull();

/** A row for each workspace that keeps sums. In a workspace without a row, changes leave no marks. */
export const credit_horizons = pgTable(
  'credit_horizons',
  {
    workspace_id: inWorkspace(workspaceId()),
    /** The snapshot whose marks the next settling takes into account. */
    horizon: snapshot('horizon'),
    /** The next horizon. A change needs no mark for a conversion that has one which this does not see. */
    next_horizon: snapshot('next_horizon'),
    /**
     * The step that wrote the row. Settling waits until all earlier transactions have ended. In a restored copy it differs
     * from `xmin`, and snapshots mean nothing there.
     */
    written_by: transactionId('written_by').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id] })],
);

/** A question is everything that decides sums, besides the range. */
export const credit_questions = pgTable(
  'credit_questions',
  {
    workspace_id: inWorkspace(workspaceId()),
    /** The first 128 bits of the SHA-256 of `question`. */
    id: uuid('id').notNull(),
    question: jsonb('question').notNull(),
    /** The goals whose conversions are summed, and those of milestones. */
    goals: text('goals').array().notNull(),
    /** The zone of the days, which is that of the workspace. */
    timezone: text('timezone').notNull(),
    /** The first day of the ranges that were asked. */
    since: date('since').notNull(),
    /** The UTC day of the last request, and the number of requests that were noted. */
    asked_on: date('asked_on').notNull(),
    asked: integer('asked').notNull().default(1),
    /** Since when sums are kept. Null: it was asked once, or not for long, or has too many groups. */
    kept_at: instant('kept_at'),
    /** The first step of settling that saw it as kept. */
    noticed_by: transactionId('noticed_by'),
    /** The step after that one. Horizons are good for it if all earlier transactions had ended: some did not know of it. */
    usable_from: transactionId('usable_from'),
    cells: integer('cells').notNull().default(0),
    refused_at: instant('refused_at'),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.id] })],
);

/** A row says that the sums of a question and a day are settled. */
export const credit_days = pgTable(
  'credit_days',
  {
    workspace_id: inWorkspace(workspaceId()),
    question_id: questionId(),
    day: date('day').notNull(),
    /** The sums take into account every mark that this snapshot sees, and the conversions whose marks it sees. */
    horizon: snapshot('horizon').notNull(),
    /** The settings of the goals that the sums depend on. */
    settings: text('settings').notNull(),
    settled_at: instant('settled_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.question_id, t.day] })],
);

/** A row says that the sums of a whole month are the sums of its settled days, converted to one currency. */
export const credit_months = pgTable(
  'credit_months',
  {
    workspace_id: inWorkspace(workspaceId()),
    question_id: questionId(),
    /** Its first day. */
    month: date('month').notNull(),
    currency: text('currency').notNull(),
    /** A hash of the exchange rates of its days; an empty text if it has no other currency. */
    rates: text('rates').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.question_id, t.month] })],
);

/** The totals of a day, by the currency of the conversions. Amounts are in that currency. */
export const credit_totals = pgTable(
  'credit_totals',
  {
    workspace_id: inWorkspace(workspaceId()),
    question_id: questionId(),
    day: date('day').notNull(),
    currency: text('currency').notNull(),
    conversions: integer('conversions').notNull(),
    gross_conversions: integer('gross_conversions').notNull(),
    attributed: integer('attributed').notNull(),
    /** Conversions with a value, retracted ones included. */
    valued: integer('valued').notNull(),
    net: numeric('net').notNull(),
    gross: numeric('gross').notNull(),
    attributed_net: numeric('attributed_net').notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.question_id, t.day, t.currency] })],
);

/** The sums of a group over a day, by the currency of the conversions, or over the month that begins on it. */
export const credit_cells = pgTable(
  'credit_cells',
  {
    workspace_id: inWorkspace(workspaceId()),
    question_id: questionId(),
    is_month: boolean('is_month').notNull(),
    day: date('day').notNull(),
    currency: text('currency').notNull(),
    /** Numbers the groups of a day and currency. */
    number: integer('number').notNull(),
    dimensions: text('dimensions').array().notNull(),
    /** Of `dimensions`: rows of one group are found by it faster than by texts. */
    group_hash: bigint('group_hash', { mode: 'bigint' }).notNull(),
    influenced: integer('influenced').notNull(),
    assisted: integer('assisted').notNull(),
    /** Touchpoints that no conversion of an earlier day has in its journey. */
    new_touches: integer('new_touches').notNull(),
    /** Of the other ones: `repeat_touches[i]` were in a journey `repeat_gaps[i]` days earlier or before, and not since. */
    repeat_gaps: smallint('repeat_gaps').array().notNull(),
    repeat_touches: integer('repeat_touches').array().notNull(),
    /** By the models of the question, in order. */
    credits: doublePrecision('credits').array().notNull(),
    credited_values: doublePrecision('credited_values').array().notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace_id, t.question_id, t.is_month, t.day, t.currency, t.number] })],
);

/**
 * Conversions that were added, or whose figures may have changed. Rows are only added, so that writers do not wait for
 * each other; settling deletes those that all sums take into account.
 */
export const credit_marks = pgTable(
  'credit_marks',
  {
    workspace_id: workspaceId(),
    id: bigint('id', { mode: 'bigint' }).generatedAlwaysAsIdentity(),
    goal: id('goal').notNull(),
    /** The time of the conversion; of a span, its bounds, both included. */
    from_at: instant('from_at').notNull(),
    until_at: instant('until_at').notNull(),
    /** Null: all conversions of the span, of a person with very many. */
    conversion_id: id('conversion_id'),
    /** True: the conversion is new, and the sums of its day are right without it. False: its day is open. */
    is_added: boolean('is_added').notNull(),
    made_by: transactionId('made_by').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace_id, t.id] }),
    index('credit_marks_conversion').on(t.workspace_id, t.conversion_id),
  ],
);
