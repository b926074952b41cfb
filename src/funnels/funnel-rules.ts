import type * as z from 'zod';
import type { EventFilter, FunnelOrder } from '../domain/funnel.ts';
import { overlapGroups } from '../domain/overlap.ts';
import type { Dimension } from '../domain/touchpoint-fields.ts';
import type { FunnelState } from './funnel-question.ts';

/** Rules of a funnel that involve several of its fields. */

/** The most steps that one event may match in a funnel of any order. */
export const MAX_OVERLAPPING = 6;

interface Step {
  touchpoint?: unknown;
  conversion?: unknown;
}

interface Exclusion {
  after_step?: number | null | undefined;
  before_step?: number | null | undefined;
}

/** The fields that a funnel is grouped by, and the step whose event has them. */
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

/** A broken rule: the place in the body, and the change that is needed. */
interface Mistake {
  path: (string | number)[];
  message: string;
}

/** Reports every broken rule of a funnel as an issue. */
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
 * In any order, an event that matches several steps may fill any of them. The statement evaluates every set
 * of these steps: 2 to the power of their number.
 */
function overlapMistakes({ order, steps }: Checked): Mistake[] {
  if (order !== 'any') return [];
  const group = overlapGroups(steps as readonly EventFilter[]).find(({ length }) => length > MAX_OVERLAPPING);
  if (!group) return [];
  const message = `One event could match ${group.length} of these steps (${group.map((i) => i + 1).join(', ')}), and in any order at most ${MAX_OVERLAPPING} may overlap. Make their fields differ, or send another \`order\``;
  return [{ path: ['steps'], message }];
}

/** Reports broken rules of `step` and `state` as issues. */
export function checkState(
  { steps, step, state }: { steps: readonly Step[]; step: number; state: FunnelState },
  context: z.RefinementCtx,
): void {
  const fail = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (step > steps.length) fail('step', `The funnel has ${steps.length} steps; name one of them`);
  if (step === 1 && state === 'dropped')
    fail('state', 'Nobody can drop out before step 1; send a later step, or `reached`');
}

function exclusionMistakes({ after_step, before_step }: Exclusion, { steps, order }: Checked): Mistake[] {
  const bounds = { after_step, before_step };
  const named = (['after_step', 'before_step'] as const).filter((name) => (bounds[name] ?? null) !== null);
  if (order === 'any')
    return named.map((name) => ({
      path: [name],
      message: 'With `order` any, an exclusion has no bounds; leave this out, or send another `order`',
    }));
  const last = steps.length;
  const [after, before] = [after_step ?? 1, before_step ?? last];
  if (after >= last)
    return [{ path: ['after_step'], message: `No step follows the last one; send at most ${last - 1}` }];
  if (before > last)
    return [{ path: ['before_step'], message: `The funnel has ${last} steps; send at most ${last}` }];
  if (before <= after)
    return [{ path: ['before_step'], message: `Send a step after \`after_step\`, which is ${after}` }];
  return [];
}

/**
 * The broken rules of a breakdown, whether of a funnel or of a query. Paths are relative to the breakdown.
 */
export function breakdownMistakes(
  { by, at_step }: Breakdown,
  { steps, order }: Pick<Checked, 'steps' | 'order'>,
): Mistake[] {
  const mistakes: Mistake[] = repeated(by).map((i) => ({ path: ['by', i], message: 'Name each field once' }));
  // In any order, step k is the k-th matched event, whichever step it fills.
  const there = order === 'any' ? steps : steps.slice(at_step - 1, at_step);
  if (at_step > steps.length) {
    mistakes.push({ path: ['at_step'], message: `The funnel has ${steps.length} steps; name one of them` });
  } else if (there.every(({ touchpoint }) => touchpoint === undefined)) {
    mistakes.push({
      path: ['at_step'],
      message: 'Conversions do not have these fields; name a step that matches touchpoints',
    });
  }
  return mistakes;
}

/** The indexes at which a list repeats an earlier word. */
function repeated(list: readonly string[]): number[] {
  return list.flatMap((word, i) => (list.indexOf(word) < i ? [i] : []));
}
