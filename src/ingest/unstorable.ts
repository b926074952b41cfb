/** Text for a log of what could not be stored: NUL and lone surrogates, which Postgres refuses, become U+FFFD. */
export function escapeUnstorable(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
