// The only door of the embedded store: a MongoDB-compatible server over LMDB, in a thread of its own.
// The seam with the application is the URI. This room imports nothing of the application and can be lifted out of it.
// See README.md for what is supported, the file format and the limits.
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Logger } from './engine/engine.ts';
import type { ServerOptions } from './server.ts';
import type { FromWorker } from './worker.ts';

export type { Logger };

export interface EmbeddedStoreOptions {
  /** Created when it does not exist. */
  dir: string;
  /** 0 takes a free port. */
  port?: number;
  log: Logger;
  /** How often expired documents are removed; 60 s. */
  sweepIntervalMs?: number;
}

export interface EmbeddedStore {
  uri: string;
  /** Ends open connections, flushes and releases the directory. */
  close(): Promise<void>;
}

/** After a thread ended by itself, the next one starts after this time, twice as long each time. */
const RESTART_AFTER_MS = 100;
const RESTART_AFTER_AT_MOST_MS = 5_000;
/** So many in a row, each within this time of the last, are too many. */
const RESTARTS = 10;
const STEADY_AFTER_MS = 60_000;

/**
 * Starts the store and resolves when it accepts connections. Should its thread end by itself, another one takes its place
 * at the same address.
 * @throws Error that names the process when another one, or another store of this one, has the directory.
 */
export async function startEmbeddedStore({
  dir,
  port = 0,
  log,
  sweepIntervalMs = 60_000,
}: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const first = await startThread({ dir, port, sweepIntervalMs }, log);
  const sameAddress: ServerOptions = { dir, port: Number(new URL(first.uri).port), sweepIntervalMs };
  const closing = new AbortController();
  let current = first;
  const keepRunning = async (): Promise<void> => {
    let startedAt = performance.now();
    for (let restarts = 0; ; restarts++) {
      await current.ended;
      if (performance.now() - startedAt > STEADY_AFTER_MS) restarts = 0;
      if (closing.signal.aborted) return;
      if (restarts === RESTARTS) return log.error({ restarts }, 'the embedded store is not started again');
      const delay = Math.min(RESTART_AFTER_MS * 2 ** restarts, RESTART_AFTER_AT_MOST_MS);
      await setTimeout(delay, undefined, { signal: closing.signal }).catch(() => {});
      if (closing.signal.aborted) return;
      startedAt = performance.now();
      try {
        current = await startThread(sameAddress, log);
        log.warn({ uri: current.uri }, 'the embedded store was started again');
      } catch (error) {
        log.error({ err: error }, 'the embedded store cannot be started again yet');
      }
      if (closing.signal.aborted) current.stop();
    }
  };
  const finished = keepRunning();
  return {
    uri: first.uri,
    close() {
      closing.abort();
      current.stop();
      return finished;
    },
  };
}

interface Thread {
  uri: string;
  /** Flushes and ends it. */
  stop(): void;
  /** Resolves when it has ended, by itself or not. */
  ended: Promise<void>;
}

/** Resolves when the thread listens. */
function startThread(workerData: ServerOptions, log: Logger): Promise<Thread> {
  const worker = startWorker(workerData);
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    worker.on('error', (error) => {
      log.error({ err: error }, 'the thread of the embedded store ended');
      reject(error);
    });
    worker.once('exit', (code) => reject(new Error(`the thread of the embedded store ended with code ${code}`)));
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'log') log[message.level](message.fields, message.message);
      else if (message.type === 'failed') reject(new Error(message.message));
      else resolve({ uri: message.uri, stop: () => worker.postMessage('close'), ended });
    });
  });
}

/** What a command allocates is gone with its reply: a small nursery is as fast and keeps the process small. */
const resourceLimits = { maxYoungGenerationSizeMb: 16 };

/** From source, the thread has to register tsx for itself: on Node 20 it does not inherit the loader of its parent. */
function startWorker(workerData: ServerOptions): Worker {
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./worker.js', import.meta.url), { workerData, resourceLimits });
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const entry = JSON.stringify(new URL('./worker.ts', import.meta.url).href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { eval: true, execArgv: [], workerData, resourceLimits });
}
