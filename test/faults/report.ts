import type { Sending } from './clients.ts';
import type { Verdict } from './history.ts';

/** The default is fixed, so that a run can be repeated; another seed explores further. */
export const SEED = Number(process.env.FAULT_SEED ?? 20_260_701);

export interface Figures {
  fault: string;
  /** How often the fault occurred. */
  times: number;
  batches: number;
  started_at_ms: number;
}

/** One line for each fault. */
export function printFigures(
  { fault, times, batches, started_at_ms }: Figures,
  sending: Sending,
  verdict: Verdict,
): void {
  const { acknowledged, unknown, lost, invented, doubled } = verdict;
  const seconds = ((Date.now() - started_at_ms) / 1000).toFixed(1);
  const statuses = [...sending.statuses].map(([status, count]) => `${status}×${count}`).join(' ');
  const figures = [
    `met ${times}×`,
    `batches ${batches}`,
    `acknowledged ${acknowledged}`,
    `unknown ${unknown}`,
    `lost ${lost.length}`,
    `invented ${invented.length}`,
    `doubled ${doubled.length}`,
    `${seconds} s`,
    statuses,
  ];
  console.log(`${fault.padEnd(28)} seed ${SEED}  ${figures.join('  ')}`);
}
