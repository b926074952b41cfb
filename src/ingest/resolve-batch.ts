import type { SQL } from 'drizzle-orm';
import type { RecordContext } from '../http/operation.ts';
import { isPublishable } from './publishable.ts';
import { type PersonClaim, replacePageItems, resolvePeople } from './resolve-people-sql.ts';

/** The statements before a batch of items of people is stored: items of pages give way, and people are resolved. */
export function resolveBatch(
  resource: 'touchpoints' | 'conversions' | 'people',
  claims: readonly PersonClaim[],
  context: RecordContext,
): SQL[] {
  const { workspace, caller, secrets } = context;
  const options = { hashVersion: secrets.hash_version, kind: caller.kind };
  const resolving = resolvePeople(workspace.id, resource, claims, options);
  if (isPublishable(context)) return [resolving];
  const ids = [...new Set(claims.map(({ id }) => id))];
  return [replacePageItems(workspace.id, resource, ids), resolving];
}
