import pg from 'pg';
import { FUNNELS } from './hostile-funnels.ts';
import { median, quantile } from './measure.ts';
import type { Note } from './progress.ts';
import type { BenchWorld } from './world.ts';

const LINKS = [1000, 1_000_000];
const ENTITY = { touchpoints: 96_000, conversions: 1000 };
const ROUNDS = 25;
const STORM = 4;
const START = '2026-01-01T00:00:00Z';

interface Workspace {
  id: string;
  token: string;
}

/** Senders and callers who cost as much as they can, and what others notice of it. */
export async function benchHostile(world: BenchWorld, progress: Note) {
  const name = 'hostile input';
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    const links = await benchLinks(world, client, progress);
    const threads = await benchThreads(world, client, progress);
    const neighbours = await benchNeighbours(world, client, progress);
    const entity = await benchEntity(world, client, progress);
    return { name, links, threads, neighbours, entity };
  } finally {
    await client.end();
  }
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await call();
  return performance.now() - started;
}

let serial = 0;
const at = (second: number) => new Date(new Date(START).getTime() + second * 1000).toISOString();

/** One more link of an address that has a thousand, and a million; and an unrelated person beside a storm of them. */
async function benchLinks(world: BenchWorld, client: pg.Client, progress: Note) {
  const workspaces: (Workspace & { links: number })[] = [];
  for (const links of LINKS) {
    progress(`hostile: ${links} links of one address`);
    workspaces.push({ ...(await starOf(world, client, links)), links });
  }
  const link = ({ token }: Workspace, second = 2_000_000 + serial) => {
    serial += 1;
    const person = { email: 'kiosk@example.com', anonymous_id: `new-${serial}` };
    return world.ask('POST', '/v1/people', token, {
      people: [{ id: `n-${serial}`, person, occurred_at: at(second) }],
    });
  };
  const inOrder = await inTurns(workspaces, (workspace) => link(workspace));
  const early = await inTurns(workspaces, (workspace) => link(workspace, -serial));
  const large = workspaces.at(-1);
  if (!large) throw new Error('no workspace');
  const visit = () => {
    serial += 1;
    const touchpoint = { id: `v-${serial}`, kind: 'visit', channel: 'x', person: { user_id: `u-${serial}` } };
    return world.ask('POST', '/v1/touchpoints', large.token, { touchpoints: [touchpoint] });
  };
  progress('hostile: beside a storm of links');
  const quiet = await timesOfMany(200, visit);
  const stormy = await beside(
    STORM,
    () => link(large),
    () => timesOfMany(200, visit),
  );
  return {
    one_more_link_median_ms: inOrder,
    one_early_link_median_ms: early,
    unrelated_post_p99_ms: { quiet: quantile(quiet, 0.99), beside_a_storm: quantile(stormy, 0.99) },
  };
}

async function starOf(world: BenchWorld, client: pg.Client, links: number): Promise<Workspace> {
  const workspace = await world.makeWorkspace();
  const person = { email: 'kiosk@example.com', anonymous_id: 'first' };
  await world.ask('POST', '/v1/people', workspace.token, {
    people: [{ id: 'first', person, occurred_at: START }],
  });
  // Past the API, as the API would have stored them: the first 98 are applied, the others skipped.
  await client.query(
    `create temp table leaves as
     select n, convert_to('leaf' || n, 'utf8') as hash, hub.id as hub_id,
       case when n <= 98 then hub.person_id else uuid_v7() end as person_id
     from identities hub, generate_series(1, ${links}::int) n
     where hub.workspace_id = '${workspace.id}' and hub.namespace = 'email'`,
  );
  const statements = [
    `insert into identities (workspace_id, namespace, value_hash, hash_version, person_id)
     select '${workspace.id}', 'anonymous_id', hash, 1, person_id from leaves`,
    `insert into people (workspace_id, id) select distinct '${workspace.id}'::uuid, person_id from leaves on conflict do nothing`,
    `insert into identity_links (workspace_id, link_id, identity_id, from_secret_key, occurred_at, resource, item_id, skipped, holds_user_id)
     select '${workspace.id}', hash, own.id, true, timestamptz '${START}' + n * interval '1 second', 'people',
       'l-' || lpad(n::text, 8, '0'), n > 98, false
     from leaves
     join identities leaf on leaf.workspace_id = '${workspace.id}' and leaf.namespace = 'anonymous_id' and leaf.value_hash = hash
     cross join lateral (values (hub_id), (leaf.id)) own (id)`,
    'drop table leaves',
    'analyze identities, identity_links, people',
  ];
  for (const statement of statements) await client.query(statement);
  return workspace;
}

