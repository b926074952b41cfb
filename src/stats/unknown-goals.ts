import { ApiError } from '../http/errors.ts';

/** Rejects goals that do not exist, naming every parameter that names one. @throws ApiError unknown_goal */
export function refuseUnknownGoals(
  asked: Readonly<Record<string, readonly string[]>>,
  known: readonly string[],
): void {
  const errors = Object.entries(asked).flatMap(([name, goals]) => {
    const unknown = goals.filter((goal) => !known.includes(goal));
    if (unknown.length === 0) return [];
    const detail = `Unknown goal ${unknown.join(', ')}; list the goals at /v1/goals.`;
    return [{ pointer: `?${name}`, detail }];
  });
  if (errors.length > 0)
    throw new ApiError('unknown_goal', errors.map(({ detail }) => detail).join(' '), { errors });
}
