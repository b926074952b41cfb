import type * as z from 'zod';
import type { ReportName, ReportScope } from '../domain/settings.ts';
import type { Where } from '../domain/touchpoint-fields.ts';
import { SPEND_DIMENSIONS } from '../domain/touchpoint-fields.ts';
import type { Narrowing } from '../http/caller.ts';
import { ApiError } from '../http/errors.ts';

/** Applies the narrowing of a read token, in one place, before any report sees its input. */

/** The parts of a report that its narrowing depends on. */
interface Narrowable {
  name: ReportName;
  query: z.ZodObject;
  body?: z.ZodType | undefined;
}

/**
 * The input of a report, narrowed to the data that the caller may see.
 * @throws ApiError forbidden if the report cannot be narrowed that way
 */
export function narrowInput<I extends { query: unknown; body: unknown }>(
  report: Narrowable,
  input: I,
  narrowing: Narrowing | null,
): I {
  if (!narrowing) return input;
  if (report.name === 'funnel') return { ...input, body: narrowedFunnel(input.body as Funnel, narrowing) };
  const query: Record<string, unknown> = { ...(input.query as object) };
  const fields = report.query.shape;
  for (const name of ['where', 'where_conversion'] as const) {
    const held = narrowing[name];
    if (Object.keys(held).length === 0) continue;
    if (!(name in fields)) throw cannotNarrow(report.name, name);
    query[name] = both(held, query[name] as Values | undefined);
  }
  if (report.name === 'roi') refuseUnspent(narrowing.where);
  if (narrowing.scope !== null) {
    if ('scope' in fields) query.scope = narrowing.scope;
    else if (narrowing.scope !== 'person') throw cannotNarrow(report.name, 'scope');
  }
  return { ...input, query };
}

type Values = Readonly<Record<string, readonly (string | null)[] | undefined>>;

/**
 * The fields of both filters. A field of both allows the values that both allow; if there are
 * none, nothing matches.
 */
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

/**
 * The funnel with every step and exclusion of touchpoints narrowed. @throws ApiError forbidden,
 * see `narrowInput`
 */
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

/**
 * Everyone counted in a narrowed funnel must have a touchpoint that the token shows; other
 * people must stay hidden.
 */
function refuseOpenFunnel({ steps, order }: Funnel): void {
  const isClosed =
    order === 'ordered'
      ? steps[0]?.touchpoint !== undefined
      : order === 'any' && steps.every(({ touchpoint }) => touchpoint !== undefined);
  if (isClosed) return;
  throw new ApiError(
    'forbidden',
    'The read token is narrowed by `where`. A funnel can be narrowed if its order is `ordered` and its first step matches touchpoints, or if its order is `any` and all its steps do; change the funnel, or use a token that is not narrowed.',
  );
}

/** Spend has only its own four fields. Narrowed by another field, all of it would be shown. */
function refuseUnspent(where: Where): void {
  const unspent = Object.keys(where).find(
    (field) => !(SPEND_DIMENSIONS as readonly string[]).includes(field),
  );
  if (unspent !== undefined) throw cannotNarrow('roi', `where[${unspent}]`);
}

function cannotNarrow(report: ReportName, by: string): ApiError {
  return new ApiError(
    'forbidden',
    `The read token is narrowed by \`${by}\`, and the report ${report} cannot be narrowed that way; use a token without this narrowing, or another report.`,
  );
}
