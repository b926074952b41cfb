import { expect, test } from 'vitest';
import { ERRORS } from '../../src/http/errors.ts';
import { sourceFiles, textOf } from './project-files.ts';

const code = sourceFiles.filter((path) => path.startsWith('src/')).map(textOf);

test('every code of the error table is thrown somewhere', () => {
  const unused = Object.keys(ERRORS).filter(
    (name) => !code.some((text) => new RegExp(`ApiError\\(\\s*'${name}'`).test(text)),
  );
  expect(unused).toEqual([]);
});
