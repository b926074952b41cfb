/** Makes the id of a rejected item storable: NUL and lone surrogates, which Postgres rejects, become U+FFFD. */
export function escapeUnstorable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
