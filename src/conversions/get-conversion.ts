import * as z from 'zod';
import { ApiError } from '../http/errors.ts';
import { operation } from '../http/operation.ts';
import { Conversion, storedConversionExample } from './conversion-schema.ts';
import { conversionOut, type StoredConversion, selectConversion } from './conversion-sql.ts';

export const getConversion = operation({
  method: 'get',
  path: '/v1/conversions/{id}',
  id: 'getConversion',
  tag: 'Conversions',
  summary: 'Get a conversion',
  description: 'Returns one conversion by its id, with its gross value and its value net of adjustments.',
  access: 'read',
  params: z.object({ id: z.string().meta({ example: 'order-1' }) }),
  query: z.object({}),
  success: {
    status: 200,
    description: 'The conversion.',
    schema: Conversion,
    example: storedConversionExample,
  },
  errors: ['not_found'],
  handle: async ({ database, workspace }, { params }) => {
    const [row] = await database.query<StoredConversion>(selectConversion(workspace.id, params.id));
    if (!row) throw new ApiError('not_found', 'No conversion has this id.');
    return { body: conversionOut(row) };
  },
});
