import pg from 'pg';
import { type HeapPeak, type HeapWatch, watchHeap } from './heap.ts';
import type { Note } from './progress.ts';
import type { BenchWorld } from './world.ts';

/** The person of the export. */
const HELD = { touchpoints: 200_000, properties_bytes: 4000, rejections: 300, rejection_bytes: 64_000 };
/** Rows of the greatest size, in lists of 1,000. */
const LISTED = { touchpoints: 1000, properties_bytes: 16_000 };
const START = '2026-01-01T00:00:00Z';

/** The memory of the isolate, of 128 MiB, while the largest answers are read. */
export async function benchAnswers(world: BenchWorld, progress: Note) {
  const name = 'large answers';
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    progress('large answers: loading');
    const held = await personWith(world, client, HELD);
    const listed = await personWith(world, client, { ...HELD, ...LISTED });
    const lists = ['touchpoints', 'rejections', `people/${listed.personId}/timeline`];
    const requests: [label: string, paths: string[], token: string][] = [
      ...lists.map((list): [string, string[], string] => [
        list.replace(listed.personId, '{id}'),
        [`/v1/${list}?limit=1000`],
        listed.token,
      ]),
      ['4 lists of touchpoints at once', Array(4).fill('/v1/touchpoints?limit=1000'), listed.token],
      ['export', [`/v1/people/${held.personId}/export`], held.token],
      ['4 exports at once', Array(4).fill(`/v1/people/${listed.personId}/export`), listed.token],
    ];
    const watch = await watchHeap(world.inspectorUrl);
    const peaks: Record<string, object> = {};
    for (const [label, paths, token] of requests) {
      progress(`large answers: ${label}`);
      peaks[label] = await measured(world.url, watch, paths, token);
    }
    watch.close();
    return { name, held: HELD, listed: LISTED, peak_mib: peaks };
  } finally {
    await client.end();
  }
}

/** Reads these paths at once, and drops what it reads. */
async function measured(
  url: string,
  watch: HeapWatch,
  paths: readonly string[],
  token: string,
): Promise<HeapPeak & { read_mib: number; ms: number; outcome: string }> {
  let bytes = 0;
  let outcome = 'answered';
  const started = performance.now();
  const read = async (path: string) => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) outcome = `${response.status}`;
    for await (const piece of response.body ?? []) bytes += piece.length;
  };
  const peak = await watch.during(async () => {
    for (const { reason } of await Promise.allSettled(paths.map(read)).then(failed)) outcome = String(reason);
  });
  const ms = Math.round(performance.now() - started);
  return { ...peak, read_mib: Math.round(bytes / 1024 ** 2), ms, outcome };
}

const failed = (results: PromiseSettledResult<void>[]) =>
  results.filter((result): result is PromiseRejectedResult => result.status === 'rejected');

async function personWith(world: BenchWorld, client: pg.Client, size: typeof HELD) {
  const workspace = await world.makeWorkspace();
  const person = { user_id: 'ann' };
  const touchpoint = { id: 'first', kind: 'visit', channel: 'x', occurred_at: START, person };
  await world.ask('POST', '/v1/touchpoints', workspace.token, { touchpoints: [touchpoint] });
  // Past the API, as the API would have stored them. Half of the text takes two bytes a character in the isolate.
  const {
    rows: [first],
  } = await client.query<{ person_id: string }>(
    'select person_id from touchpoints where workspace_id = $1 and id = $2',
    [workspace.id, 'first'],
  );
  const personId = first?.person_id ?? '';
  await client.query(
    `insert into touchpoints (workspace_id, id, person_id, identity_id, occurred_at, kind, channel, properties)
     select t.workspace_id, 't-' || n, t.person_id, t.identity_id, t.occurred_at + n * interval '1 second', 'visit', 'x',
       jsonb_build_object('n', n, 'text', repeat(case when n % 2 = 0 then 'plain "text" ' else 'text – wide ' end, $2))
     from touchpoints t, generate_series(1, $3::int) n
     where t.workspace_id = $1 and t.id = 'first'`,
    [workspace.id, Math.floor(size.properties_bytes / 15), size.touchpoints],
  );
  const text = 'x'.repeat(size.rejection_bytes);
  for (let start = 0; start < size.rejections; start += 50) {
    const touchpoints = Array.from({ length: 50 }, (_, i) => ({ id: `r-${start + i}`, kind: text, person }));
    await world.ask('POST', '/v1/touchpoints', workspace.token, { touchpoints }).catch(refusedItems);
  }
  await client.query('analyze');
  return { personId, token: workspace.token };
}

/** A batch of which no item is accepted is 422, and its items are kept as rejections. */
function refusedItems(error: Error): void {
  if (!error.message.includes('no_item_accepted')) throw error;
}
