import type { FunnelOrder } from '../domain/funnel.ts';
import type { FunnelStep } from './funnel-schema.ts';

const MAX_LENGTH = 200;
const MAX_WORDS = 3;

/**
 * A name for each row. In any order, row k belongs to no particular step: it counts entities with k steps.
 * @example `mention`, `outbound touchpoints`, `purchase`, and in any order `2 of 3 steps`
 */
export function stepNames({ steps, order }: { steps: readonly FunnelStep[]; order: FunnelOrder }): string[] {
  return steps.map((step, i) => (order === 'any' ? `${i + 1} of ${steps.length} steps` : nameOf(step)));
}

/** The name that was sent, or else one made of the fields that the step matches. */
export function nameOf({ name, touchpoint, conversion }: FunnelStep): string {
  return name ?? shortened(conversion ? wordsOf(conversion.goal) : nameOfTouchpoints(touchpoint ?? {}));
}

function nameOfTouchpoints({ kind, direction, ...fields }: NonNullable<FunnelStep['touchpoint']>): string {
  const noun = [...(direction ? [wordsOf(direction)] : []), kind ? wordsOf(kind) : 'touchpoints'].join(' ');
  const others = Object.entries(fields).map(([field, values]) => `${field} ${wordsOf(values)}`);
  return [noun, ...others].join(', ');
}

function wordsOf(values: readonly (string | null)[]): string {
  if (values.length === 0) return 'nothing';
  const words = values.slice(0, MAX_WORDS).map((value) => value ?? 'none');
  const more = values.length - words.length;
  return [...words, ...(more > 0 ? [`${more} more`] : [])].join(' or ');
}

/** Cuts by characters, because half a surrogate pair cannot be sent. */
function shortened(text: string): string {
  const characters = [...text];
  return characters.length <= MAX_LENGTH ? text : `${characters.slice(0, MAX_LENGTH - 1).join('')}…`;
}
