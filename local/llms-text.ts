/** The parts of openapi.json that are read here. */
export interface ApiDocument {
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, ApiOperation>>;
  components: { schemas: Record<string, ApiSchema> };
}

interface ApiOperation {
  tags: string[];
  summary: string;
  description: string;
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: { 'application/json': { schema: ApiSchema } } };
}

interface ApiSchema {
  $ref?: string;
  type?: string;
  properties?: Record<string, ApiSchema>;
  required?: string[];
  items?: ApiSchema;
}

/** The conventions of the wire, which the list of operations does not contain. */
const CONVENTIONS = [
  'Send the key as `Authorization: Bearer tl_sk_…`. A key belongs to one workspace and has scopes: `ingest` posts, `read` reads, `admin` changes the workspace. The routes under /v1/workspaces take the root key of the deployment.',
  'JSON in UTF-8, names in snake_case. Unknown body fields and unknown query parameters are errors that name what is known.',
  'Times are RFC 3339 with an offset on input, UTC with milliseconds on output. Ranges are half-open: `from` is inside, `to` is not; a date means midnight in `timezone`.',
  'Money is in major units with an ISO 4217 currency: a number or a decimal string on input, a number on output.',
  'Ids are the sender’s, unique in the workspace for ever. Sending the same item again is a `duplicate` and changes nothing; the same id with other content is a `conflict`. With an `Idempotency-Key` header, items without an id get one from it.',
  'Batches take 1 to 1000 items and return a result for each: 200 if all are stored, 207 if some are rejected, 422 with code `no_item_accepted` if all are. Rejections are kept for 30 days under /v1/rejections and can be replayed.',
  'Errors are `application/problem+json` with a stable `code`, a `request_id`, and `errors: [{pointer, detail}]` if fields are invalid.',
  'Lists that take `limit` and `cursor` return `{data, has_more, next_cursor}`, newest first.',
  'Query lists are comma-separated or repeated; `where[channel]=x,linkedin` filters; `\\,` is a comma inside a value, `\\0` is null.',
  'Operations with the parameter `format` also return CSV and NDJSON: `Accept: text/csv`, or `?format=csv`.',
];

/** A summary of the API as text: conventions, and a line for each operation. */
export function llmsText({ info, tags, paths, components }: ApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      tag: operation.tags[0],
      line: operationLine(method, path, operation, components.schemas),
    })),
  );
  const sections = tags.map(({ name, description }) => {
    const lines = operations.filter(({ tag }) => tag === name).map(({ line }) => line);
    return [`### ${name}`, '', description, '', ...lines, ''].join('\n');
  });
  return [
    `# ${info.title} ${info.version}`,
    '',
    `> ${info.description.replaceAll('\n', '\n> ')}`,
    '',
    'The full document, with schemas and examples: [openapi.json](/openapi.json). The same as a page: [/docs](/docs).',
    '',
    '## Conventions',
    '',
    ...CONVENTIONS.map((convention) => `- ${convention}`),
    '',
    '## Operations',
    '',
    'Fields marked * are required.',
    '',
    ...sections,
  ].join('\n');
}

function operationLine(
  method: string,
  path: string,
  operation: ApiOperation,
  schemas: Record<string, ApiSchema>,
): string {
  const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query').map(named);
  const body = operation.requestBody?.content['application/json'].schema;
  return [
    `- \`${method.toUpperCase()} ${path}\`: ${sentence(operation.summary)}`,
    firstSentence(operation.description),
    ...(query.length > 0 ? [`Query: ${query.join(', ')}.`] : []),
    ...(body ? [`Body: ${membersOf(body, schemas)}.`] : []),
  ].join(' ');
}

/** `name*, kind*, stage`; of a batch, `touchpoints*: [occurred_at, kind*, …]`. */
function membersOf(schema: ApiSchema, schemas: Record<string, ApiSchema>): string {
  const { properties = {}, required = [] } = resolved(schema, schemas);
  return Object.entries(properties)
    .map(([name, property]) => {
      const items = property.items && resolved(property.items, schemas);
      const inner = items?.properties ? `: [${membersOf(items, schemas)}]` : '';
      return named({ name, required: required.includes(name) }) + inner;
    })
    .join(', ');
}

function resolved(schema: ApiSchema, schemas: Record<string, ApiSchema>): ApiSchema {
  return schemas[schema.$ref?.split('/').at(-1) ?? ''] ?? schema;
}

function named({ name, required }: { name: string; required?: boolean }): string {
  return required ? `${name}*` : name;
}

function sentence(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

function firstSentence(text: string): string {
  return /^.*?[.?!](?=\s|$)/.exec(text)?.[0] ?? text;
}
