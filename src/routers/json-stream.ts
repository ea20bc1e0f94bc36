/** A JSON document that is sent while it is read: however long its lists are, little of it is in memory. */

import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';

const CHUNK = 16 * 1024;

/**
 * Sends an object; members that are async iterables become arrays. When one of them fails, the answer breaks off: no
 * reader takes half of it for the whole. Resolves as well when the reader goes away.
 */
export async function sendJsonStream(res: Response, members: object): Promise<void> {
  res.type('json');
  // Headers without the document: nothing of it is read.
  if (res.req.method === 'HEAD') return void res.end();
  try {
    await pipeline(inChunks(jsonOf(members)), res);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  }
}

async function* jsonOf(members: object): AsyncGenerator<string> {
  let before = '{\n';
  for (const [name, value] of Object.entries(members)) {
    yield `${before}${JSON.stringify(name)}: `;
    before = ',\n';
    if (isAsyncIterable(value)) yield* listOf(value);
    else yield JSON.stringify(value);
  }
  yield '\n}\n';
}

async function* listOf(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  let before = '[';
  for await (const item of items) {
    yield `${before}\n${JSON.stringify(item)}`;
    before = ',';
  }
  yield before === '[' ? '[]' : '\n]';
}

/** Few large writes instead of many small ones. */
async function* inChunks(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
