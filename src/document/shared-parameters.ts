import type { OpenAPIHono } from '@hono/zod-openapi';

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;
type Parameter = { name: string; in: string };

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/**
 * Moves parameters that several operations share to `components`, each under its own name, such
 * as `limit`. If one name has several meanings, the most frequent parameter is shared, and the
 * others stay in their operations.
 */
export function withSharedParameters(document: Document): Document {
  const { paths = {}, components } = document;
  const operations = Object.values(paths).flatMap((path) =>
    METHODS.flatMap((method) => path?.[method] ?? []),
  );
  const parameters = operations.flatMap((operation) => (operation.parameters ?? []) as Parameter[]);
  const shared = new Map<string, Parameter>();
  for (const [name, named] of Map.groupBy(parameters, (parameter) => parameter.name)) {
    const alike = [...Map.groupBy(named, (parameter) => JSON.stringify(parameter)).values()];
    const [most = []] = alike.toSorted((a, b) => b.length - a.length);
    if (most[0] && most.length > 1) shared.set(name, most[0]);
  }
  const reference = (parameter: Parameter) => {
    const known = shared.get(parameter.name);
    return JSON.stringify(known) === JSON.stringify(parameter)
      ? { $ref: `#/components/parameters/${parameter.name}` }
      : parameter;
  };
  for (const operation of operations) {
    if (operation.parameters)
      operation.parameters = (operation.parameters as Parameter[]).map(reference) as never;
  }
  return { ...document, components: { ...components, parameters: Object.fromEntries(shared) as never } };
}
