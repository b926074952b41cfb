import type { Caller } from './caller.ts';
import { ApiError } from './errors.ts';
import type { AnyOperation } from './operation.ts';
import { requireOrigin } from './origins.ts';

/** @throws ApiError forbidden, with what is required, if the caller may not call the operation from this origin */
export function authorize(caller: Caller, operation: AnyOperation, request: Request): void {
  requireOrigin(request, caller);
  if (caller.kind === 'publishable' && !operation.takesPublishableKeys) {
    throw new ApiError(
      'forbidden',
      'A publishable key can only post touchpoints, conversions and people. Use a secret key on a server, or a read token for reports.',
    );
  }
  const { narrowing } = caller;
  if (narrowing && !(operation.report && narrowing.reports.includes(operation.report))) {
    const reports = narrowing.reports.join(', ');
    throw new ApiError(
      'forbidden',
      `This read token opens the reports ${reports} and nothing else; use a token that opens this operation.`,
    );
  }
  const { access } = operation;
  if (access === 'public' || access === 'root' || caller.scopes.includes(access)) return;
  throw new ApiError(
    'forbidden',
    `This requires the scope \`${access}\`; the key has ${caller.scopes.join(', ')}.`,
  );
}
