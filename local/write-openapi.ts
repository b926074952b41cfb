import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openApiDocument } from '../src/document/openapi-document.ts';
import { operations } from '../src/operations.ts';
import { PROJECT_ROOT } from './workerd.ts';

/** The document as text, as in `openapi.json`. */
export async function openApiText(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return `${JSON.stringify(openApiDocument(operations, version), null, 2)}\n`;
}

if (import.meta.main) {
  await writeFile(join(PROJECT_ROOT, 'openapi.json'), await openApiText());
  process.stdout.write('openapi.json is written\n');
}
