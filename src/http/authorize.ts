import type { Caller } from './caller.ts';
import { ApiError } from './errors.ts';
import type { AnyOperation } from './operation.ts';
import { requireOrigin } from './origins.ts';

/** May this caller, who is who they say, do this from here? Refuses with what would be needed. */
export function authorize(caller: Caller, operation: AnyOperation, request: Request): void {
  requireOrigin(request, caller);
  if (caller.kind === 'publishable' && !operation.takesPublishableKeys) {
    throw new ApiError(
      'forbidden',
      'A publishable key posts touchpoints, conversions and people, and does nothing else; use a secret key on a server, or a read token for reports.',
    );
  }
  const { narrowing } = caller;
  if (narrowing && !(operation.report && narrowing.reports.includes(operation.report))) {
    const reports = narrowing.reports.join(', ');
    throw new ApiError('forbidden', `This read token opens the reports ${reports}, and nothing else.`);
  }
  const { access } = operation;
  if (access === 'public' || access === 'root' || caller.scopes.includes(access)) return;
  throw new ApiError(
    'forbidden',
    `This needs the scope \`${access}\`; the key has ${caller.scopes.join(', ')}.`,
  );
}
