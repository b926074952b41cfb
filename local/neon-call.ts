import type { BackendQuery, RunOptions } from './sql-backend.ts';

/** One request to `/sql`: a single statement, or a batch that runs as one transaction. */
export interface NeonCall {
  queries: BackendQuery[];
  options: RunOptions;
}

/** An HTTP response. */
export interface Reply {
  status: number;
  body: string;
}
