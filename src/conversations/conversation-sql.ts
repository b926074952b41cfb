import { type SQL, sql } from 'drizzle-orm';
import type { conversations } from '../db/conversation-tables.ts';
import type { conversions, touchpoints } from '../db/event-tables.ts';
import { cutToPage } from '../db/page-sql.ts';
import { tenant } from '../db/tenant.ts';
import type { ConversationState } from '../domain/conversations.ts';
import type { Direction } from '../domain/touchpoint-fields.ts';
import { instantOrNull, instantOut } from '../http/fields.ts';
import type { Cursor } from '../http/paging.ts';
import { joinNetAdjustments } from '../stats/net-conversion-sql.ts';
import {
  type Conversation,
  type ConversationDetail,
  MAX_CONVERSIONS,
  MAX_MESSAGES,
  MAX_PEOPLE,
} from './conversation-schema.ts';

/** The conversations that a list shows. Null matches all. */
export interface ConversationFilter {
  state: ConversationState | null;
  /** The last message is older than this. */
  last_before: Date | null;
  /** The range of the opening. */
  from: Date | null;
  to: Date | null;
  channels: readonly string[] | null;
  person_id: string | null;
  account_id: string | null;
  /** By the last message. */
  order: 'newest' | 'oldest';
}

/**
 * Literals instead of parameters, because the partial index of waiting conversations is defined with one.
 *
 * Needs: nothing. Gives: the last direction of a state.
 */
const LAST_DIRECTION: Record<ConversationState, SQL> = {
  waiting: sql`'inbound'`,
  answered: sql`'outbound'`,
};

/**
 * The touchpoint is a message. Threads are computed from messages alone.
 *
 * Needs: a touchpoint `t`. Gives: a condition.
 */
const isMessage = sql`t.direction is not null and t.voided_at is null`;

/** Needs: `thread.id`. Gives: the messages `t` of the thread, as `from … where …`. */
const messagesOf = (workspaceId: string) => sql`
      from touchpoints t
      where t.workspace_id = ${tenant(workspaceId)} and t.conversation = thread.id and ${isMessage}`;

/**
 * The message that opened the thread, or else its first message, by one look-up for each thread.
 *
 * Needs: `thread.id, thread.opening_id`. Gives: the touchpoint `t`, as a join.
 */
const joinOpening = (workspaceId: string) => sql`
    cross join lateral (
      select coalesce(thread.opening_id, (
        select t.id ${messagesOf(workspaceId)} order by t.occurred_at, t.id limit 1
      )) as id
      offset 0
    ) opening
    cross join lateral (
      select t.*
      from touchpoints t
      where t.workspace_id = ${tenant(workspaceId)} and t.id = opening.id
      offset 0
    ) t`;

/**
 * A page of threads by their last message, with the id as tie-break. The page is cut before anything else of its
 * threads is read. A filter on the opening message looks that message up for each thread that is passed on the way.
 */
export function selectConversations(
  workspaceId: string,
  filter: ConversationFilter,
  after: Cursor | null,
  limit: number,
): SQL {
  const { state, last_before, from, to, channels, order } = filter;
  const newest = order === 'newest';
  const direction = newest ? sql`desc` : sql`asc`;
  const conditions = [sql`thread.workspace_id = ${tenant(workspaceId)}`];
  if (state) conditions.push(sql`thread.last_direction = ${LAST_DIRECTION[state]}`);
  if (last_before) conditions.push(sql`thread.last_at < ${last_before.toISOString()}::timestamptz`);
  if (from) conditions.push(sql`thread.opened_at >= ${from.toISOString()}::timestamptz`);
  if (to) conditions.push(sql`thread.opened_at < ${to.toISOString()}::timestamptz`);
  if (channels) conditions.push(sql`t.channel = any(${sql.param(channels)}::text[])`);
  if (after)
    conditions.push(
      sql`(thread.last_at, thread.id) ${newest ? sql`<` : sql`>`} (${after.at}::timestamptz, ${after.id}::text collate "C")`,
    );
  const rows = sql`
    with page as materialized (
      select thread.*
      from ${threadsOf(workspaceId, filter)} thread
      ${channels ? joinOpening(workspaceId) : sql``}
      where ${sql.join(conditions, sql` and `)}
      order by thread.last_at ${direction}, thread.id ${direction}
      limit ${limit + 1}
    )
    select ${shown}
    from page thread
    ${joinOpening(workspaceId)}
    ${joinWhatWasSaid(workspaceId)}
    order by thread.last_at ${direction}, thread.id ${direction}`;
  return cutToPage(rows, sql`held.last_at ${direction}, held.id ${direction}`, limit);
}

