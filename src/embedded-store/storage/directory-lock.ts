// One process per directory, enforced by something that the kernel gives back when its holder dies.
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
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
 * named after the device and inode of the directory; on Windows a named pipe; elsewhere (macOS) a file opened with a lock.
 * @throws DirectoryInUseError
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  // What is in it is for nobody else on the machine.
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = realpathSync(dir);
  const pidFile = join(path, 'holder.pid');
  const { dev, ino } = statSync(path);
  const name = `feira-store-${dev}-${ino}`;
  try {
    const lock = await (process.platform === 'linux'
      ? listenOn(`\0${name}`)
      : process.platform === 'win32'
        ? listenOn(`\\\\.\\pipe\\${name}`)
        : openLocked(join(path, 'holder.lock')));
    writeFileSync(pidFile, `${process.pid}\n`);
    return lock;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw ['EADDRINUSE', 'EAGAIN'].includes(code) ? new DirectoryInUseError(path, readPid(pidFile)) : error;
  }
}

async function listenOn(name: string): Promise<DirectoryLock> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen(name);
  await once(server, 'listening');
  return {
    async release() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** `O_EXLOCK` of BSD and macOS, which Node does not name: with it, opening takes the lock or fails. */
const OPEN_LOCKED = 0x20;

async function openLocked(file: string): Promise<DirectoryLock> {
  const handle = openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | OPEN_LOCKED, 0o600);
  return { release: async () => closeSync(handle) };
}

function readPid(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}
