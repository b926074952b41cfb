/**
 * The innermost message, which is the database's: the errors around it repeat the statement, which may be a page long.
 */
export function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  if (!(inner instanceof Error)) return String(inner);
  // A refused connection to a name with two addresses has a code and no message.
  return inner.message || ('code' in inner ? String(inner.code) : inner.name);
}
