/**
 * Lets writes and flushes of the store fail under 32 writers, through strace:
 * `node --import tsx tests/store/faults/io-error-rounds.ts [rounds]`. Each round fails one kind of call on one kind of
 * file, always or now and then, for a moment; writes must come back by themselves afterwards. Every fourth round ends with
 * a kill, so that what is on the disk is compared too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type StoreProcess, startStore } from '../store-process.ts';
import { RecordedLoad, within } from './recorded-load.ts';

const rounds = Number(process.argv[2] ?? 8);
const BACK_WITHIN_MS = 10_000;
const logs = ['log-0', 'log-1'];
const base = ['data.mdb'];
const kinds = [
  { files: logs, calls: 'pwrite64', isPartial: false },
  { files: logs, calls: 'fdatasync', isPartial: false },
  // Pages, and the page that makes a commit valid.
  { files: base, calls: 'pwrite64,pwritev,writev', isPartial: false },
  { files: base, calls: 'pwrite64,pwritev,writev', isPartial: true },
  { files: base, calls: 'fdatasync', isPartial: false },
  { files: [...logs, ...base], calls: 'pwrite64,pwritev,writev,fdatasync', isPartial: false },
];
/** Which of the calls of a thread fail: one more than there are kinds, so that each kind meets each of them. */
const patterns = ['1+1', '1+3', '2+2', '3+5', '2', '5', '1'];

interface Injection {
  end(): Promise<number>;
}

/** Resolves when the calls fail; `end` when they do not any more, with the number that did. */
async function inject(store: StoreProcess, round: number): Promise<Injection> {
  const { files, calls, isPartial } = kinds[round % kinds.length] as (typeof kinds)[number];
  const pattern = patterns[round % patterns.length];
  const failure = isPartial ? 'retval=100' : `error=${Math.floor(round / kinds.length) % 3 === 1 ? 'ENOSPC' : 'EIO'}`;
  const paths = files.flatMap((file) => ['-P', join(store.dir, file)]);
  const what = ['-e', `trace=${calls}`, '-e', `inject=${calls}:${failure}:when=${pattern}`];
  const strace: ChildProcess = spawn('strace', ['-f', '-p', String(store.pid), ...paths, ...what]);
  const ended = once(strace, 'close');
  let output = '';
  strace.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  const [cause] = await Promise.race([once(strace, 'error'), once(strace.stderr ?? strace, 'data').then(() => [])]);
  if (cause || strace.exitCode !== null) throw new Error(`strace cannot be used: ${cause ?? output}`);
  return {
    async end() {
      strace.kill('SIGINT');
      await ended;
      return output.match(/\(INJECTED\)/g)?.length ?? 0;
    },
  };
}

const load = new RecordedLoad();
let store = await startStore();
const port = Number(new URL(store.uri).port);
await load.prepare(store.uri);
let injected = 0;
for (let round = 0; round < rounds; round++) {
  load.start(store.uri);
  const injection = await inject(store, round);
  await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 1_500));
  injected += await injection.end();
  const failing = load.acknowledged;
  const isBack = await within(BACK_WITHIN_MS, () => !store.isRunning() || load.acknowledged > failing + 50);
  if (!store.isRunning()) load.fault(`the process ended: ${store.log().slice(-2_000)}`);
  else if (!isBack) load.fault('writes did not come back');
  if (round % 4 === 3 || !store.isRunning()) {
    await store.kill();
    store = await startStore(store.dir, undefined, { port });
  }
  await load.stop();
  await load.check(store.uri);
}
await store.remove();
process.exit(load.report(`${rounds} rounds, ${injected} injected errors`));
