import { expect, test } from 'vitest';
import { normaliseOrigin } from '../../src/domain/origins.ts';

test.for([
  ['https://shop.example', 'https://shop.example'],
  ['HTTPS://Shop.Example', 'https://shop.example'],
  ['https://shop.example:443', 'https://shop.example'],
  ['https://shop.example:8443', 'https://shop.example:8443'],
  ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ['http://localhost:3000', 'http://localhost:3000'],
  ['http://127.0.0.1:80', 'http://127.0.0.1'],
] as const)('%s is the origin %s', ([text, origin]) => {
  expect(normaliseOrigin(text)).toBe(origin);
});

test.for([
  'http://shop.example',
  'http://localhost.example',
  'https://shop.example/',
  'https://shop.example/path',
  'https://shop.example?x',
  'https://ann@shop.example',
  'https://*.shop.example',
  'https://shop.example\\@evil.example',
  'shop.example',
  'ftp://shop.example',
  'https://',
  'null',
  '*',
  '',
])('%s is none that a key may name', (text) => {
  expect(normaliseOrigin(text)).toBeNull();
});
