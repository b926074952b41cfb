import { type Answer, ask, type Json, TestWorkspace } from '../support/api.ts';
import { pointersOf, touch } from './items.ts';

/** A page of a workspace, with a publishable key. */

export const ORIGIN = 'https://shop.example';

export interface Page {
  workspace: TestWorkspace;
  /** Posts as a page does. */
  post(resource: string, ...items: Json[]): Promise<Answer>;
  ask(method: string, path: string, body?: Json): Promise<Answer>;
}

/** A page that may record `purchase`, whose conversions are worth 30 EUR. */
export async function openPage(settings: Json = {}, key: Json = {}): Promise<Page> {
  const workspace = await TestWorkspace.make(settings);
  await workspace.goal('purchase', { default_value: 30, currency: 'EUR' });
  const input = { name: 'Shop', kind: 'publishable', allowed_origins: [ORIGIN], goals: ['purchase'], ...key };
  const { token } = (await workspace.post('/v1/keys', input)).body;
  const asPage: Page['ask'] = (method, path, body) =>
    ask(method, path, { body, token, headers: { origin: ORIGIN } });
  return {
    workspace,
    ask: asPage,
    post: (resource, ...items) => asPage('POST', `/v1/${resource}`, { [resource]: items }),
  };
}

export const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();

/** Pointers of the warnings of one item. */
export const warned = (answer: Answer, place = 0) => pointersOf(answer.body.results[place].warnings);

/** A touchpoint at the present time, with these identities. */
export const seen = (id: string, person: Json, more: Json = {}) =>
  touch(id, { occurred_at: undefined, person, ...more });