/** The median of each, asked in turns: the machine is the same for all. */
async function inTurns<T extends { links: number }>(cases: readonly T[], call: (one: T) => Promise<unknown>) {
  const times = new Map(cases.map(({ links }) => [links, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const one of cases) {
      const time = await timed(() => call(one));
      if (round > 0) times.get(one.links)?.push(time);
    }
  }
  return Object.fromEntries([...times].map(([links, each]) => [links, median(each)]));
}

async function timesOfMany(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const times = [];
  for (let i = 0; i < count; i++) times.push(await timed(call));
  return times;
}

/** Measures while so many others call without a pause. */
async function beside<T>(
  others: number,
  call: () => Promise<unknown>,
  measure: () => Promise<T>,
): Promise<T> {
  let isOver = false;
  const storm = Array.from({ length: others }, async () => {
    while (!isOver) await call().catch(() => null);
  });
  const result = await measure();
  isOver = true;
  await Promise.all(storm);
  return result;
}

/** One more message of a thread of ten, and of ten thousand. */
async function benchThreads(world: BenchWorld, client: pg.Client, progress: Note) {
  progress('hostile: threads');
  const workspace = await world.makeWorkspace();
  const sizes = [10, 10_000];
  for (const size of sizes) {
    await client.query(
      `insert into touchpoints (workspace_id, id, person_id, occurred_at, kind, direction, channel, conversation)
       select $1, 'm-' || $2 || '-' || n, uuid_v7(), timestamptz '${START}' + n * interval '1 second', 'message',
         case when n % 2 = 0 then 'outbound' else 'inbound' end, 'x', 'thread-' || $2
       from generate_series(1, $2::int) n`,
      [workspace.id, size],
    );
  }
  const message = (links: number) => {
    serial += 1;
    const conversation = { id: `thread-${links}` };
    const touchpoint = {
      id: `m-${serial}`,
      kind: 'message',
      direction: 'inbound',
      channel: 'x',
      conversation,
    };
    return world.ask('POST', '/v1/touchpoints', workspace.token, {
      touchpoints: [{ ...touchpoint, person: { user_id: 'ann' } }],
    });
  };
  return {
    one_more_message_median_ms: await inTurns(
      sizes.map((links) => ({ links })),
      ({ links }) => message(links),
    ),
  };
}

/** Twelve heavy reports of one workspace, and another one that reads its goals. */
async function benchNeighbours(world: BenchWorld, client: pg.Client, progress: Note) {
  progress('hostile: neighbours, loading');
  const [busy, quiet] = [await world.makeWorkspace(), await world.makeWorkspace()];
  await client.query(
    `insert into touchpoints (workspace_id, id, person_id, occurred_at, kind, channel)
     select $1, 't-' || n, md5((n % 100000)::text)::uuid, timestamptz '${START}' + n * interval '7 seconds', 'visit', 'x'
     from generate_series(1, 1000000) n`,
    [busy.id],
  );
  await client.query('analyze touchpoints');
  const goals = () => world.ask('GET', '/v1/goals', quiet.token);
  progress('hostile: neighbours');
  const alone = await timesOfMany(200, goals);
  let number = 0;
  const heavy = () =>
    world.ask('GET', `/v1/reports/lifecycle?from=2026-01-01&to=2026-12-${10 + (number++ % 20)}`, busy.token);
  const crowded = await beside(12, heavy, () => timesOfMany(200, goals));
  return { get_goals_p95_ms: { alone: quantile(alone, 0.95), beside_12_reports: quantile(crowded, 0.95) } };
}

/** Every report of one person with as many touchpoints and conversions as somebody cared to send. */
async function benchEntity(world: BenchWorld, client: pg.Client, progress: Note) {
  progress('hostile: one entity, loading');
  const workspace = await world.makeWorkspace();
  await world.ask('PUT', '/v1/goals/purchase', workspace.token, { name: 'Purchase', kind: 'conversion' });
  const rows = (prefix: string, count: number) => `
    select $1::uuid, '${prefix}' || n, '00000000-0000-7000-8000-00000000000a'::uuid,
      timestamptz '${START}' + n * (interval '60 days' / ${count})`;
  await client.query(
    `insert into touchpoints (workspace_id, id, person_id, occurred_at, kind, channel, content)
     select w, i, p, o, case when n % 2 = 0 then 'reply' else 'mention' end, 'channel-' || n % 12, 'banner-' || n
     from (${rows('t', ENTITY.touchpoints)}, n from generate_series(1, ${ENTITY.touchpoints}) n) made (w, i, p, o, n)`,
    [workspace.id],
  );
  await client.query(
    `insert into conversions (workspace_id, id, person_id, occurred_at, goal, value, currency)
     select w, i, p, o, 'purchase', 10, 'USD'
     from (${rows('c', ENTITY.conversions)} from generate_series(1, ${ENTITY.conversions}) n) made (w, i, p, o)`,
    [workspace.id],
  );
  await client.query('analyze');
  const range = 'from=2026-01-01&to=2026-04-01';
  const requests: [label: string, method: string, path: string, body?: object][] = [
    ['attribution', 'GET', `/v1/reports/attribution?goal=purchase&${range}`],
    ['attribution by day', 'GET', `/v1/reports/attribution?goal=purchase&${range}&interval=day`],
    ['attribution by banner', 'GET', `/v1/reports/attribution?goal=purchase&${range}&group_by=content`],
    ['attribution, decay', 'GET', `/v1/reports/attribution?goal=purchase&${range}&models=linear,time_decay`],
    ['journeys', 'GET', `/v1/reports/journeys?goal=purchase&${range}`],
    ['journeys by banner', 'GET', `/v1/reports/journeys?goal=purchase&${range}&group_by=content`],
    ['overview', 'GET', `/v1/reports/overview?goal=purchase&${range}`],
    ['roi', 'GET', `/v1/reports/roi?goal=purchase&${range}`],
    ['lifecycle', 'GET', `/v1/reports/lifecycle?${range}`],
    ['explanation', 'GET', '/v1/conversions/c1000/explanation'],
    ...FUNNELS.map(([label, body]): [string, string, string, object] => [
      `funnel ${label}`,
      'POST',
      '/v1/reports/funnel',
      body,
    ]),
  ];
  const results: Record<string, string | { before: string; now: string }> = {};
  for (const [label, method, path, body] of requests) {
    progress(`hostile: one entity, ${label}`);
    const now = await outcomeOf(() => world.ask(method, path, workspace.token, body));
    const { askBefore } = world;
    const before = askBefore && (await outcomeOf(() => askBefore(method, path, workspace.token, body)));
    results[label] = before === null ? now : { before, now };
  }
  return { ...ENTITY, results };
}

async function outcomeOf(call: () => Promise<unknown>): Promise<string> {
  const started = performance.now();
  const outcome = await call().then(
    () => 'answered',
    (error: Error) => (/"code":"(\w+)"/.exec(error.message)?.[1] ?? error.message).slice(0, 80),
  );
  return `${outcome} in ${Math.round(performance.now() - started)} ms`;
}
