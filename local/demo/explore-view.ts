import type { Paint } from './terminal.ts';

/** Everything that a reader needs to continue on their own. */
export interface Exploration {
  url: string;
  rootKey: string;
  token: string;
  from: string;
  to: string;
}

/** URLs, keys, and two requests to paste into another terminal. */
export function exploreLines({ url, rootKey, token, from, to }: Exploration, paint: Paint): string[] {
  const entry = (name: string, text: string) => `${paint('dim', name.padEnd(15))}${text}`;
  return [
    entry('API', url),
    entry('reference', `${url}/docs`),
    entry('document', `${url}/openapi.json`),
    entry('workspace key', token),
    entry('root key', rootKey),
    '',
    paint('dim', '# Which campaigns, on which channels?'),
    `export KEY=${token}`,
    `curl -G ${url}/v1/reports/attribution -H "Authorization: Bearer $KEY" \\`,
    `  -d goal=purchase -d from=${from} -d to=${to} -d group_by=channel,campaign \\`,
    '  -d models=linear,position_based -d format=csv',
    '',
    paint('dim', '# Record a touchpoint of your own'),
    `curl ${url}/v1/touchpoints -H "Authorization: Bearer $KEY" \\`,
    `  -H 'Content-Type: application/json' -d '{"touchpoints": [`,
    `    {"kind": "mention", "channel": "x", "person": {"x": "@you"}}]}'`,
  ];
}
