import { join } from 'node:path';
import pg from 'pg';
import { startNeonServer } from '../../local/neon-server.ts';
import { type ProcessGroup, startGroup } from '../../local/processes.ts';
import { openPostgres } from '../../local/sql-backend.ts';
import { PROJECT_ROOT, startWorkerd } from '../../local/workerd.ts';
import type { Json } from './api.ts';

/** Isolates of different configurations over one database, and the command that rotates their secrets. */
export interface Deployment {
  databaseUrl: string;
  /** A new isolate with these secrets. */
  isolate(secrets: Record<string, string>): Promise<Isolate>;
  /** Runs `npm run rotate-identities` to its end. */
  rotate(secrets: Record<string, string>, ...args: string[]): Promise<{ how: string; output: string }>;
  /** Starts it. */
  startRotation(
    secrets: Record<string, string>,
    args: string[],
    onOutput?: (text: string) => void,
  ): ProcessGroup;
  rows<R extends object = Json>(query: string, params?: unknown[]): Promise<R[]>;
  close(): Promise<void>;
}

export interface Isolate {
  url: string;
  ask(method: string, path: string, token: string, body?: unknown, headers?: Json): Promise<DeploymentAnswer>;
  makeWorkspace(): Promise<{ id: string; token: string }>;
}

export interface DeploymentAnswer {
  status: number;
  body: Json;
  headers: Headers;
}

export const DEPLOYMENT_ROOT_KEY = 'root-key-of-the-deployment-0123456789abcdef';

const COMMAND = join(PROJECT_ROOT, 'local/rotate-identities.ts');

/** @param databaseUrl a migrated database */
export async function openDeployment(databaseUrl: string, bundle: string): Promise<Deployment> {
  const backend = await openPostgres(databaseUrl);
  const neon = await startNeonServer({ backend });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  const undo = [() => pool.end(), () => neon.close(), () => backend.close()];
  const startRotation: Deployment['startRotation'] = (secrets, args, onOutput) =>
    startGroup({
      command: process.execPath,
      args: [COMMAND, ...args],
      env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, ...secrets },
      ...(onOutput && { onOutput }),
    });
  return {
    databaseUrl,
    isolate: async (secrets) => {
      const env = { DATABASE_URL: neon.connectionString, ROOT_KEY: DEPLOYMENT_ROOT_KEY, ...secrets };
      const worker = await startWorkerd({ bundle, env });
      undo.push(() => worker.stop());
      return isolateAt(worker.url);
    },
    startRotation,
    rotate: async (secrets, ...args) => {
      const running = startRotation(secrets, args);
      const how = await running.exited;
      return { how, output: running.output() };
    },
    rows: async <R extends object>(query: string, params: unknown[] = []) =>
      (await pool.query<R>(query, params)).rows,
    close: async () => {
      for (const step of undo.toReversed()) await step();
    },
  };
}

function isolateAt(url: string): Isolate {
  const ask: Isolate['ask'] = async (method, path, token, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json(), headers: response.headers };
  };
  return {
    url,
    ask,
    makeWorkspace: async () => {
      const { body } = await ask('POST', '/v1/workspaces', DEPLOYMENT_ROOT_KEY, { name: 'W' });
      return { id: body.workspace.id, token: body.key.token };
    },
  };
}
