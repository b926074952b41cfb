import type { Where } from '../db/where.ts';
import type { ReportName, ReportScope } from '../domain/settings.ts';
import { SPEND_DIMENSIONS } from '../domain/touchpoint-fields.ts';
import type { Caller } from './authenticate.ts';
import { ApiError } from './errors.ts';
import type { Narrowing } from './narrowing.ts';
import type { AnyOperation } from './operation.ts';

/** What a read token holds, laid over what is asked: in one place, before any report sees the question. */

interface Question {
  query: Record<string, unknown>;
  body: unknown;
}

/** The question as the caller may ask it. @throws ApiError forbidden where the report has no way to be narrowed so */
export function narrowedQuestion(
  operation: AnyOperation,
  question: Question,
  caller: Caller | null,
): Question {
  const narrowing = caller?.narrowing;
  const { report } = operation;
  if (!narrowing || !report) return question;
  if (report === 'funnel') {
    // What is saved is read by the handler, which narrows it by `narrowedFunnel` as well.
    return operation.body
      ? { ...question, body: narrowedFunnel(question.body as Funnel, narrowing) }
      : question;
  }
  const query = { ...question.query };
  const fields = operation.query.shape;
  for (const name of ['where', 'where_conversion'] as const) {
    const held = narrowing[name];
    if (Object.keys(held).length === 0) continue;
    if (!(name in fields)) throw cannotNarrow(report, name);
    query[name] = both(held, query[name] as Values | undefined);
  }
  if (report === 'roi') refuseUnspent(narrowing.where);
  if (narrowing.scope !== null) {
    if ('scope' in fields) query.scope = narrowing.scope;
    else if (narrowing.scope !== 'person') throw cannotNarrow(report, 'scope');
  }
  return { ...question, query };
}

type Values = Readonly<Record<string, readonly (string | null)[] | undefined>>;

/** Fields of either, and of a field that both name the values in both: perhaps none, which nothing has. */
function both(held: Values, asked: Values = {}): Values {
  const shared = Object.entries(held).map(([field, values = []]) => {
    const wanted = asked[field];
    return [field, wanted ? values.filter((value) => wanted.includes(value)) : values] as const;
  });
  return { ...asked, ...Object.fromEntries(shared) };
}

interface Filter {
  touchpoint?: Where | undefined;
  conversion?: unknown;
}

interface Funnel {
  steps: readonly Filter[];
  exclude: readonly Filter[];
  order: string;
  scope: ReportScope;
}

/** The funnel with every step and exclusion of touchpoints narrowed. */
export function narrowedFunnel<F extends Funnel>(funnel: F, narrowing: Narrowing | null): F {
  if (!narrowing) return funnel;
  const scoped = { ...funnel, scope: narrowing.scope ?? funnel.scope };
  if (Object.keys(narrowing.where_conversion).length > 0) throw cannotNarrow('funnel', 'where_conversion');
  if (Object.keys(narrowing.where).length === 0) return scoped;
  refuseOpenFunnel(funnel);
  const narrow = <S extends Filter>(filter: S): S =>
    filter.touchpoint ? { ...filter, touchpoint: both(narrowing.where, filter.touchpoint) } : filter;
  return { ...scoped, steps: funnel.steps.map(narrow), exclude: funnel.exclude.map(narrow) };
}

/** Whoever comes to a step must have come by a touchpoint that the token shows, and nothing else may be told. */
function refuseOpenFunnel({ steps, order }: Funnel): void {
  const isClosed =
    order === 'ordered'
      ? steps[0]?.touchpoint !== undefined
      : order === 'any' && steps.every(({ touchpoint }) => touchpoint !== undefined);
  if (isClosed) return;
  throw new ApiError(
    'forbidden',
    'The read token is narrowed by `where`, and a funnel can be narrowed if it is `ordered` and its first step is of touchpoints, or `any` and all its steps are.',
  );
}

/** Spend has no other fields, and would be shown whole. */
function refuseUnspent(where: Where): void {
  const unspent = Object.keys(where).find(
    (field) => !(SPEND_DIMENSIONS as readonly string[]).includes(field),
  );
  if (unspent !== undefined) throw cannotNarrow('roi', `where[${unspent}]`);
}

function cannotNarrow(report: ReportName, by: string): ApiError {
  return new ApiError(
    'forbidden',
    `The read token is narrowed by \`${by}\`, and the report ${report} has no way to be; ask with a token that is not, or for another report.`,
  );
}
