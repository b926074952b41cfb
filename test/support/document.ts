import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../local/workerd.ts';
import type { Json } from './api.ts';

/** The operations of openapi.json, each with a valid request from the document's own examples. */

export type Access = 'public' | 'root' | 'ingest' | 'read' | 'admin';

export interface DocumentedParameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Json;
}

export interface DocumentedOperation {
  id: string;
  method: string;
  path: string;
  access: Access;
  parameters: DocumentedParameter[];
  /** Absent: the operation takes no body. */
  body?: Json;
}

const document = JSON.parse(readFileSync(join(PROJECT_ROOT, 'openapi.json'), 'utf8'));

function accessOf(operation: Json): Access {
  if (operation.security.length === 0) return 'public';
  if (operation.security.some((one: Json) => 'rootKey' in one)) return 'root';
  const [, scope] = operation.description.match(/Scope: `(\w+)`/) ?? [];
  if (!scope) throw new Error(`${operation.operationId} names no scope`);
  return scope as Access;
}

/** A parameter of its own, or one that operations share. */
const resolved = (parameter: Json): DocumentedParameter =>
  parameter.$ref ? document.components.parameters[parameter.$ref.split('/').at(-1)] : parameter;

export const operations: DocumentedOperation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods as Json).map(([method, operation]: [string, Json]) => ({
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    access: accessOf(operation),
    parameters: (operation.parameters ?? []).map(resolved),
    ...(operation.requestBody && { body: operation.requestBody.content['application/json'].example }),
  })),
);

/** The document's example of a parameter, as written in a URL. */
export function exampleOf({ name, schema }: DocumentedParameter): string {
  const example = schema.example ?? schema.default ?? schema.enum?.[0] ?? schema.items?.enum?.[0] ?? name;
  return Array.isArray(example) ? example.join(',') : String(example);
}

/** The path with the examples of its parameters, or with other values, and the required query parameters. */
export function pathOf(operation: DocumentedOperation, others: Record<string, string> = {}): string {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = operation.parameters.find((one) => one.in === 'path' && one.name === name);
    return encodeURIComponent(others[name] ?? (parameter ? exampleOf(parameter) : name));
  });
  const query = operation.parameters
    .filter((one) => one.in === 'query' && one.required)
    .map((one) => `${one.name}=${encodeURIComponent(exampleOf(one))}`);
  return query.length > 0 ? `${path}?${query.join('&')}` : path;
}
