import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assetHeaders } from './asset-headers.ts';
import { type ApiDocument, llmsText } from './llms-text.ts';
import { startGroup } from './processes.ts';
import { PROJECT_ROOT } from './workerd.ts';

/** The folder of static assets in wrangler.toml. */
const ASSETS = join(PROJECT_ROOT, 'dist/assets');
const OPENAPI = join(PROJECT_ROOT, 'openapi.json');
const INDEX = join(import.meta.dirname, 'docs/index.html');
const FILES = ['openapi.json', 'docs.html', 'llms.txt', 'index.html', '_headers'] as const;

const REDOCLY = join(PROJECT_ROOT, 'node_modules/@redocly/cli/bin/cli.js');
const QUIET_REDOCLY_ENV = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } as const;

/** Without an icon of its own the browser would request one from the API. */
const ICON = `<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M2 12 8 8l6-5' fill='none' stroke='%23777' stroke-width='2'/%3E%3C/svg%3E">`;

/** Redoc's logo is an image on a remote host. An inline image with the name replaces it. */
const REMOTE_LOGO = /https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini(-full)?\.svg/g;
const LOCAL_LOGO =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='50' height='14'%3E%3Ctext x='0' y='11' font-family='sans-serif' font-size='11' fill='%23456'%3ERedocly%3C/text%3E%3C/svg%3E";

/**
 * Fills the folder of static assets from openapi.json: the document itself, its reference page, its summary as text, an
 * index, and the headers of all of them. Nothing is fetched. Each file is replaced atomically, so several builds may run concurrently.
 */
export async function buildAssets(): Promise<void> {
  await mkdir(ASSETS, { recursive: true });
  const folder = await mkdtemp(join(PROJECT_ROOT, 'dist/assets-'));
  try {
    const document = JSON.parse(await readFile(OPENAPI, 'utf8')) as ApiDocument;
    await copyFile(OPENAPI, join(folder, 'openapi.json'));
    await copyFile(INDEX, join(folder, 'index.html'));
    await writeFile(join(folder, 'llms.txt'), llmsText(document));
    await buildPage(join(folder, 'docs.html'));
    const [docs, index] = await Promise.all([
      readFile(join(folder, 'docs.html'), 'utf8'),
      readFile(INDEX, 'utf8'),
    ]);
    const headers = assetHeaders({ '/': index, '/docs': docs }, ['/openapi.json', '/llms.txt']);
    await writeFile(join(folder, '_headers'), headers);
    for (const file of FILES) await rename(join(folder, file), join(ASSETS, file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds the assets if one is missing or older than its sources. */
export async function buildAssetsIfStale(): Promise<void> {
  const built = await Promise.all(FILES.map((file) => changedAt(join(ASSETS, file))));
  const local = ['llms-text.ts', 'asset-headers.ts'].map((file) => join(import.meta.dirname, file));
  const sources = [OPENAPI, INDEX, import.meta.filename, ...local];
  const changed = await Promise.all(sources.map(changedAt));
  if (Math.min(...built) < Math.max(...changed)) await buildAssets();
}

/** In milliseconds since 1970; negative infinity if the file does not exist. */
async function changedAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return Number.NEGATIVE_INFINITY;
    throw error;
  }
}

async function buildPage(path: string): Promise<void> {
  const build = startGroup({
    command: process.execPath,
    args: [REDOCLY, 'build-docs', OPENAPI, '--output', path, '--inlineBundle', '--title', 'Throughline API'],
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...QUIET_REDOCLY_ENV },
  });
  const how = await build.exited;
  await build.stop();
  if (how !== 'code 0') throw new Error(`redocly could not build the page (${how}):\n${build.output()}`);
  const page = await readFile(path, 'utf8');
  await writeFile(path, page.replace('<head>', () => `<head>\n  ${ICON}`).replace(REMOTE_LOGO, LOCAL_LOGO));
}

if (import.meta.main) {
  await buildAssets();
  process.stdout.write(`${FILES.join(', ')} are in dist/assets\n`);
}
