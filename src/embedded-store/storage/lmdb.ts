// The only importer of lmdb: how the file is opened, and how it is read.
// lmdb stays at 2.9.4: 3.5.6 writes the text about a page that it could not write beyond the 100 bytes it has for it, which
// can end the process. What a move to another version takes is in README.md.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { checkFormat, markFormat } from './format.ts';
import type { Entry, Key, View } from './layer.ts';

export type Root = RootDatabase<Buffer, string>;
export type ReadTransaction = ReturnType<Database['useReadTransaction']>;

export const DATA_FILE = 'data.mdb';
const MAP_SIZE = 2 ** 36;
/** The sequence of the last write that LMDB has; below all other keys. */
export const SEQUENCE_KEY = '\0\0\0\0\0sequence';

/** @throws OtherFormatError before LMDB has seen the file, and what LMDB says about it. */
export function openRoot(dir: string, readOnly = false): Root {
  if (existsSync(join(dir, DATA_FILE))) checkFormat(dir);
  else markFormat(dir);
  return open<Buffer, string>({
    path: dir,
    noSubdir: false,
    readOnly,
    encoding: 'binary',
    mapSize: MAP_SIZE,
    maxReaders: 512,
    // A commit is answered after LMDB's own order of flushes: data, then meta page.
    overlappingSync: false,
    ...NOT_IN_TYPES,
  });
}

/** What LMDB has: the newest, or what the transaction sees. */
export function rootView(root: Root, transaction?: ReadTransaction): View {
  const options = transaction && { transaction };
  return {
    get: (key) => root.get(key, options),
    range: ({ start, end, reverse = false }) => ({
      *[Symbol.iterator](): Generator<Entry> {
        const bounds = reverse
          ? { start: end, end: start, reverse, exclusiveStart: true, inclusiveEnd: true }
          : { start, end };
        for (const { key, value } of root.getRange({ ...bounds, ...options })) yield [key as Key, value];
      },
    }),
  };
}

export function storedSequence(root: Root): number {
  return Number(root.get(SEQUENCE_KEY)?.readDoubleLE() ?? 0);
}

const binaryStringKeys = {
  writeKey: (key: string, target: Buffer, start: number): number => start + target.write(key, start, 'latin1'),
  readKey: (target: Buffer, start: number, end: number): string => target.toString('latin1', start, end),
};

/** Options that lmdb's types leave out: keys as binary strings, counting the pages that are written. */
const NOT_IN_TYPES = { keyEncoder: binaryStringKeys, trackMetrics: true };
