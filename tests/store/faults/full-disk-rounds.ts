/**
 * Fills the disk of the store under 32 writers and frees it again:
 * `node --import tsx tests/store/faults/full-disk-rounds.ts [rounds] [limit]`. While it is full, writes must end in
 * error 14031 and reads must work; afterwards writes must come back by themselves. In every second round the store is
 * killed and started again while the disk is full. Mounts a file system of its own, as root; with `limit` it limits the
 * size of the store's files, which needs no rights.
 */
import { type StoreProcess, startStore } from '../store-process.ts';
import { RecordedLoad, withDatabase, within } from './recorded-load.ts';
import { limitedFiles, mountedDisk, type SmallDisk } from './small-disk.ts';

const rounds = Number(process.argv[2] ?? 5);
const DISK_MB = 128;
const FULL_WITHIN_MS = 30_000;
const BACK_WITHIN_MS = 10_000;
const READ_WITHIN_MS = 1_000;
const FULL = '14031 OutOfDiskSpace';

let disk: SmallDisk;
try {
  disk = process.argv[3] === 'limit' ? limitedFiles() : mountedDisk(DISK_MB);
} catch (error) {
  console.log(`cannot mount a disk to fill: be root, or add "limit". ${(error as Error).message.trim()}`);
  process.exit(2);
}
// Large documents fill the log soon.
const load = new RecordedLoad(4_000);
let store: StoreProcess = await startStore(disk.dir);
const port = Number(new URL(store.uri).port);
await load.prepare(store.uri);

async function readsWork(): Promise<void> {
  const start = Date.now();
  await withDatabase(store.uri, (db) => db.collection('counters').find().toArray());
  if (Date.now() - start > READ_WITHIN_MS) load.fault(`a read took ${Date.now() - start} ms while the disk was full`);
}

for (let round = 1; round <= rounds; round++) {
  load.errors.clear();
  load.start(store.uri);
  const before = load.acknowledged;
  if (!(await within(BACK_WITHIN_MS, () => load.acknowledged > before + 50)))
    load.fault('no writes before it was full');
  disk.fill(store.pid);
  if (!(await within(FULL_WITHIN_MS, () => load.errors.has(FULL)))) load.fault(`not full: ${[...load.errors.keys()]}`);
  await readsWork();
  if (round % 2 === 0) {
    await store.kill();
    store = await startStore(disk.dir, undefined, { port });
    disk.fill(store.pid);
    await readsWork();
  }
  const full = load.acknowledged;
  disk.free(store.pid);
  if (!(await within(BACK_WITHIN_MS, () => load.acknowledged > full + 50))) load.fault('writes did not come back');
  await load.stop();
  if (!store.isRunning()) load.fault(`the process ended: ${store.log()}`);
  await load.check(store.uri);
}
await store.stop();
disk.remove();
process.exit(load.report(`${rounds} full disks`));
