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
  /** Stops it and deletes its directory. */
  remove(): Promise<void>;
}

/**
 * Starts it on a directory, a new one by default. Rejects with what it printed when it does not start.
 * @param sweepMs how often it looks for documents that have expired.
 */
export async function startStore(dir?: string, sweepMs = 60_000): Promise<StoreProcess> {
  const path = dir ?? (await mkdtemp(join(tmpdir(), 'feira-store-')));
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/embedded-store/main.ts', path, '0', String(sweepMs)]);
  const uri = await printedUri(child);
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
    async kill() {
      await end('SIGKILL');
    },
    async remove() {
      await end('SIGTERM');
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function printedUri({ stdout, stderr }: ChildProcessWithoutNullStreams): Promise<string> {
  let complaint = '';
  stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  for await (const line of createInterface({ input: stdout })) {
    const uri = /^MONGODB_URI=(.+)$/.exec(line)?.[1];
    if (uri) {
      stdout.resume();
      return uri;
    }
  }
  throw new Error(complaint.trim() || 'the store did not start');
}