/**
 * All threads, or those in which a person or an account took part, found through their few messages.
 *
 * Needs: nothing. Gives: a table with the columns of `conversations`.
 */
function threadsOf(workspaceId: string, { person_id, account_id }: ConversationFilter): SQL {
  if (person_id === null && account_id === null) return sql`conversations`;
  const whose = [
    ...(person_id === null ? [] : [sql`t.person_id = ${person_id}::uuid`]),
    ...(account_id === null ? [] : [sql`t.account_id = ${account_id}`]),
  ];
  return sql`(
        select thread.*
        from (
          select distinct t.conversation as id
          from touchpoints t
          where t.workspace_id = ${tenant(workspaceId)} and ${sql.join(whose, sql` and `)}
            and t.conversation is not null and ${isMessage}
        ) own
        cross join lateral (
          select v.* from conversations v where v.workspace_id = ${tenant(workspaceId)} and v.id = own.id offset 0
        ) thread
      )`;
}

/** Needs: `thread`, `joinOpening` and `joinWhatWasSaid`. Gives: the columns that `conversationOut` reads. */
const shown = sql`
  thread.id, thread.opened_at, thread.first_response_at, thread.last_at, thread.last_direction, thread.inbound,
  thread.outbound, t.channel, t.topic, t.account_id, said.*`;
export type StoredConversation = Omit<typeof conversations.$inferSelect, 'workspace_id' | 'opening_id'> &
  Pick<typeof touchpoints.$inferSelect, 'channel' | 'topic' | 'account_id'> & {
    person_count: number;
    person_ids: string[];
    conversion_count: number;
    sentiment_mean: number | null;
    sentiment_last: number | null;
  };

/**
 * The unretracted conversions of a participant since the thread was opened.
 *
 * Needs: `p.person_id, thread.opened_at`. Gives: `c`, a conversion, and `n.restated_value`, as what follows `from`.
 */
const conversionsSince = (workspaceId: string) => sql`(
        select c.* from conversions c where c.workspace_id = ${tenant(workspaceId)} and c.person_id = p.person_id offset 0
      ) c
      ${joinNetAdjustments(workspaceId)}
      where c.occurred_at >= thread.opened_at and n.retracted is not true`;

/**
 * Participants, sentiment and number of conversions of each thread.
 *
 * Needs: `thread.id, thread.opened_at`. Gives: `said (person_count, person_ids, conversion_count, sentiment_mean,
 * sentiment_last)`, as a join.
 */
const joinWhatWasSaid = (workspaceId: string) => sql`
    cross join lateral (
      select count(*)::int as person_count,
        to_json((array_agg(p.person_id order by p.first_at, p.person_id))[1:${MAX_PEOPLE}::int]) as person_ids,
        coalesce(sum(p.conversions), 0)::int as conversion_count,
        (sum(p.sentiment) / sum(p.sentiments))::float8 as sentiment_mean,
        (array_agg(p.sentiment_last order by p.felt_at desc, p.felt_id desc) filter (where p.felt_at is not null))[1]
          as sentiment_last
      from (
        select p.*, (select count(*) from ${conversionsSince(workspaceId)}) as conversions
        from (
          select t.person_id, min(t.occurred_at) as first_at, sum(t.sentiment::numeric) as sentiment,
            nullif(count(t.sentiment), 0) as sentiments, (array_agg(t.sentiment order by ${lastFelt}))[1] as sentiment_last,
            (array_agg(t.occurred_at order by ${lastFelt}) filter (where t.sentiment is not null))[1] as felt_at,
            (array_agg(t.id order by ${lastFelt}))[1] as felt_id
          ${messagesOf(workspaceId)}
          group by t.person_id
        ) p
      ) p
    ) said`;

