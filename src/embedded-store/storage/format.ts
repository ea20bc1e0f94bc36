// The format of a directory, in a file of its own: LMDB's meta page has the same magic and version for files that cannot
// be exchanged. lmdb 3 notes runs of free pages as negative numbers; lmdb 2 takes them for pages, and a process that writes
// into such a file fails or ends.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { flushNames } from './write-ahead-log.ts';

/** To be raised when another version of lmdb, or of this room, cannot write what this one wrote. */
const FORMAT = '2';
const FORMAT_FILE = 'format';

/** The directory is in a format that this version must not open. */
export class OtherFormatError extends Error {
  override name = 'OtherFormatError';

  constructor(dir: string) {
    super(
      `the store in ${dir} is in the format of another version, which this one cannot open: remove the directory, or ` +
        'start with another one (DATA_DIR); a backup that the other version makes can be restored here',
    );
  }
}

/** @throws OtherFormatError */
export function checkFormat(dir: string): void {
  const file = join(dir, FORMAT_FILE);
  if (!existsSync(file) || readFileSync(file, 'utf8').trim() !== FORMAT) throw new OtherFormatError(dir);
}

/** Says it of a directory that has no data yet, or that of a backup: those have no free pages. */
export function markFormat(dir: string): void {
  const file = openSync(join(dir, FORMAT_FILE), 'w', 0o600);
  try {
    writeSync(file, `${FORMAT}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  flushNames(dir);
}
