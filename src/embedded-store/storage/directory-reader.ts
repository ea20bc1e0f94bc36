// Reading a store's directory without changing it. LMDB lets other processes read while the store runs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Entry, Layer, layered, type View } from './layer.ts';
import { DATA_FILE, openRoot, type Root, rootView, storedSequence } from './lmdb.ts';
import { isLogDamaged, readLog } from './write-ahead-log.ts';

const SETTLE_LIMIT_MS = 10_000;
const SETTLE_STEP_MS = 20;
/** So much of a copy is in memory at once. */
const COPY_STEP_BYTES = 4 * 1024 * 1024;

export class DirectoryReader {
  readonly #dir: string;
  readonly #root: Root;

  /** @throws Error when there is no store in the directory, and what LMDB says about its file. */
  constructor(dir: string) {
    if (!existsSync(join(dir, DATA_FILE))) throw new Error(`there is no store in ${dir}`);
    this.#dir = dir;
    this.#root = openRoot(dir, true);
  }

  /** What LMDB and the log have together; only for a directory that nobody writes to. */
  view(): View {
    const log = new Layer();
    for (const { changes } of readLog(this.#dir, storedSequence(this.#root)))
      for (const [key, value] of changes.entries) log.set(key, value);
    return layered(rootView(this.#root), [log]);
  }

  /** Whether something that was acknowledged is in the log and cannot be read. */
  isLogDamaged(): boolean {
    return isLogDamaged(this.#dir, storedSequence(this.#root));
  }

  /**
   * Resolves when LMDB has what the log had at the call, which a running store does at once by itself.
   * @throws Error when it does not.
   */
  async settled(): Promise<void> {
    const last = readLog(this.#dir, 0).at(-1)?.sequence ?? 0;
    for (const limit = Date.now() + SETTLE_LIMIT_MS; storedSequence(this.#root) < last; ) {
      if (Date.now() > limit) throw new Error('the store does not move its log into LMDB: is the disk full?');
      await setTimeout(SETTLE_STEP_MS);
      this.#root.resetReadTxn();
    }
  }

  /** Writes a compacted copy of LMDB's file into a directory that exists, as of one moment, and flushes it. */
  async copyTo(dir: string): Promise<void> {
    const copy = openRoot(dir);
    const transaction = this.#root.useReadTransaction();
    try {
      let entries: Entry[] = [];
      let bytes = 0;
      const put = async (): Promise<void> => {
        await copy.batch(() => {
          for (const [key, value] of entries) copy.put(key, value);
        });
        entries = [];
        bytes = 0;
      };
      for (const entry of rootView(this.#root, transaction).range({ start: '\0', end: '\xff\xff\xff\xff' })) {
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
    return this.#root.close();
  }
}
