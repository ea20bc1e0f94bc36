// One process per directory, enforced by something that the kernel gives back when its holder dies.
import { once } from 'node:events';
import { mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** Another store, of this or another process, has the directory. */
export class DirectoryInUseError extends Error {
  override name = 'DirectoryInUseError';
  readonly code = 'DIRECTORY_IN_USE';
  readonly dir: string;
  readonly pid: number | undefined;

  constructor(dir: string, pid: number | undefined) {
    super(`the store directory ${dir} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}`);
    this.dir = dir;
    this.pid = pid;
  }
}

export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes the directory, which is created when it does not exist. On Linux the lock is a socket in the abstract namespace,
 * named after the device and inode of the directory; on Windows a named pipe; elsewhere a socket in the directory, which
 * a dead holder leaves behind and its successor replaces.
 * @throws DirectoryInUseError
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  // What is in it is for nobody else on the machine.
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = realpathSync(dir);
  const pidFile = join(path, 'holder.pid');
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen(lockName(path));
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      throw new DirectoryInUseError(path, readPid(pidFile));
    throw error;
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return {
    async release() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

function lockName(path: string): string {
  const { dev, ino } = statSync(path);
  if (process.platform === 'linux') return `\0feira-store-${dev}-${ino}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\feira-store-${dev}-${ino}`;
  return join(path, 'lock.sock');
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}
