import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The embedded store in a process of its own, which a test may kill. */
export interface StoreProcess {
  uri: string;
  dir: string;
  pid: number;
  /** SIGTERM; the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: nothing is flushed or closed. */
  kill(): Promise<void>;
  /** What it has logged so far. */
  log(): string;
  /** False when it has ended, by itself or not. */
  isRunning(): boolean;
  /** Stops it and deletes its directory. */
  remove(): Promise<void>;
}

export interface StartOptions {
  /** Where it listens; a free port by default. */
  port?: number;
  /** Code of a module that runs before it. */
  preload?: string;
}

/**
 * Starts it on a directory, a new one by default. Rejects with what it printed when it does not start.
 * @param sweepMs how often it looks for documents that have expired.
 */
export async function startStore(
  dir?: string,
  sweepMs = 60_000,
  { port = 0, preload = '' }: StartOptions = {},
): Promise<StoreProcess> {
  const path = dir ?? (await mkdtemp(join(tmpdir(), 'feira-store-')));
  const imports = ['--import', 'tsx', '--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  const main = ['src/embedded-store/main.ts', path, String(port), String(sweepMs)];
  const child = spawn(process.execPath, [...imports, ...main]);
  // Its end of the pipes breaks when it is killed.
  for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.on('error', () => undefined);
  let log = '';
  child.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const uri = await printedUri(child, () => log);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    return (await exited)[0];
  };
  return {
    uri,
    dir: path,
    pid: child.pid ?? 0,
    stop: () => end('SIGTERM'),
    log: () => log,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async kill() {
      await end('SIGKILL');
    },
    async remove() {
      await end('SIGTERM');
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function printedUri({ stdout }: ChildProcessWithoutNullStreams, log: () => string): Promise<string> {
  for await (const line of createInterface({ input: stdout })) {
    const uri = /^MONGODB_URI=(.+)$/.exec(line)?.[1];
    if (uri) {
      stdout.resume();
      return uri;
    }
  }
  throw new Error(log().trim() || 'the store did not start');
}
