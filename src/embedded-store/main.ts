// Runs the store by itself: `node --import tsx src/embedded-store/main.ts <dir> [port] [sweepMs]` prints
// `MONGODB_URI=...` and stops on SIGTERM, on SIGINT or when its standard input ends.
import { inspect } from 'node:util';
import { startEmbeddedStore } from './index.ts';

const [dir, port = '0', sweepMs = '60000'] = process.argv.slice(2);
const report = (fields: object, message: string): void => {
  process.stderr.write(`${message} ${inspect(fields)}\n`);
};

if (!dir) {
  process.stderr.write('usage: main.ts <dir> [port] [sweepMs]\n');
  process.exit(2);
}
try {
  const store = await startEmbeddedStore({
    dir,
    port: Number(port),
    log: { info: report, warn: report, error: report },
    sweepIntervalMs: Number(sweepMs),
  });
  const stop = async (): Promise<void> => {
    await store.close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.stdin.once('end', stop).resume();
  process.stdout.write(`MONGODB_URI=${store.uri}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
