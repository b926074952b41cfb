/** Hosts of pages in development, which are served without TLS. */
const LOCAL_HOSTS: readonly string[] = ['localhost', '127.0.0.1'];

/** Scheme, host and optional port, with nothing after them. */
const SHAPE = /^https?:\/\/[^/?#@\\\s*]+$/i;

/**
 * Normalises an origin to the form that browsers send in `Origin`: lower case, punycode, no default port.
 * @returns null if a key may not name it. A key may name `https://` with a host, or `http://` with a local
 * host; no path and no wildcard.
 */
export function normaliseOrigin(text: string): string | null {
  if (!SHAPE.test(text) || !URL.canParse(text)) return null;
  const { protocol, hostname, origin } = new URL(text);
  if (protocol === 'https:' || LOCAL_HOSTS.includes(hostname)) return origin;
  return null;
}
