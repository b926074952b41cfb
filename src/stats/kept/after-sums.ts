import { openDatabases } from '../../db/client.ts';
import type { WorkspaceSettings } from '../../http/caller.ts';
import type { Config } from '../../http/config.ts';
import type { Reply } from '../../http/operation.ts';
import { type AskedQuestion, noteQuestion } from './note-question-sql.ts';
import { settleCredit } from './settle-credit.ts';

/** What a report from kept sums does after its response (ADR 31). All of it may be lost. */

/** How much of an answer comes from sums. */
export interface SumsUsed {
  /** Days that were read from sums, and days whose sums are open. */
  kept: number;
  open: number;
  /** Conversions that were computed from their rows; of a narrowed read token only those that it shows. */
  raw: number;
  /** Null: nobody asked before. */
  question: { id: string; is_kept: boolean; is_noted: boolean } | null;
}

/** A query whose sums can be kept, and how it was answered. */
export interface AskedSums extends AskedQuestion {
  used: SumsUsed;
}

/** Conversions that a report may compute without its sums being settled at once. */
const FEW_CONVERSIONS = 200;

/** Cloudflare allows work of 30 seconds after a response. */
const SETTLING_MS = 20_000;

/** A day is settled at most so often, or writers that keep opening it would keep settling busy. */
const MIN_AGE_SECONDS = 60;

/** The timing of a report from sums, and the work for the time after its response. */
export function afterSums(
  asked: AskedSums,
  { workspace, config }: { workspace: WorkspaceSettings; config: Config },
): Pick<Reply<unknown>, 'timing' | 'afterwards'> {
  const { used } = asked;
  const isNoted = used.question?.is_noted === true;
  const isBehind = used.question?.is_kept === true && (used.open > 0 || used.raw > FEW_CONVERSIONS);
  const afterwards = async () => {
    const databases = openDatabases(config.database_url);
    const database = databases.inWorkspace(workspace.id);
    if (!isNoted) await database.once(noteQuestion(workspace.id, asked));
    const rules = { question_id: used.question?.id ?? null, min_age_seconds: MIN_AGE_SECONDS };
    await settleCredit(database, workspace.id, rules, SETTLING_MS);
  };
  return {
    timing: { kept: String(used.kept), open: String(used.open), raw: String(used.raw) },
    ...((!isNoted || isBehind) && { afterwards }),
  };
}
