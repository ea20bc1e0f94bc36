import type { WithTestStore } from './global-setup.ts';

export default async function globalTeardown(): Promise<void> {
  await (globalThis as WithTestStore).testStore?.remove();
}
