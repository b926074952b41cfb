import type { SQL } from 'drizzle-orm';
import { usualFunnel } from '../usual-funnel-sql.ts';
import type { RangeName } from './results.ts';
import { type UsualQuestion, usualAttribution, usualLifecycle, usualPaths } from './usual-sql.ts';

/** The range of a report, and rows of the workspace that lists and single reads ask for. */
export interface ReadQuestion extends UsualQuestion {
  person_id: string;
  account_id: string;
  conversion_id: string;
}

export interface Asked {
  method: string;
  path: string;
  body?: unknown;
}

/** An operation that reads, requested as a frontend would. */
export interface Read {
  name: string;
  ranges: readonly (RangeName | null)[];
  request(question: ReadQuestion): Asked;
  /** The usual SQL for the same question. */
  usual?(question: ReadQuestion): SQL;
  /** Whether the rows of the usual SQL are the credit of the model `linear`, by group. */
  is_credit?: true;
  /** Whether it reads sums by day. */
  is_by_day?: true;
  /** Of those by day, the ones that are measured in every state; in the quick run only the first of them. */
  is_typical?: true;
}

const RANGES = ['month', 'year'] as const;
const NO_RANGE = [null];

export const ALL_MODELS =
  'first_touch,last_touch,last_non_direct,linear,time_decay,position_based,j_shaped,inverse_j_shaped';

const FUNNEL_KINDS = ['visit', 'click', 'reply', 'demo'];
const FUNNEL_WINDOW_SECONDS = 7 * 86_400;

const between = ({ from, to }: ReadQuestion) => `from=${from}&to=${to}`;

/** A report by query string. */
const report = (name: string, path: string, parameters: string, more: Partial<Read> = {}): Read => ({
  name,
  ranges: RANGES,
  request: (question) => ({ method: 'GET', path: `/v1/reports/${path}?${between(question)}${parameters}` }),
  ...more,
});

const attribution = (
  name: string,
  parameters: string,
  columns: ('channel' | 'campaign')[] | null,
  more: Partial<Read> = {},
): Read =>
  report(`attribution, ${name}`, 'attribution', `&goal=purchase&${parameters}`, {
    is_by_day: true,
    ...(columns && { is_credit: true, usual: (question) => usualAttribution(question, columns) }),
    ...more,
  });

export const REPORTS: readonly Read[] = [
  attribution('1 model', 'models=linear&group_by=channel', ['channel']),
  attribution('8 models', `models=${ALL_MODELS}&group_by=channel`, ['channel'], { is_typical: true }),
  attribution(
    '8 models, campaigns',
    `models=${ALL_MODELS}&group_by=channel,campaign`,
    ['channel', 'campaign'],
    { is_typical: true },
  ),
  attribution('1 model, by week', 'models=linear&group_by=channel&interval=week', null),
  attribution('1 model, accounts', 'models=linear&group_by=channel&scope=account', null),
  report('journeys', 'journeys', '&goal=purchase', { usual: usualPaths }),
  report('lifecycle', 'lifecycle', '', { usual: usualLifecycle }),
  {
    name: 'funnel, 4 steps, 7 days',
    ranges: RANGES,
    request: ({ from, to }) => ({
      method: 'POST',
      path: '/v1/reports/funnel',
      body: {
        from,
        to,
        steps: FUNNEL_KINDS.map((kind) => ({ touchpoint: { kind: [kind] } })),
        window_seconds: FUNNEL_WINDOW_SECONDS,
      },
    }),
    usual: (question) =>
      usualFunnel({ ...question, kinds: FUNNEL_KINDS, window_seconds: FUNNEL_WINDOW_SECONDS }),
  },
  report('conversations', 'conversations', '&group_by=channel'),
  report('conversations, with a goal', 'conversations', '&group_by=channel&goal=purchase'),
  report('cultivation', 'cultivation', '&goal=purchase'),
  report('advocacy', 'advocacy', '&goal=purchase'),
  report('roi', 'roi', '&goal=purchase&models=linear&group_by=channel'),
  report('overview', 'overview', ''),
];

const list = (name: string, path: string | ((question: ReadQuestion) => string)): Read => ({
  name,
  ranges: NO_RANGE,
  request: (question) => ({
    method: 'GET',
    path: `/v1/${typeof path === 'string' ? path : path(question)}`,
  }),
});

/** The other operations that read much, or by ids. */
export const LISTS: readonly Read[] = [
  list('touchpoints', 'touchpoints?limit=100'),
  list('touchpoints of a kind', 'touchpoints?limit=100&where[kind]=demo'),
  list('touchpoints of a person', ({ person_id }) => `touchpoints?limit=100&person_id=${person_id}`),
  list('conversions', 'conversions?limit=100'),
  list('explanation of a conversion', ({ conversion_id }) => `conversions/${conversion_id}/explanation`),
  list('a person', ({ person_id }) => `people/${person_id}`),
  list('timeline of a person', ({ person_id }) => `people/${person_id}/timeline?limit=100`),
  list('export of a person', ({ person_id }) => `people/${person_id}/export`),
  list('timeline of an account', ({ account_id }) => `accounts/${account_id}/timeline?limit=100`),
  list('threads that wait', 'conversations?state=waiting&limit=100'),
  list('threads that wait, oldest first', 'conversations?state=waiting&order=oldest&limit=100'),
];
