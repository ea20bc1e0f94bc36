// Reading a store's directory without changing it. LMDB lets other processes read while the store runs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { checkFormat, FORMAT } from './format.ts';
import { type Entry, type Key, Layer, layered, prefixOf, type View } from './layer.ts';
import { DATA_FILE, Environment } from './lmdb.ts';
import { lastSequence, readLog } from './write-ahead-log.ts';

const SETTLE_LIMIT_MS = 10_000;
const SETTLE_STEP_MS = 20;
/** So much of a copy is in memory at once. */
const COPY_STEP_BYTES = 4 * 1024 * 1024;

export class DirectoryReader {
  readonly #dir: string;
  readonly #lmdb: Environment;

  /** @throws Error when there is no store in the directory, OtherFormatError, and what LMDB says about its file. */
  constructor(dir: string, format: string = FORMAT) {
    if (!existsSync(join(dir, DATA_FILE))) throw new Error(`there is no store in ${dir}`);
    checkFormat(dir, format);
    this.#dir = dir;
    this.#lmdb = new Environment(dir, true);
  }

  /**
   * What LMDB and the log have together, the prefixes of keys, and whether something that was acknowledged is in the log and
   * cannot be read; only for a directory that nobody writes to.
   */
  contents(): { view: View; prefixes: Set<Key>; isLogDamaged: boolean } {
    const log = new Layer();
    const { records, isDamaged } = readLog(this.#dir, this.#lmdb.sequence);
    for (const { changes } of records) for (const [key, value] of changes.entries) log.set(key, value);
    return {
      view: layered(this.#lmdb.view(), [log]),
      prefixes: new Set([...this.#lmdb.prefixes(), ...[...log.entries.keys()].map(prefixOf)]),
      isLogDamaged: isDamaged,
    };
  }

  /**
   * Resolves when LMDB has what the log had at the call, which a running store does at once by itself.
   * @throws Error when it does not.
   */
  async settled(): Promise<void> {
    const last = lastSequence(this.#dir);
    for (const limit = performance.now() + SETTLE_LIMIT_MS; this.#lmdb.sequence < last; ) {
      if (performance.now() > limit) throw new Error('the store does not move its log into LMDB: is the disk full?');
      await setTimeout(SETTLE_STEP_MS);
      this.#lmdb.refresh();
    }
  }

  /** Writes a compacted copy of LMDB's file into a directory that exists, as of one moment, and flushes it. */
  async copyTo(dir: string): Promise<void> {
    const copy = new Environment(dir);
    const transaction = this.#lmdb.beginReading();
    try {
      let entries: Entry[] = [];
      let bytes = 0;
      const put = async (): Promise<void> => {
        await copy.write(entries);
        entries = [];
        bytes = 0;
      };
      for (const entry of this.#lmdb.entries(transaction)) {
        entries.push(entry);
        bytes += entry[0].length + entry[1].length;
        if (bytes > COPY_STEP_BYTES) await put();
      }
      await put();
    } finally {
      transaction.done();
      await copy.close();
    }
  }

  close(): Promise<void> {
    return this.#lmdb.close();
  }
}
