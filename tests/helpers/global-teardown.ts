import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { TestStore } from './global-setup.ts';

export default async function globalTeardown(): Promise<void> {
  const { testStore } = globalThis as { testStore?: TestStore };
  if (!testStore) return;
  const exited = once(testStore.process, 'exit');
  testStore.process.kill('SIGTERM');
  await exited;
  await rm(testStore.dir, { recursive: true, force: true });
}
