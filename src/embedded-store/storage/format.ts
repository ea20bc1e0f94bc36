// The format of a directory, in a file of its own: LMDB's meta page has the same magic and version for files that cannot
// be exchanged. lmdb 3 notes runs of free pages as negative numbers; lmdb 2 takes them for pages, and a process that writes
// into such a file fails or ends.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flushNames } from './write-ahead-log.ts';

/** To be raised when another version of lmdb, or of this room, cannot write or read what this one wrote. */
export const FORMAT = '3';
/** All keys in the first tree; `upgrade.ts` reads it. */
export const ONE_TREE_FORMAT = '2';
export const FORMAT_FILE = 'format';

/** The directory is in a format that this version must not open. */
export class OtherFormatError extends Error {
  override name = 'OtherFormatError';

  constructor(dir: string, format: string | undefined) {
    super(
      format === ONE_TREE_FORMAT
        ? `the store in ${dir} is in the format of an earlier version: start it once, and it is brought to that of this one`
        : `the store in ${dir} is in the format of another version, which this one cannot open: remove the directory, or ` +
            'start with another one (DATA_DIR); a backup that the other version makes can be restored here',
    );
  }
}

/** What the directory says of itself. */
export function formatOf(dir: string): string | undefined {
  const file = join(dir, FORMAT_FILE);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** Before LMDB sees the file. @throws OtherFormatError */
export function checkFormat(dir: string, expected = FORMAT): void {
  const format = formatOf(dir);
  if (format !== expected) throw new OtherFormatError(dir, format);
}

/**
 * Says it of a directory that has no data yet, that was upgraded, or of a backup's copy, which has no free pages; in one
 * step, since a directory that says nothing is refused.
 */
export function markFormat(dir: string, format = FORMAT): void {
  const file = join(dir, FORMAT_FILE);
  writeFileSync(`${file}.partial`, `${format}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.partial`, file);
  flushNames(dir);
}
