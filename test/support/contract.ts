import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { PROJECT_ROOT } from '../../local/workerd.ts';

type Schema = { [key: string]: unknown };
interface Response {
  content?: Record<string, { schema: Schema }>;
}
interface Reference {
  $ref: string;
}
interface Document {
  paths: Record<
    string,
    Record<string, { operationId: string; responses: Record<string, Response | Reference> }>
  >;
  components: { responses: Record<string, Response> };
}

const document = JSON.parse(readFileSync(join(PROJECT_ROOT, 'openapi.json'), 'utf8')) as Document & Schema;
const ajv = new Ajv2020({ strict: false, allErrors: true });
(addFormats as unknown as (instance: Ajv2020) => void)(ajv);
ajv.addSchema(closed(document) as Schema, 'openapi.json');
const validators = new Map<string, ValidateFunction>();

/** The document with every described object closed, so that an undocumented member of a response is an error. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, closed(member)]));
  if (copy.type === 'object' && copy.properties && copy.additionalProperties === undefined)
    copy.additionalProperties = false;
  return copy;
}

const routes = Object.keys(document.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
}));

/**
 * Checks a response against the document: its status, its content type and its body must be documented.
 * @throws with the difference
 */
export function checkAnswer(
  method: string,
  path: string,
  status: number,
  contentType: string,
  body: unknown,
): void {
  const matches = routes.filter(({ pattern }) => pattern.test(path));
  const route = matches.find((match) => !match.path.includes('{')) ?? matches[0];
  const operation = route && document.paths[route.path]?.[method.toLowerCase()];
  // An unknown path or method is not an operation; tests that send one intentionally check its response.
  if (!route || !operation) return;
  const { response, pointer } = responseOf(operation.responses[String(status)], [
    'paths',
    route.path,
    method.toLowerCase(),
    'responses',
    String(status),
  ]);
  if (!response)
    throw new Error(
      `${method} ${route.path} answered ${status}, which openapi.json does not document: ${JSON.stringify(body).slice(0, 500)}`,
    );
  if (!response.content) return;
  const mediaType = contentType.split(';')[0] ?? '';
  if (!response.content[mediaType])
    throw new Error(
      `${method} ${route.path} ${status} answered as ${contentType}, which openapi.json does not document`,
    );
  if (!mediaType.endsWith('json')) return;
  const validate = validatorOf([...pointer, 'content', mediaType, 'schema']);
  // The response to a batch without an accepted item is a problem with the members of a batch response.
  const isBatchProblem =
    mediaType === 'application/problem+json' && (body as Schema).code === 'no_item_accepted';
  if (!isBatchProblem && !validate(body)) {
    throw new Error(
      `${method} ${route.path} ${status} differs from openapi.json: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(body).slice(0, 1500)}`,
    );
  }
}

/** A response, and where it is in the document: most errors are shared components. */
function responseOf(promised: Response | Reference | undefined, pointer: string[]) {
  if (!promised || !('$ref' in promised)) return { response: promised, pointer };
  const name = promised.$ref.split('/').at(-1) ?? '';
  return { response: document.components.responses[name], pointer: ['components', 'responses', name] };
}

function validatorOf(pointer: string[]): ValidateFunction {
  const ref = `openapi.json#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
  const known = validators.get(ref);
  if (known) return known;
  const made = ajv.compile({ $ref: ref });
  validators.set(ref, made);
  return made;
}
