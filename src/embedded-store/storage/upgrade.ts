// LMDB's file replaced in one step: with full pages, in the present format, or by that of a backup.
import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryReader } from './directory-reader.ts';
import { explained } from './disk-space.ts';
import { checkFormat, FORMAT, FORMAT_FILE, formatOf, markFormat, ONE_TREE_FORMAT } from './format.ts';
import { DATA_FILE, Environment } from './lmdb.ts';
import { flushNames, LOG_FILES, sequenceAfterLog } from './write-ahead-log.ts';

/**
 * Before a directory is opened for writing: marks a new one, and brings one of the earlier format to the present one,
 * which takes some seconds for some hundred thousand documents.
 * @throws OtherFormatError
 */
export async function ensureFormat(dir: string): Promise<void> {
  if (!existsSync(join(dir, DATA_FILE))) markFormat(dir);
  if (formatOf(dir) === ONE_TREE_FORMAT) {
    // Killed before the mark, the next start copies the copy: what is read are all trees that there are.
    await rewriteData(dir, ONE_TREE_FORMAT);
    markFormat(dir);
  }
  checkFormat(dir);
}

/**
 * Replaces LMDB's file by a compacted copy in one step: killed at any moment, the old one or the new one is there.
 * @throws Error that says so when the disk is full; what was there is still there.
 */
export async function rewriteData(dir: string, format: string = FORMAT): Promise<void> {
  const fresh = emptyDirectory(join(dir, 'rewrite.partial'));
  try {
    const reader = new DirectoryReader(dir, format);
    await reader.copyTo(fresh).finally(() => reader.close());
    renameSync(join(fresh, DATA_FILE), join(dir, DATA_FILE));
    flushNames(dir);
  } catch (error) {
    throw explained(error, dir);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/**
 * Puts what the other directory has in the place of the store in one step: killed at any moment, the old one or the new one
 * is there. What was there can be opened at `aside`.
 */
export async function replaceStore(dir: string, fresh: string, aside: string): Promise<void> {
  const data = new Environment(fresh);
  // So that nothing of the log that is still there is taken for newer.
  await data.write([], Math.max(data.sequence, sequenceAfterLog(dir)));
  await data.close();
  mkdirSync(aside, { mode: 0o700 });
  for (const name of [DATA_FILE, FORMAT_FILE, ...LOG_FILES])
    if (existsSync(join(dir, name))) linkSync(join(dir, name), join(aside, name));
  flushNames(aside);
  renameSync(join(fresh, DATA_FILE), join(dir, DATA_FILE));
  for (const name of LOG_FILES) rmSync(join(dir, name), { force: true });
  markFormat(dir);
}

export function emptyDirectory(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
