// The only door of the embedded store: a MongoDB-compatible server over LMDB, in a thread of its own.
// The seam with the application is the URI. This room imports nothing of the application and can be lifted out of it.
// See README.md for what is supported, the file format and the limits.
import { Worker } from 'node:worker_threads';
import type { Logger } from './engine/engine.ts';
import type { ServerOptions } from './server.ts';
import { DirectoryInUseError } from './storage/directory-lock.ts';
import type { FromWorker } from './worker.ts';

export { DirectoryInUseError } from './storage/directory-lock.ts';
export type { Logger };

export interface EmbeddedStoreOptions {
  /** Created when it does not exist. */
  dir: string;
  /** 0 takes a free port. */
  port?: number;
  /** There is no login: keep it on loopback. */
  host?: string;
  log: Logger;
  /** How often expired documents are removed; 60 s. */
  sweepIntervalMs?: number;
}

export interface EmbeddedStore {
  uri: string;
  /** Ends open connections, flushes and releases the directory. */
  close(): Promise<void>;
}

/**
 * Starts the store and resolves when it accepts connections.
 * @throws DirectoryInUseError when another process, or another store of this one, has the directory.
 */
export function startEmbeddedStore({
  dir,
  port = 0,
  host = '127.0.0.1',
  log,
  sweepIntervalMs = 60_000,
}: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const workerData: ServerOptions = { dir, host, port, sweepIntervalMs };
  const worker = startWorker(workerData);
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    worker.once('error', (error) => {
      log.error({ err: error }, 'the thread of the embedded store ended');
      reject(error);
    });
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'log') log[message.level](message.fields, message.message);
      else if (message.type === 'failed')
        reject(
          message.inUse ? new DirectoryInUseError(message.inUse.dir, message.inUse.pid) : new Error(message.message),
        );
      else if (message.type === 'listening') resolve({ uri: message.uri, close: closeOnce(worker, exited) });
    });
  });
}

/** From source, the thread has to register tsx for itself: on Node 20 it does not inherit the loader of its parent. */
function startWorker(workerData: ServerOptions): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), { workerData });
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const entry = JSON.stringify(new URL('./worker.ts', import.meta.url).href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(code, { eval: true, execArgv: [], workerData });
}

function closeOnce(worker: Worker, exited: Promise<void>): () => Promise<void> {
  let closing: Promise<void> | null = null;
  return () => {
    if (!closing) {
      worker.postMessage('close');
      closing = exited;
    }
    return closing;
  };
}
