/** Hosts whose pages are served without TLS while they are written. */
const LOCAL_HOSTS: readonly string[] = ['localhost', '127.0.0.1'];

/** Scheme, host and perhaps a port, and nothing after them. */
const SHAPE = /^https?:\/\/[^/?#@\\\s*]+$/i;

/**
 * An origin as browsers send it in `Origin`: lower case, punycode, no default port. Null where the text is none that a
 * key may name: `https://` with a host, or `http://` on this machine; no path, no wildcard.
 */
export function normaliseOrigin(text: string): string | null {
  if (!SHAPE.test(text) || !URL.canParse(text)) return null;
  const { protocol, hostname, origin } = new URL(text);
  if (protocol === 'https:' || LOCAL_HOSTS.includes(hostname)) return origin;
  return null;
}
