/** Files in a folder of this machine, served by the shop itself. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileStorage } from './file-storage.ts';

/**
 * @param dir absolute; the paths that are given to `put` must be on the same file system.
 * @param publicPath the path that the folder is served at, such as `/uploads`.
 */
export function diskStorage(dir: string, publicPath: string): FileStorage {
  return {
    async put(name, path) {
      const target = join(dir, name);
      await mkdir(dirname(target), { recursive: true });
      await flush(path);
      // Nobody ever sees half a file: it appears under its name as a whole.
      await rename(path, target);
      await flush(dirname(target));
    },
    remove: (name) => rm(join(dir, name), { force: true }),
    url: (name) => `${publicPath}/${name}`,
  };
}

/** Makes a file, or the names in a folder, survive a loss of power. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
