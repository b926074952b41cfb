import { PgDialect } from 'drizzle-orm/pg-core';
import { CANONICAL_VERSION } from '../src/domain/canonical.ts';
import type { WorkspaceContext } from '../src/http/operation.ts';
import type { WorkspaceSecrets } from '../src/http/secrets.ts';
import { touchpointIngest } from '../src/touchpoints/record-touchpoints.ts';
import type { TouchpointRow } from '../src/touchpoints/touchpoint-sql.ts';

export type Statement = { sql: string; params: unknown[] };

/** The statements by which the Worker records a batch of touchpoints in one transaction. */
export async function statementsOf(
  secrets: WorkspaceSecrets,
  workspaceId: string,
  batch: Record<string, unknown>[],
): Promise<Statement[]> {
  const workspace = {
    id: workspaceId,
    name: '',
    timezone: 'UTC',
    currency: 'USD',
    identity_storage: 'hashed',
    default_country: null,
    retention_days: null,
    content_version: CANONICAL_VERSION,
  };
  // Only the members of a request's context that preparing rows reads.
  const caller = { kind: 'secret', goals: null };
  const context = { workspace, caller, secrets, now: new Date() } as WorkspaceContext;
  const rows = await Promise.all(
    batch.map(async (sent) => {
      const item = touchpointIngest.schema.parse(sent);
      const ready = await touchpointIngest.prepare(item, String(sent.id), '', context);
      if (!('row' in ready)) throw new Error('the benchmark generated an invalid touchpoint');
      return {
        ...ready.row,
        content_hash: (await secrets.hash('content', JSON.stringify(sent))).slice(0, 32),
      } as TouchpointRow;
    }),
  );
  const dialect = new PgDialect();
  return (await touchpointIngest.write(rows, context)).map((statement) => dialect.sqlToQuery(statement));
}
