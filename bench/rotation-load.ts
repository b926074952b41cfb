import type pg from 'pg';
import { IDENTITIES, userOf } from './rotation-data.ts';

export const ERASED = 100;
const BATCH = 100;
const CLIENTS = 4;

/** The isolates of the deployment, and the workspace that items are sent to. */
export interface Sender {
  workspace_id: string;
  token: string;
  urls: readonly string[];
  /** Of the names of items. */
  prefix: string;
}

/** Items that were sent during a rotation, by what became of them. */
export interface Posted {
  items: number;
  items_per_second: number;
  lost: number;
  doubled: number;
  /** Identities of known people that were stored again. */
  strangers: number;
  erased_back: number;
}

interface Results {
  results: { status: string }[];
}

async function ask<T>(
  url: string,
  token: string,
  method: string,
  path: string,
  body?: object,
  key?: string,
): Promise<T> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(key !== undefined && { 'idempotency-key': key }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text) as T;
}

const touchpoint = (content: string, n: number) => ({
  kind: 'visit',
  channel: 'x',
  occurred_at: '2026-01-01T00:00:00Z',
  content,
  person: { user_id: userOf(n) },
});

/** Erases the first people. */
export async function eraseSome({ token, urls: [url = ''] }: Sender): Promise<void> {
  for (let n = 0; n < ERASED; n++) {
    const touchpoints = [{ id: `gone-${n}`, ...touchpoint('erased', n) }];
    await ask(url, token, 'POST', '/v1/touchpoints', { touchpoints });
    const { person_id } = await ask<{ person_id: string }>(url, token, 'GET', `/v1/touchpoints/gone-${n}`);
    await ask(url, token, 'DELETE', `/v1/people/${person_id}`);
  }
}

/** Sends batches of known and of erased people, each to every isolate, as long as the rotation takes. */
export async function postWhile(
  sender: Sender,
  client: pg.Client,
  rotation: Promise<unknown>,
): Promise<Posted> {
  const before = await identities(client, sender.workspace_id);
  const run = { isOver: false, accepted: 0, erased_back: 0, names: [] as string[], batch: 0 };
  const started = performance.now();
  const ended = rotation.finally(() => {
    run.isOver = true;
  });
  const work = async () => {
    while (!run.isOver) await postBatch(sender, run, run.batch++);
  };
  await Promise.all([ended, ...Array.from({ length: CLIENTS }, work)]);
  const seconds = (performance.now() - started) / 1000;
  const { rows } = await client.query<{ content: string; count: number }>(
    `select content, count(*)::int from touchpoints where workspace_id = $1 and content like $2 group by content`,
    [sender.workspace_id, `${sender.prefix}-%`],
  );
  const stored = new Map(rows.map(({ content, count }) => [content, count]));
  return {
    items: run.names.length,
    items_per_second: Math.round(run.names.length / seconds),
    lost: run.names.filter((name) => !stored.has(name)).length,
    doubled: rows.filter(({ count }) => count > 1).length + run.accepted - run.names.length,
    strangers: (await identities(client, sender.workspace_id)) - before,
    erased_back: run.erased_back,
  };
}

type Run = { accepted: number; erased_back: number; names: string[] };

/** One batch, to every isolate in turn: all but the first must answer with duplicates. */
async function postBatch({ token, urls, prefix }: Sender, run: Run, batch: number): Promise<void> {
  const names = Array.from({ length: BATCH }, (_, i) => `${prefix}-${batch}-${i}`);
  // Every second batch has no ids but an Idempotency-Key.
  const hasIds = batch % 2 === 0;
  const known = names.map((name) => ({
    ...(hasIds && { id: name }),
    ...touchpoint(name, ERASED + Math.floor(Math.random() * (IDENTITIES - ERASED))),
  }));
  const touchpoints = [...known, touchpoint('erased', batch % ERASED)];
  const key = hasIds ? undefined : `${prefix}-${batch}`;
  const inTurn = batch % 4 < 2 ? urls : urls.toReversed();
  for (const url of inTurn) {
    const { results } = await ask<Results>(url, token, 'POST', '/v1/touchpoints', { touchpoints }, key);
    run.accepted += results.slice(0, BATCH).filter(({ status }) => status === 'accepted').length;
    if (results[BATCH]?.status !== 'dropped') run.erased_back += 1;
  }
  run.names.push(...names);
}

async function identities(client: pg.Client, workspaceId: string): Promise<number> {
  const text = 'select count(*)::int from identities where workspace_id = $1';
  return (await client.query<{ count: number }>(text, [workspaceId])).rows[0]?.count ?? 0;
}
