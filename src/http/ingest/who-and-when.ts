import { MAX_FUTURE_MS } from '../../domain/time.ts';
import type { FieldError } from '../errors.ts';
import type { WorkspaceContext } from '../operation.ts';
import { type HashedIdentity, personOf } from './person.ts';

/** When an item happened: as it says, or now. Clocks run ahead, but not by more than a day. */
export function whenOf(
  occurredAt: string | null | undefined,
  pointer: string,
  { now }: WorkspaceContext,
): { occurred_at: string; errors: FieldError[] } {
  const occurred_at = occurredAt ?? now.toISOString();
  if (new Date(occurred_at).getTime() <= now.getTime() + MAX_FUTURE_MS) return { occurred_at, errors: [] };
  const detail = 'More than 24 hours in the future; were milliseconds read as seconds?';
  return { occurred_at, errors: [{ pointer: `${pointer}/occurred_at`, detail }] };
}

/** What every item about a person has. `person` is the map as it is compared: normalised, without placeholders. */
export interface WhoAndWhen {
  occurred_at: string;
  identities: HashedIdentity[];
  person: Record<string, string>;
  warnings: FieldError[];
}

/** Whose an item is and when it happened, or everything that is wrong with these. */
export async function whoAndWhen(
  item: { person: Record<string, string>; occurred_at?: string | null | undefined },
  pointer: string,
  context: WorkspaceContext,
): Promise<WhoAndWhen | { errors: FieldError[] }> {
  const when = whenOf(item.occurred_at, pointer, context);
  const { identities, warnings, errors } = await personOf(item.person, `${pointer}/person`, context);
  const wrong = [...when.errors, ...errors];
  if (wrong.length > 0) return { errors: wrong };
  const person = Object.fromEntries(identities.map(({ namespace, value }) => [namespace, value]));
  return { occurred_at: when.occurred_at, identities, person, warnings };
}
