import type * as z from 'zod';
import type { ReportName, ReportScope } from '../domain/settings.ts';
import type { Where } from '../domain/touchpoint-fields.ts';
import { SPEND_DIMENSIONS } from '../domain/touchpoint-fields.ts';
import type { Narrowing } from '../http/caller.ts';
import { ApiError } from '../http/errors.ts';

/** The narrowing of a read token, applied in one place before any report sees its input. */

/** The parts of a report that narrowing depends on. */
interface Narrowable {
  name: ReportName;
  query: z.ZodObject;
  body?: z.ZodType | undefined;
}

/** The input as the caller may ask it. @throws ApiError forbidden if the report cannot be narrowed that way */
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
