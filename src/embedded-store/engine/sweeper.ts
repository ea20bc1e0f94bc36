// Work that nobody waits for: expired documents, keys of dropped collections, idle cursors and sessions, stale readers.
import { afterPrefix, Layer } from '../storage/layer.ts';
import { remove } from './crud.ts';
import { type Engine, type Logger, nextTurn, type Operation } from './engine.ts';
import { keyPrefix } from './indexes.ts';

const GARBAGE_STEP = 1_000;

/** Runs at once and then in this interval, until it is stopped. */
export class Sweeper {
  readonly #engine: Engine;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(engine: Engine, log: Logger, intervalMs: number) {
    this.#engine = engine;
    this.#log = log;
    const run = (): void => this.#next(() => this.#sweep());
    this.#timer = setInterval(run, intervalMs);
    run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  collectSoon(): void {
    this.#next(() => this.#collectGarbage());
  }

  #next(work: () => Promise<void>): void {
    this.#running = this.#running
      .then(work)
      .catch((error) => this.#log.error({ err: error }, 'sweeping the embedded store failed'));
  }

  async #sweep(): Promise<void> {
    await this.#removeExpired();
    await this.#collectGarbage();
    this.#engine.cursors.closeIdle();
    this.#engine.transactions.forgetIdleSessions();
    this.#engine.storage.clearStaleReaders();
  }

  async #removeExpired(): Promise<void> {
    for (const collection of this.#engine.catalog.list()) {
      for (const index of collection.indexes) {
        const seconds: unknown = index.spec.expireAfterSeconds;
        const path = index.fields[0]?.path.text;
        if (seconds === undefined || !path || this.#stopped) continue;
        const limit = new Date(Date.now() - Number(seconds) * 1000);
        const operation: Operation = { transaction: null, deadline: Number.POSITIVE_INFINITY };
        const filter = {
          ...(index.partial ? { $and: [index.partial.filter] } : {}),
          [path]: { $lte: limit, $gt: new Date(-8.64e15) },
        };
        const { deleted } = await remove(this.#engine, operation, collection, { filter, fold: index.fold }, true);
        if (deleted > 0) this.#log.info({ namespace: collection.namespace, deleted }, 'expired documents removed');
      }
    }
  }

  /** Removes the keys of dropped collections and indexes, a step at a time. */
  async #collectGarbage(): Promise<void> {
    for (const id of this.#engine.catalog.garbage()) await this.#collect(id);
  }

  async #collect(id: number): Promise<void> {
    const start = keyPrefix(id);
    for (let more = true; more && !this.#stopped; ) {
      const changes = new Layer();
      more = false;
      for (const [key] of this.#engine.storage.current().range({ start, end: afterPrefix(start) })) {
        changes.set(key, null);
        if (changes.size >= GARBAGE_STEP) {
          more = true;
          break;
        }
      }
      if (!more) this.#engine.catalog.collected(id, changes);
      this.#engine.storage.write(changes);
      await this.#engine.storage.flushed();
      await nextTurn();
    }
  }
}
