// One process per directory, enforced by something that the kernel gives back when its holder dies. Another process can ask
// the holder to keep still while it opens the files: LMDB's opening may undo a commit that falls into it, or crash who made it.
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Another store, of this or another process, has the directory. */
export class DirectoryInUseError extends Error {
  override name = 'DirectoryInUseError';

  constructor(dir: string) {
    const pid = readPid(dir);
    super(`the store directory ${dir} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}`);
  }
}

/** Resolves when nothing is written to LMDB, with what ends that. */
type KeepStill = () => Promise<() => void>;

export interface DirectoryLock {
  /** From now on other processes may ask to open the files. */
  receive(keepStill: KeepStill): void;
  release(): Promise<void>;
}

/** No longer; below the deadline of a write, which may have to wait for it. */
const STILL_MS = 3_000;

/**
 * Takes the directory, which is created when it does not exist. On Linux the lock is a socket in the abstract namespace,
 * named after the device and inode of the directory, and one in the directory, which other containers see too; on Windows a
 * named pipe; elsewhere (macOS) a file opened with a lock.
 * @throws DirectoryInUseError
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  // What is in it is for nobody else on the machine.
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = realpathSync(dir);
  try {
    const lock = await listenFor(path);
    writeFileSync(pidFileOf(path), `${process.pid}\n`);
    return lock;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw ['EADDRINUSE', 'EAGAIN'].includes(code) ? new DirectoryInUseError(path) : error;
  }
}

/**
 * Does the work, which opens files of a directory, while the store that has it writes nothing to LMDB.
 * @throws DirectoryInUseError when the holder does not keep still, or not for as long as the work took.
 */
export async function whileStill<T>(dir: string, work: () => T): Promise<T> {
  const path = realpathSync(dir);
  const socket = connect(doorOf(path));
  try {
    const isStill = await new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
    });
    const began = performance.now();
    if (isStill) {
      const result = work();
      if (performance.now() - began < STILL_MS) return result;
    }
    throw new DirectoryInUseError(path);
  } finally {
    socket.destroy();
  }
}

const { platform } = process;
function listenFor(path: string): Promise<DirectoryLock> {
  if (platform === 'linux') return listenInside(path);
  return platform === 'win32' ? listenAt(doorOf(path)) : listenBehindFile(path);
}

function doorOf(path: string): string {
  const { dev, ino } = statSync(path);
  const name = `feira-store-${dev}-${ino}`;
  if (platform === 'linux') return `\0${name}`;
  return platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

async function listenAt(door: string): Promise<DirectoryLock> {
  let keepStill: KeepStill | undefined;
  const server = createServer((socket) => void answer(socket, keepStill));
  server.unref();
  server.listen(door);
  await once(server, 'listening');
  return {
    receive(given) {
      keepStill = given;
    },
    async release() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** Keeps still until the other side hangs up. */
async function answer(socket: Socket, keepStill: KeepStill | undefined): Promise<void> {
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => socket.destroy());
  if (!keepStill) return void socket.destroy();
  const resume = await keepStill();
  const limit = setTimeout(() => socket.destroy(), STILL_MS);
  socket.write('still');
  await gone;
  clearTimeout(limit);
  resume();
}

/** Abstract names are seen in one network alone. Another container has its own, and meets this one in the directory. */
async function listenInside(path: string): Promise<DirectoryLock> {
  const { receive, release } = await listenAt(doorOf(path));
  const handle = openSync(path, 'r');
  const releaseBoth = (): Promise<void> => release().finally(() => closeSync(handle));
  try {
    // The name of a socket must be short.
    const inner = `/proc/self/fd/${handle}/holder.sock`;
    if (await isAnswered(inner)) throw new DirectoryInUseError(path);
    rmSync(inner, { force: true }); // left by one that was killed
    const own = await listenAt(inner).catch(() => undefined); // not every file system has sockets
    return { receive, release: () => (own?.release() ?? Promise.resolve()).finally(releaseBoth) };
  } catch (error) {
    await releaseBoth();
    throw error;
  }
}

function isAnswered(door: string): Promise<boolean> {
  const socket = connect(door);
  const answered = new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  return answered.finally(() => socket.destroy());
}

/** `O_EXLOCK` of BSD and macOS, which Node does not name: with it, opening takes the lock or fails. */
const OPEN_LOCKED = 0x20;

async function listenBehindFile(path: string): Promise<DirectoryLock> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | OPEN_LOCKED;
  const handle = openSync(join(path, 'holder.lock'), flags, 0o600);
  const door = doorOf(path);
  rmSync(door, { force: true }); // left by one that was killed
  const { receive, release } = await listenAt(door);
  return { receive, release: () => release().finally(() => closeSync(handle)) };
}

const pidFileOf = (path: string): string => join(path, 'holder.pid');

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(pidFileOf(path), 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}
