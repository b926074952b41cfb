import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../local/workerd.ts';
import { openApiText } from '../../local/write-openapi.ts';

interface Content {
  [mediaType: string]: { example?: unknown };
}

interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security: object[];
  parameters?: (Parameter | Reference)[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, Response | Reference>;
}

interface Parameter {
  name: string;
  in: string;
  description?: string;
}

interface Response {
  description: string;
  content?: Content;
}

interface Reference {
  $ref: string;
}

interface Document {
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Response>; parameters: Record<string, Parameter> };
}

const committed = await readFile(join(PROJECT_ROOT, 'openapi.json'), 'utf8');
const { tags, paths, components } = JSON.parse(committed) as Document;
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(
    ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
  ),
);

const nameOf = ({ $ref }: Reference) => $ref.split('/').at(-1) ?? '';
const responseOf = (response: Response | Reference | undefined) =>
  response && '$ref' in response ? components.responses[nameOf(response)] : response;
const parameterOf = (parameter: Parameter | Reference) =>
  '$ref' in parameter ? components.parameters[nameOf(parameter)] : parameter;

/** The findings of Redocly's recommended rules, including warnings. */
async function redoclyProblems(): Promise<unknown[]> {
  const cli = join(PROJECT_ROOT, 'node_modules/@redocly/cli/bin/cli.js');
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const args = [cli, 'lint', 'openapi.json', '--extends=recommended', '--format=json'];
  const run = promisify(execFile)(process.execPath, args, { cwd: PROJECT_ROOT, env });
  // Exit code 1 means problems, which are on stdout all the same.
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const { problems } = JSON.parse(stdout) as {
    problems: { ruleId: string; message: string; location: { pointer?: string }[] }[];
  };
  return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`);
}

test('openapi.json is what the code says; run `npm run openapi` to write it anew', async () => {
  expect(committed === (await openApiText()), 'openapi.json is stale: run `npm run openapi`').toBe(true);
});

test('Redocly finds nothing by its recommended rules', async () => {
  expect(await redoclyProblems()).toEqual([]);
});

test('the document is at most 300 KB, with shared errors, headers and parameters as components', () => {
  expect(JSON.stringify(JSON.parse(committed)).length).toBeLessThan(300_000);
  const inlined = operations.flatMap(([name, { responses }]) =>
    Object.entries(responses).flatMap(([status, response]) =>
      status >= '400' && !('$ref' in response) ? [`${name} ${status}`] : [],
    ),
  );
  expect(inlined).toEqual([]);
  const parameters = operations.flatMap(([, operation]) => operation.parameters ?? []);
  const repeated = Map.groupBy(parameters, (parameter) => JSON.stringify(parameter));
  const kept = [...repeated].filter(([text, alike]) => alike.length > 5 && !text.includes('$ref'));
  expect(kept.map(([text]) => text)).toEqual([]);
});

test('the document names every limit that all routes share', () => {
  const { description } = (JSON.parse(committed) as { info: { description: string } }).info;
  const limits = description.slice(description.indexOf('## Limits'));
  for (const limit of ['1,000 in 10 s', '5 MiB', '64 deep', '1,000 in a batch', '10,000 lines', '3,660 days'])
    expect(limits).toContain(limit);
  for (const limit of ['20 goals', '3 dimensions', '100 values', '10,000 in a report'])
    expect(limits).toContain(limit);
});

test('there are operations, each with an id of its own', () => {
  const ids = operations.map(([, { operationId }]) => operationId);
  expect(ids.length).toBeGreaterThan(0);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
});

describe.for(operations)('%s', ([name, operation]) => {
  const success = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
  const statuses = Object.keys(operation.responses);
  const isPublic = operation.security.length === 0;

  test('is named, summed up, described in full sentences and filed under a known tag', () => {
    expect(operation.operationId).toMatch(/^[a-z]+([A-Z][a-z]+)*$/);
    expect(operation.summary).toMatch(/^[A-Z].{3,}[^.]$/);
    expect(operation.description).toMatch(/^[A-Z].{10,}[.]$/);
    expect(operation.tags).toHaveLength(1);
    expect(tags.map((tag) => tag.name)).toContain(operation.tags?.[0]);
  });

  test('has an example of the body it takes and of each success', () => {
    const { requestBody } = operation;
    if (requestBody) {
      expect(requestBody.required).toBe(true);
      expect(requestBody.content['application/json']).toHaveProperty('example');
    }
    expect(success.length).toBeGreaterThan(0);
    for (const [, response] of success)
      expect(responseOf(response)?.content?.['application/json']).toHaveProperty('example');
  });

  test('documents what it refuses, each as a problem', () => {
    const expected = new Set(['422', '500']);
    if (!isPublic) for (const status of ['401', '503']) expected.add(status);
    if (operation.security.some((scheme) => 'key' in scheme)) expected.add('403');
    if (operation.requestBody) for (const status of ['400', '413', '415']) expected.add(status);
    if (name.includes('{')) expected.add('404');
    expect(statuses).toEqual(expect.arrayContaining([...expected]));
    for (const status of statuses.filter((text) => text >= '400')) {
      expect(responseOf(operation.responses[status])?.content, status).toHaveProperty([
        'application/problem+json',
      ]);
    }
  });

  test('says of each query parameter what it is', () => {
    const undescribed = (operation.parameters ?? [])
      .map(parameterOf)
      .filter((parameter) => parameter?.in === 'query' && !parameter.description)
      .map((parameter) => parameter?.name);
    expect(undescribed).toEqual([]);
  });
});
