import type { ReportName } from '../../src/domain/settings.ts';
import { type Answer, ask, type Json } from '../support/api.ts';
import { FUNNEL } from './items.ts';

/** Read tokens for tests. */

export const ORIGIN = 'https://dashboard.example';

const RANGE = 'from=2025-01-01&to=2026-01-01';

/** A request for each report by name, in a workspace with the goal `purchase` and the conversion `s`. */
export const REPORT_PATHS: Record<ReportName, [method: string, path: string, body?: Json]> = {
  attribution: ['GET', `/v1/reports/attribution?goal=purchase&${RANGE}`],
  explanation: ['GET', '/v1/conversions/s/explanation'],
  journeys: ['GET', `/v1/reports/journeys?goal=purchase&${RANGE}`],
  funnel: ['POST', '/v1/reports/funnel', FUNNEL],
  lifecycle: ['GET', `/v1/reports/lifecycle?${RANGE}`],
  conversations: ['GET', `/v1/reports/conversations?${RANGE}`],
  cultivation: ['GET', `/v1/reports/cultivation?goal=purchase&${RANGE}`],
  advocacy: ['GET', `/v1/reports/advocacy?goal=purchase&${RANGE}`],
  roi: ['GET', `/v1/reports/roi?goal=purchase&${RANGE}`],
  overview: ['GET', `/v1/reports/overview?${RANGE}`],
};

export async function readToken({ token }: { token: string }, changes: Json): Promise<string> {
  const body = { expires_in: 600, allowed_origins: [ORIGIN], ...changes };
  const answer = await ask('POST', '/v1/tokens', { token, body });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body.token;
}

/** A request as the page of the token's origin sends it. */
export function readWith(
  token: string,
  method: string,
  path: string,
  body?: Json,
  headers: Json = {},
): Promise<Answer> {
  return ask(method, path, { token, body, headers: { origin: ORIGIN, ...headers } });
}
