import { conversions, touchpoints } from './data.ts';
import { median, type Progress, quantile, timesOf } from './measure.ts';
import type { BenchWorld } from './world.ts';

const RUNS = 30;
const MODELS =
  'first_touch,last_touch,last_non_direct,linear,time_decay,position_based,j_shaped,inverse_j_shaped';

/** Sizes of the log in touchpoints; the first is that of a small company. */
const SIZES = [12_000, 120_000];

/** One month of attribution under eight models, requested through the Worker as a frontend would. */
export async function benchAttribution(world: BenchWorld, progress: Progress) {
  const results = [];
  for (const size of SIZES) {
    const { token } = await world.makeWorkspace();
    await world.ask('PUT', '/v1/goals/purchase', token, { name: 'Purchase', kind: 'conversion' });
    await load(world, token, 'touchpoints', touchpoints(size, 7), progress);
    await load(world, token, 'conversions', conversions(size, 7), progress);
    await world.backend.run([{ query: 'analyze', params: [] }], { atomic: false });
    for (const group of ['channel', 'channel,campaign,kind']) {
      progress(`attribution over ${size} touchpoints by ${group}`);
      const path = `/v1/reports/attribution?goal=purchase&from=2026-02-01&to=2026-03-01&models=${MODELS}&group_by=${group}`;
      const times = await timesOf(RUNS, 5, () => world.ask('GET', path, token));
      results.push({
        touchpoints: size,
        group_by: group,
        median_ms: median(times),
        p95_ms: quantile(times, 0.95),
      });
    }
  }
  return { name: 'attribution of one month', wanted: 'median_ms < 150 for 12,000 touchpoints', results };
}

async function load(
  world: BenchWorld,
  token: string,
  resource: string,
  items: unknown[],
  progress: Progress,
): Promise<void> {
  for (let start = 0; start < items.length; start += 1000) {
    progress(`loading ${resource}: ${start} of ${items.length}`);
    await world.ask('POST', `/v1/${resource}`, token, { [resource]: items.slice(start, start + 1000) });
  }
}
