// Puts the layers together: directory lock, engine, wire server, sweeper.
import { dispatch } from './commands/dispatch.ts';
import { Engine, type Logger } from './engine/engine.ts';
import { Sweeper } from './engine/sweeper.ts';
import { lockDirectory } from './storage/directory-lock.ts';
import { listen } from './wire/server.ts';

/** There is no login. */
const HOST = '127.0.0.1';

export interface ServerOptions {
  dir: string;
  port: number;
  sweepIntervalMs: number;
}

export interface RunningServer {
  uri: string;
  close(): Promise<void>;
}

/** @throws DirectoryInUseError, OtherFormatError, and what LMDB says about a directory that it cannot open. */
export async function startServer({ dir, port, sweepIntervalMs }: ServerOptions, log: Logger): Promise<RunningServer> {
  const lock = await lockDirectory(dir);
  try {
    const engine = await Engine.open(dir, log);
    lock.receive(() => engine.storage.keepStill());
    const unexpected = (error: unknown): void =>
      log.error({ err: error }, 'a command of the embedded store failed unexpectedly');
    const wire = await listen(
      HOST,
      port,
      (message, connectionId) => dispatch(engine, { ...message, connectionId }, unexpected),
      (error) => log.warn({ err: error }, 'the embedded store closed a connection that does not speak its protocol'),
    );
    engine.address = `${HOST}:${wire.port}`;
    const sweeper = new Sweeper(engine, log, sweepIntervalMs);
    engine.onGarbage = () => sweeper.collectSoon();
    return {
      uri: `mongodb://${engine.address}/?directConnection=true`,
      async close() {
        await wire.close();
        await sweeper.stop();
        await engine.close();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
