/** How long one was watched, and whether that ended with the event (a conversion) or without it (censored). */
export interface FollowUp {
  /** From 0, with fractions. */
  seconds: number;
  converted: boolean;
}

/**
 * A curve that comes down to one half to within this is there. Products of fractions, as 3/4 × 2/3, miss it by their
 * last digits.
 */
export const HALF = 0.5 + 1e-9;

/**
 * Median time to the event by Kaplan and Meier: the earliest time at which the curve, the product of 1 − events / at
 * risk over all times of events, is at one half or below. At one time events come before censorings: whoever is
 * censored then is still at risk.
 * @returns seconds; null where the curve does not come down to one half, also of nobody
 * Source: Kaplan & Meier 1958, JASA 53:457–481; the earliest such time as in Collett, Modelling Survival Data, 2.4.
 */
export function medianTime(followUps: readonly FollowUp[]): number | null {
  const inOrder = followUps.toSorted((a, b) => a.seconds - b.seconds);
  let surviving = 1;
  let events = 0;
  let atRisk = inOrder.length;
  for (const [i, { seconds, converted }] of inOrder.entries()) {
    if (converted) events += 1;
    if (inOrder[i + 1]?.seconds === seconds) continue;
    surviving *= 1 - events / atRisk;
    if (events > 0 && surviving <= HALF) return seconds;
    events = 0;
    atRisk = inOrder.length - i - 1;
  }
  return null;
}
