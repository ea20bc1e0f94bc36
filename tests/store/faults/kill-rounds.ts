/**
 * Kills the store with SIGKILL at random moments under 32 writers, starts it again while they try to go on, and compares
 * what it has with what was acknowledged: `node --import tsx tests/store/faults/kill-rounds.ts [rounds]`.
 */
import { startStore } from '../store-process.ts';
import { RecordedLoad } from './recorded-load.ts';

const rounds = Number(process.argv[2] ?? 20);
const load = new RecordedLoad();
let store = await startStore();
const port = Number(new URL(store.uri).port);
await load.prepare(store.uri);
for (let round = 1; round <= rounds; round++) {
  load.start(store.uri);
  await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 800));
  await store.kill();
  // On the same port: drivers send again what was not answered.
  store = await startStore(store.dir, undefined, { port });
  await load.stop();
  await load.check(store.uri);
}
await store.remove();
process.exit(load.report(`${rounds} kills`));
