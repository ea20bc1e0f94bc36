// The thread that the store runs in. It tells its parent when it listens, passes its log on, and stops on 'close'.
import { parentPort, workerData } from 'node:worker_threads';
import { type ServerOptions, startServer } from './server.ts';

export type FromWorker =
  | { type: 'listening'; uri: string }
  | { type: 'failed'; message: string }
  | { type: 'log'; level: 'info' | 'warn' | 'error'; fields: object; message: string };

const send = (message: FromWorker): void => parentPort?.postMessage(message);

const logAt =
  (level: 'info' | 'warn' | 'error') =>
  (fields: object, message: string): void =>
    send({ type: 'log', level, fields: plainFields(fields), message });

/** Errors cannot be posted with all they have: their text can. */
function plainFields(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? { type: value.name, message: value.message, stack: value.stack } : value,
    ]),
  );
}

// When a commit fails, lmdb rejects promises that nobody was given; they must not end the thread. The failure itself is
// reported by the storage.
process.on('unhandledRejection', (error) =>
  send({ type: 'log', level: 'error', fields: plainFields({ err: error }), message: 'a promise was rejected unseen' }),
);

try {
  const server = await startServer(workerData as ServerOptions, {
    info: logAt('info'),
    warn: logAt('warn'),
    error: logAt('error'),
  });
  parentPort?.once('message', async () => {
    await server.close();
    parentPort?.close();
  });
  send({ type: 'listening', uri: server.uri });
} catch (error) {
  send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  parentPort?.close();
}