/** Needs: a message `t`. Gives: the order in which the last message with a sentiment comes first. */
const lastFelt = sql`t.sentiment is null, t.occurred_at desc, t.id desc`;

/** A thread with its messages and the conversions that followed. In JSON, instants are text and amounts are numbers. */
export type StoredConversationDetail = StoredConversation & {
  touchpoints: (Pick<
    typeof touchpoints.$inferSelect,
    'id' | 'person_id' | 'account_id' | 'kind' | 'stage' | 'channel' | 'topic' | 'sentiment' | 'url'
  > & { occurred_at: string; direction: Direction })[];
  conversions: (Pick<typeof conversions.$inferSelect, 'id' | 'person_id' | 'goal' | 'currency'> & {
    occurred_at: string;
    value: number | null;
    net_value: number | null;
  })[];
};

/** One thread with its messages and the conversions that followed, as JSON; no row if there is no such thread. */
export function selectConversation(workspaceId: string, id: string): SQL {
  return sql`
    select ${shown}, (
      select json_agg(m order by m.occurred_at, m.id)
      from (
        select t.id, t.occurred_at, t.person_id, t.account_id, t.kind, t.direction, t.stage, t.channel, t.topic, t.sentiment, t.url
        ${messagesOf(workspaceId)}
        order by t.occurred_at desc, t.id desc
        limit ${MAX_MESSAGES}
      ) m
    ) as touchpoints, (
      select coalesce(json_agg(followed order by followed.occurred_at desc, followed.id desc), '[]')
      from (
        select c.id, c.occurred_at, c.person_id, c.goal, c.value, coalesce(n.restated_value, c.value) as net_value, c.currency
        from (select distinct t.person_id ${messagesOf(workspaceId)}) p
        cross join lateral ${conversionsSince(workspaceId)}
        order by c.occurred_at desc, c.id desc
        limit ${MAX_CONVERSIONS}
      ) followed
    ) as conversions
    from conversations thread
    ${joinOpening(workspaceId)}
    ${joinWhatWasSaid(workspaceId)}
    where thread.workspace_id = ${tenant(workspaceId)} and thread.id = ${id}`;
}

/** The wire form of a row of `shown` columns. */
export function conversationOut(row: StoredConversation): Conversation {
  const { last_direction, inbound, outbound, sentiment_mean, sentiment_last, ...rest } = row;
  const [opened_at, first_response_at] = [instantOrNull(row.opened_at), instantOrNull(row.first_response_at)];
  return {
    ...rest,
    state: last_direction === 'inbound' ? 'waiting' : 'answered',
    opened_at,
    first_response_at,
    first_response_seconds:
      opened_at && first_response_at
        ? (new Date(first_response_at).getTime() - new Date(opened_at).getTime()) / 1000
        : null,
    last_at: instantOut(row.last_at),
    messages: { inbound, outbound },
    sentiment: { mean: sentiment_mean, last: sentiment_last },
  };
}

export function conversationDetailOut({
  touchpoints,
  conversions,
  ...row
}: StoredConversationDetail): ConversationDetail {
  const dated = <T extends { occurred_at: string }>(one: T) => ({
    ...one,
    occurred_at: new Date(one.occurred_at).toISOString(),
  });
  return {
    ...conversationOut(row),
    touchpoints: touchpoints.map(dated),
    conversions: conversions.map(dated),
  };
}
