/** Answers measured against the OpenAPI document that the server itself gives. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Response } from 'supertest';
import type { ApiDocument } from '../../src/openapi/document.ts';
import type { Feira } from './start-feira.ts';

export const API_METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type ApiMethod = (typeof API_METHODS)[number];

export async function readApiDocument(feira: Pick<Feira, 'api'>): Promise<ApiDocument> {
  const { body } = await feira.api.get('/openapi.json').expect(200);
  return body;
}

/**
 * How an answer differs from what the document says about it: an unknown status, a header that is promised and
 * missing, a body that does not fit, a member that is not in the schema. Empty when it fits.
 */
export function misfits(document: ApiDocument, method: ApiMethod, path: string, answer: Response): string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true, discriminator: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  const resolve = (value: unknown): unknown => {
    const ref = (value as { $ref?: string } | undefined)?.$ref;
    return ref ? resolve(at(document, ref.slice(2).split('/'))) : value;
  };
  const responses = at(document, ['paths', path, method, 'responses']) as Record<string, unknown> | undefined;
  const response = resolve(responses?.[answer.status]) as
    | { headers?: object; content?: Record<string, { schema: object }> }
    | undefined;
  if (!response) return [`${method} ${path}: ${answer.status} is not in the document`];

  const type = answer.type || undefined;
  const schema = type && response.content?.[type]?.schema;
  if (type && !schema) return [`${answer.status}: the document does not know the content type ${type}`];
  if (!schema) return [];
  const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/')));
  const body = JSON.parse(answer.text);
  if (validate(body)) return [];
  return (validate.errors ?? []).map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`);
}

/** The headers that the document promises for an answer. */
export function promisedHeaders(document: ApiDocument, method: ApiMethod, path: string, status: number): string[] {
  const response = at(document, ['paths', path, method, 'responses', String(status)]) as { headers?: object };
  return Object.keys(response.headers ?? {});
}

function at(value: unknown, keys: string[]): unknown {
  return keys.reduce<unknown>(
    (inner, key) => (inner as Record<string, unknown> | undefined)?.[key.replaceAll('~1', '/')],
    value,
  );
}
