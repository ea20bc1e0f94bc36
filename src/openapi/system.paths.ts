/** The addresses for those who run the shop, in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { json, notModified, probe, read } from './operation.ts';
import { ifNoneMatchHeader } from './parameters.ts';

const system: [string] = ['System'];

export const systemPaths: ZodOpenApiPathsObject = {
  '/healthz': {
    get: probe({
      operationId: 'getHealth',
      tags: system,
      summary: 'Is the process alive?',
      answers: { 200: json(z.object({ status: z.literal('ok') }), 'It is') },
    }),
  },
  '/readyz': {
    get: probe({
      operationId: 'getReadiness',
      tags: system,
      summary: 'Can it serve requests?',
      description: 'Answers 503 while the shop is stopping or cannot reach its database.',
      answers: { 200: json(z.object({ status: z.literal('ready') }), 'It can') },
      refusals: ['UNAVAILABLE'],
    }),
  },
  '/openapi.json': {
    get: read({
      operationId: 'getApiDocument',
      tags: system,
      summary: 'This document',
      requestParams: { header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: json(z.looseObject({ openapi: z.string() }), 'OpenAPI 3.1', 'ETag'), 304: notModified },
    }),
  },
};
