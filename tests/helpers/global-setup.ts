/**
 * One database server for the whole run: the one of TEST_MONGODB_URI, or the embedded store in a folder of its own.
 * Each test file uses databases with names of its own on it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface TestStore {
  process: ChildProcess;
  dir: string;
}

export default async function globalSetup(): Promise<void> {
  const given = process.env.TEST_MONGODB_URI;
  if (given) {
    process.env.FEIRA_TEST_MONGODB_URI = given;
    return;
  }
  const dir = await mkdtemp(join(tmpdir(), 'feira-test-store-'));
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/embedded-store/main.ts', dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  process.env.FEIRA_TEST_MONGODB_URI = await printedUri(child);
  (globalThis as { testStore?: TestStore }).testStore = { process: child, dir };
}

async function printedUri(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('The store has no output.');
  for await (const line of createInterface({ input: child.stdout })) {
    const uri = /^MONGODB_URI=(.+)$/.exec(line)?.[1];
    if (uri) return uri;
  }
  throw new Error('The embedded store did not start.');
}
