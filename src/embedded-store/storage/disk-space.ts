// Whether errors of the disk come from its being full.
import { statfsSync } from 'node:fs';

/** A disk with less than this is full. */
const FULL_BYTES = 1024 * 1024;
const NO_SPACE = /ENOSPC|EDQUOT|EFBIG|no space|quota|too large/i;

export function isFull(dir: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize < FULL_BYTES;
  } catch {
    return false;
  }
}

export function noSpace(): Error {
  return new Error('no space left on the device');
}

/** LMDB reports a full disk as an input/output error; a limit of size is one too. */
export function explained(error: unknown, dir: string): Error {
  const cause = error instanceof Error ? error : new Error(String(error));
  return NO_SPACE.test(cause.message) || isFull(dir) ? noSpace() : cause;
}
