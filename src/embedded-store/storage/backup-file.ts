// A backup is a compacted copy of LMDB's file, then a line with the format and the checksum of what is before it.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { FORMAT, ONE_TREE_FORMAT } from './format.ts';

const LAST_LINE = /^\nembedded-store backup ([12]), sha256 ([\da-f]{64})\n$/;
const LAST_LINE_BYTES = 98;

/** Makes a backup of the copy, in place and flushed. @returns its size in bytes. */
export async function seal(copy: string): Promise<number> {
  const hash = createHash('sha256');
  for await (const chunk of hashed(createReadStream(copy), hash)) void chunk;
  const file = await open(copy, 'a');
  try {
    await file.chmod(0o600);
    await file.write(`\nembedded-store backup 2, sha256 ${hash.digest('hex')}\n`);
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/**
 * Writes the copy that is in the backup to a new file, flushed.
 * @returns the format of the copy. @throws Error, after having written it, when the backup is damaged.
 */
export async function unseal(backup: string, copy: string): Promise<string> {
  const length = Math.max(1, statSync(backup).size - LAST_LINE_BYTES);
  const line = await text(createReadStream(backup, { start: length }));
  const [, version, expected] = LAST_LINE.exec(line) ?? [];
  if (!expected) throw new Error(`${backup} is not a backup, or its end is missing`);
  const hash = createHash('sha256');
  const source = createReadStream(backup, { end: length - 1 });
  await pipeline(hashed(source, hash), createWriteStream(copy, { flags: 'wx', mode: 0o600, flush: true }));
  if (hash.digest('hex') !== expected) throw new Error(`${backup} is damaged: its checksum is another one`);
  return version === '1' ? ONE_TREE_FORMAT : FORMAT;
}

async function* hashed(source: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}
