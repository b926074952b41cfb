import { expect } from 'vitest';
import type { Answer, Json, TestWorkspace } from '../support/api.ts';

/** An instant in the past, the default of every item. */
export const AT = '2025-06-01T12:00:00.000Z';

/** A valid touchpoint, with the changes of the test. */
export function touch(id: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, kind: 'mention', channel: 'x', occurred_at: AT, person: { user_id: 'u1' }, ...changes };
}

/** A valid conversion of the goal `purchase`, with the changes of the test. */
export function sale(id: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, goal: 'purchase', occurred_at: AT, person: { user_id: 'u1' }, value: 100, ...changes };
}

/** A valid funnel as it is saved, and with a range. */
export const SAVED_FUNNEL = {
  steps: [{ touchpoint: { kind: ['mention'] } }, { touchpoint: { direction: ['outbound'] } }],
  window_seconds: 86_400,
};
export const FUNNEL = { ...SAVED_FUNNEL, from: '2025-06-01', to: '2025-07-01' };

export function statusesOf(answer: Answer): string[] {
  return answer.body.results.map((result: Json) => result.status);
}

export function pointersOf(errors: readonly { pointer: string }[] | undefined): string[] {
  return (errors ?? []).map(({ pointer }) => pointer);
}

/** Checks RFC 9457 with our code, the id of the request, and, if given, exactly these pointers. */
export function expectProblem(answer: Answer, status: number, code: string, pointers?: string[]): void {
  expect(answer.status, answer.text.slice(0, 500)).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body).toMatchObject({ status, code, type: `urn:throughline:error:${code}` });
  expect(answer.body.detail).not.toBe('');
  expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'));
  if (pointers) expect(pointersOf(answer.body.errors)).toEqual(pointers);
}

/** The ids of a whole list, in order, read page by page. */
export async function idsIn(workspace: TestWorkspace, path: string, limit = 1000): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const query: string = `${path.includes('?') ? '&' : '?'}limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`;
    const { body, status, text } = await workspace.get(path + query);
    expect(status, text).toBe(200);
    ids.push(...body.data.map((row: Json) => row.id));
    cursor = body.next_cursor;
  } while (cursor !== null);
  return ids;
}

/** The ids of touchpoints (or conversions) grouped by person; each group and the groups are sorted. */
export async function partitionOf(workspace: TestWorkspace, path = '/v1/touchpoints'): Promise<string[][]> {
  const { body } = await workspace.get(`${path}?limit=1000`);
  const people = Map.groupBy(body.data as Json[], (row) => row.person_id);
  return [...people.values()]
    .map((rows) => rows.map((row) => String(row.id)).sort())
    .sort((a, b) => (String(a) < String(b) ? -1 : 1));
}

/** The instant of the conversions in attribution tests. */
export const SOLD_AT = '2025-06-30T00:00:00.000Z';

/** A number of days of 86,400 s before `SOLD_AT`, to the millisecond. */
export function daysBefore(days: number, ms = 0): string {
  return new Date(new Date(SOLD_AT).getTime() - days * 86_400_000 + ms).toISOString();
}

/** The credited value (or conversions) of each group under one model; several dimensions are joined by a space. */
export function creditsOf(
  report: Json,
  model = 'linear',
  measure: 'value' | 'conversions' = 'value',
): Record<string, number> {
  return Object.fromEntries(
    report.data.map((row: Json) => [
      row.other ? '(other)' : Object.values(row.group).join(' '),
      row.credit[model][measure],
    ]),
  );
}
