import { createHash } from 'node:crypto';

/**
 * The headers of static assets, in the file `_headers`, which Cloudflare reads and does not serve. The Worker never sees
 * requests for assets. Rules add up, and two values of one header are joined, so policies are in rules of one path each:
 * a page that may be framed needs a rule of its own, and no exception.
 */

/** A header and what it is set to. */
type Headers = Readonly<Record<string, string>>;

const EVERYWHERE: Headers = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** Nothing is loaded, run, framed or sent; for documents that are not pages. */
const CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The text of `_headers`.
 * @param pages the HTML of each page by its path
 * @param files the paths of documents that are not pages
 */
export function assetHeaders(pages: Readonly<Record<string, string>>, files: readonly string[]): string {
  const closed = (policy: string): Headers => ({
    'Content-Security-Policy': policy,
    'X-Frame-Options': 'DENY',
  });
  const rules: [path: string, headers: Headers][] = [
    ['/*', EVERYWHERE],
    ...Object.entries(pages).map(([path, html]) => [path, closed(pagePolicy(html))] as [string, Headers]),
    ...files.map((path) => [path, closed(CLOSED)] as [string, Headers]),
  ];
  return rules
    .flatMap(([path, headers]) => [
      path,
      ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`),
      '',
    ])
    .join('\n');
}

/**
 * The content security policy of a page that contains everything it needs: it loads nothing, and runs and applies what
 * it was built with, by hash, and nothing else. The empty style element is one that a script fills through the CSSOM.
 */
function pagePolicy(html: string): string {
  const [scripts, styles] = [contentsOf(html, 'script'), contentsOf(html, 'style')];
  const withoutScripts = html.replaceAll(element('script'), '');
  const attributes = [...withoutScripts.matchAll(/\sstyle="([^"]*)"/g)].map(([, text = '']) => text);
  const inline = (directive: string, allowed: readonly string[], before: readonly string[] = []) =>
    allowed.length === 0 ? [] : [[directive, ...before, ...new Set(allowed.map(hashOf))].join(' ')];
  return [
    "default-src 'none'",
    ...inline('script-src', scripts),
    ...inline('style-src-elem', scripts.length > 0 ? [...styles, ''] : styles),
    ...inline('style-src-attr', attributes, ["'unsafe-hashes'"]),
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const element = (tag: string) => new RegExp(`<${tag}(?: [^>]*)?>([\\s\\S]*?)</${tag}>`, 'g');

const contentsOf = (html: string, tag: string) =>
  [...html.matchAll(element(tag))].map(([, text = '']) => text);

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
