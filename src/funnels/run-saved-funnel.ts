import type { SQL } from 'drizzle-orm';
import { type Database, HASH_JOINS, type Row } from '../db/client.ts';
import type { FunnelDefinition } from '../domain/funnel-definition.ts';
import { ApiError } from '../http/errors.ts';
import type { FunnelAnswer, FunnelQuestion } from './funnel-question.ts';
import { funnelStatement } from './funnel-sql.ts';
import { runFunnels } from './run-funnel.ts';
import { type StoredFunnel, selectFunnel } from './saved-funnel-sql.ts';

/**
 * The statement of a report depends on the saved funnel, which would have to be read first. Each isolate
 * therefore caches the funnels that were requested, and sends the statement together with the look-up of the
 * funnel. If the funnel is unchanged, as it usually is, one round trip suffices.
 */
const remembered = new Map<string, FunnelDefinition>();
const MAX_REMEMBERED = 1000;

interface SavedAnswer {
  definition: FunnelDefinition;
  answers: FunnelAnswer[];
}

/**
 * Reads a saved funnel and runs its report.
 * @param questionsOf the queries to run for the funnel; may reject it with an ApiError
 * @throws ApiError not_found, and what `questionsOf` throws
 */
export async function runSavedFunnel(
  database: Database,
  { workspaceId, key }: { workspaceId: string; key: string },
  questionsOf: (definition: FunnelDefinition) => FunnelQuestion[],
): Promise<SavedAnswer> {
  const name = `${workspaceId} ${key}`;
  const guess = remembered.get(name);
  const statements = (guess && statementsOf(guess, questionsOf)) ?? [];
  const [row, answers] = await ask(database, selectFunnel(workspaceId, key), statements);
  if (!row) throw new ApiError('not_found', 'No funnel has this key.');
  const { definition } = row;
  if (statements.length > 0 && JSON.stringify(definition) === JSON.stringify(guess))
    return { definition, answers };
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(name, definition);
  return { definition, answers: await runFunnels(database, questionsOf(definition)) };
}

/** The funnel, and the one row of each of the other statements. */
async function ask(
  database: Database,
  funnel: SQL,
  statements: SQL[],
): Promise<[StoredFunnel | undefined, FunnelAnswer[]]> {
  const [, [row], ...answers] = await database.report<[Row, StoredFunnel, ...FunnelAnswer[]]>([
    HASH_JOINS,
    funnel,
    ...statements,
  ]);
  return [row, answers.flat()];
}

/** Null if the query does not fit the cached funnel: it may fit the stored one. */
function statementsOf(
  definition: FunnelDefinition,
  questionsOf: (definition: FunnelDefinition) => FunnelQuestion[],
): SQL[] | null {
  try {
    return questionsOf(definition).map(funnelStatement);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
