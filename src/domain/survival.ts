/** How long a person was observed, and whether that ended with a conversion or without one (censored). */
export interface FollowUp {
  /** At least 0, may be a fraction. */
  seconds: number;
  converted: boolean;
}

/**
 * The threshold for a curve to be at one half. Products of fractions, such as 3/4 × 2/3, miss one half by
 * their last digits, so a curve within 1e-9 of it has reached it.
 */
export const HALF = 0.5 + 1e-9;

/**
 * The Kaplan–Meier median of the time to conversion: the earliest time at which the curve is at or below one
 * half. The curve is the product of 1 − events / people at risk over all times of events. At the same time,
 * events come before censorings, so a person censored then is still at risk.
 * @param followUps in any order
 * @returns seconds; null if the curve does not reach one half, also for nobody
 * Source: Kaplan & Meier 1958, JASA 53:457–481; the earliest such time as in Collett, Modelling
 * Survival Data, 2.4.
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
    if (surviving <= HALF) return seconds;
    events = 0;
    atRisk = inOrder.length - i - 1;
  }
  return null;
}
