import type * as z from 'zod';
import type { EventFilter, FunnelOrder } from '../domain/funnel.ts';
import { overlapGroups } from '../domain/overlap.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import type { FunnelState } from './funnel-question.ts';

/** Rules of a funnel that no single field can break. */

/** Steps of a funnel in whatever order that one event could fill. */
export const MAX_OVERLAPPING = 6;

interface Step {
  touchpoint?: unknown;
  conversion?: unknown;
}

interface Exclusion {
  after_step?: number | null | undefined;
  before_step?: number | null | undefined;
}

export interface Breakdown {
  by: Dimension[];
  at_step: number;
}

interface Checked {
  steps: readonly Step[];
  order: FunnelOrder;
  hold: readonly Dimension[];
  exclude: readonly Exclusion[];
  breakdown?: Breakdown | null | undefined;
}

/** Where in the body, and what to change. */
interface Mistake {
  path: (string | number)[];
  message: string;
}

export function checkFunnel(funnel: Checked, context: z.RefinementCtx): void {
  const { breakdown, exclude, hold } = funnel;
  const mistakes = [
    ...overlapMistakes(funnel),
    ...repeated(hold).map((i) => ({ path: ['hold', i], message: 'Name each field once' })),
    ...exclude.flatMap((exclusion, i) =>
      exclusionMistakes(exclusion, funnel).map(({ path, message }) => ({
        path: ['exclude', i, ...path],
        message,
      })),
    ),
    ...(breakdown ? breakdownMistakes(breakdown, funnel) : []).map(({ path, message }) => ({
      path: ['breakdown', ...path],
      message,
    })),
  ];
  for (const mistake of mistakes) context.addIssue({ code: 'custom', ...mistake });
}

/**
 * In whatever order, an event that fits several steps may fill any of them, and every choice of these steps is looked
 * at: 2 to the power of their number.
 */
function overlapMistakes({ order, steps }: Checked): Mistake[] {
  if (order !== 'any') return [];
  const group = overlapGroups(steps as readonly EventFilter[]).find(({ length }) => length > MAX_OVERLAPPING);
  if (!group) return [];
  const message = `One event could fill ${group.length} of these steps (${group.map((i) => i + 1).join(', ')}); in whatever order that may be so for ${MAX_OVERLAPPING} at most. Tell them apart by their fields`;
  return [{ path: ['steps'], message }];
}

export function checkState(
  { steps, step, state }: { steps: readonly Step[]; step: number; state: FunnelState },
  context: z.RefinementCtx,
): void {
  const fail = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (step > steps.length) fail('step', `The funnel has ${steps.length} steps; name one of them`);
  if (step === 1 && state === 'dropped')
    fail('state', 'Nobody can drop out before step 1; ask for a later step, or for `reached`');
}

function exclusionMistakes({ after_step, before_step }: Exclusion, { steps, order }: Checked): Mistake[] {
  const bounds = { after_step, before_step };
  const named = (['after_step', 'before_step'] as const).filter((name) => (bounds[name] ?? null) !== null);
  if (order === 'any')
    return named.map((name) => ({
      path: [name],
      message: 'Steps in whatever order have no bounds; leave it out, or send another `order`',
    }));
  const last = steps.length;
  const [after, before] = [after_step ?? 1, before_step ?? last];
  if (after >= last)
    return [{ path: ['after_step'], message: `Nothing comes after the last step; send at most ${last - 1}` }];
  if (before > last)
    return [{ path: ['before_step'], message: `The funnel has ${last} steps; send at most ${last}` }];
  if (before <= after)
    return [{ path: ['before_step'], message: `Send a step after \`after_step\`, which is ${after}` }];
  return [];
}

/** Also of a breakdown that a query asks of a saved funnel. Paths are below it. */
export function breakdownMistakes(
  { by, at_step }: Breakdown,
  { steps, order }: Pick<Checked, 'steps' | 'order'>,
): Mistake[] {
  const mistakes: Mistake[] = repeated(by).map((i) => ({ path: ['by', i], message: 'Name each field once' }));
  // In whatever order, step k is the k-th event, whichever step it fills.
  const there = order === 'any' ? steps : steps.slice(at_step - 1, at_step);
  if (at_step > steps.length) {
    mistakes.push({ path: ['at_step'], message: `The funnel has ${steps.length} steps; name one of them` });
  } else if (there.every(({ touchpoint }) => touchpoint === undefined)) {
    mistakes.push({
      path: ['at_step'],
      message: 'Conversions have no such fields; name a step of touchpoints',
    });
  }
  return mistakes;
}

/** Where a list has what it had before. */
function repeated(list: readonly string[]): number[] {
  return list.flatMap((word, i) => (list.indexOf(word) < i ? [i] : []));
}
