import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Json, needWorld, TestWorkspace } from '../support/api.ts';

/** Real threads of 25 brands, where the file beside the project is available. */
const FILE = new URL('../../../shared/data/customer-care-conversations.ndjson', import.meta.url);

interface Thread {
  conversation: string;
  brand: string;
  person: string;
  messages: { id: string; at: string; direction: 'inbound' | 'outbound' }[];
}

needWorld();

describe.skipIf(!existsSync(FILE))(
  `the threads of ${FILE.pathname.split('/').at(-1)}, skipped where it is not at hand,`,
  () => {
    test('posted out of order, make a report per brand that equals a direct computation over the file', async () => {
      const threads = readFileSync(FILE, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Thread);
      expect(threads).toHaveLength(986);
      const workspace = await TestWorkspace.make();
      await workspace.load('touchpoints', touchpointsOf(threads));
      const { body } = await workspace.get(
        '/v1/reports/conversations?from=2018-01-01&to=2021-01-01&group_by=campaign',
      );
      const brands = Object.groupBy(threads, ({ brand }) => brand);
      expect(Object.keys(brands)).toHaveLength(25);
      const rows = Object.fromEntries(
        body.data.map(({ group, share: _, ...row }: Json) => [group.campaign, row]),
      );
      const expected = Object.entries(brands).map(([brand, own]) => [brand, figuresOf(own ?? [])]);
      expect(rows).toEqual(Object.fromEntries(expected));
      expect(body.totals).toEqual(figuresOf(threads));
    });
  },
);

/** In the reverse order of the file, so that nearly every thread arrives with its last message first. */
function touchpointsOf(threads: readonly Thread[]): Json[] {
  const touchpoints = threads.flatMap(({ conversation, brand, person, messages }) =>
    messages.map(({ id, at, direction }) => ({
      id: `${conversation}-${id}`,
      kind: 'message',
      channel: 'x',
      campaign: brand,
      direction,
      occurred_at: at,
      person: { handle: person },
      conversation: { id: conversation },
    })),
  );
  return touchpoints.toReversed();
}

/** Written without the project's own definition, intentionally. */
function figuresOf(threads: readonly Thread[]): Json {
  let [inbound, outbound, conversations] = [0, 0, 0];
  const seconds: number[] = [];
  for (const { messages } of threads) {
    const sorted = messages.toSorted((a, b) => (a.at + a.id < b.at + b.id ? -1 : 1));
    const opening = sorted.findIndex(({ direction }) => direction === 'inbound');
    if (opening === -1) continue;
    conversations += 1;
    inbound += sorted.filter(({ direction }) => direction === 'inbound').length;
    outbound += sorted.filter(({ direction }) => direction === 'outbound').length;
    const response = sorted.slice(opening).find(({ direction }) => direction === 'outbound');
    if (response) seconds.push((Date.parse(response.at) - Date.parse(sorted[opening]?.at ?? '')) / 1000);
  }
  return {
    conversations,
    responded: seconds.length,
    response_rate: seconds.length / conversations,
    first_response_seconds: { median: quantile(seconds, 0.5), p90: quantile(seconds, 0.9) },
    unanswered: conversations - seconds.length,
    messages: { inbound, outbound },
  };
}

function quantile(values: readonly number[], share: number) {
  const sorted = values.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [low = 0, high = 0] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return sorted.length === 0 ? null : expect.closeTo(low + (high - low) * (place % 1), 6);
}
