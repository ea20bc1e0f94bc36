// The only importer of lmdb: how the file is opened, and how it is read.
// lmdb stays at 2.9.4: 3.5.6 writes the text about a page that it could not write beyond the 100 bytes it has for it, which
// can end the process. What a move to another version takes is in README.md.
import { type Database, open, type RangeOptions, type RootDatabase } from 'lmdb';
import { afterPrefix, type Entry, type Key, type KeyRange, PREFIX_LENGTH, prefixOf, type View } from './layer.ts';

type Tree = Database<Buffer, string>;
type ReadTransaction = ReturnType<Database['useReadTransaction']>;

export const DATA_FILE = 'data.mdb';
const MAP_SIZE = 2 ** 36;
/** The sequence of the last write that LMDB has; below all other keys. */
const SEQUENCE_KEY = '\0\0\0\0\0sequence';
/**
 * A full page is split in its middle unless the new key is the last of its tree. In a tree of its own a collection whose
 * documents come in the order of their `_id` fills its pages; beside others it would leave half of each empty.
 */
const TREES = 256;
/** The names of trees lie in the first one, which has no other key that begins like this. */
const TREE_NAME = 'tree-';
const ALL_KEYS = { start: '\0', end: TREE_NAME };

interface Stats {
  pageSize: number;
  treeBranchPageCount: number;
  treeLeafPageCount: number;
  overflowPages: number;
  lastPageNumber: number;
  pagesWritten: number;
}

/** The file of a directory, with its trees. A key lies in the tree that the last byte of its prefix says. */
export class Environment {
  readonly #root: RootDatabase<Buffer, string>;
  /** Read only, those of an older format are missing. */
  readonly #trees: readonly (Tree | undefined)[];

  /** @throws Error what LMDB says about the file. */
  constructor(dir: string, readOnly = false) {
    this.#root = open<Buffer, string>({
      path: dir,
      noSubdir: false,
      readOnly,
      encoding: 'binary',
      mapSize: MAP_SIZE,
      maxReaders: 512,
      maxDbs: TREES,
      // A commit is answered after LMDB's own order of flushes: data, then meta page.
      overlappingSync: false,
      ...NOT_IN_TYPES,
    });
    const named = (): (Tree | undefined)[] => Array.from({ length: TREES - 1 }, (_, i) => this.#named(i + 1));
    try {
      // In one commit, should they not be there yet.
      this.#trees = [this.#root, ...(readOnly ? named() : this.#root.transactionSync(named))];
    } catch (error) {
      void this.#root.close();
      throw error;
    }
  }

  #named(i: number): Tree | undefined {
    return this.#root.openDB<Buffer, string>({ name: `${TREE_NAME}${i}`, encoding: 'binary', ...NOT_IN_TYPES });
  }

  #treeOf(key: Key): Tree {
    return this.#trees[key.charCodeAt(PREFIX_LENGTH - 1)] ?? this.#root;
  }

  /** The newest state, or what the transaction sees. A range lies within the keys of one prefix. */
  view(transaction?: ReadTransaction): View {
    const options = transaction && { transaction };
    return {
      get: (key) => this.#treeOf(key).get(key, options),
      range: ({ start, end, reverse = false }) => ({
        [Symbol.iterator]: () => {
          const bounds = reverse
            ? { start: end, end: start, reverse, exclusiveStart: true, inclusiveEnd: true }
            : { start, end };
          return entriesOf(this.#treeOf(start), { ...bounds, ...options });
        },
      }),
    };
  }

  /** All keys, tree by tree. */
  *entries(transaction: ReadTransaction): Generator<Entry> {
    for (const tree of this.#trees) if (tree) yield* entriesOf(tree, { ...ALL_KEYS, transaction });
  }

  /** The prefixes of all keys, in no order. */
  prefixes(): Key[] {
    return this.#trees.flatMap((tree) => (tree ? prefixesOf(tree) : []));
  }

  /** Number of keys of a range. */
  count({ start, end }: KeyRange): number {
    return this.#treeOf(start).getKeysCount({ start, end });
  }

  /** Number of the last write that it has. */
  get sequence(): number {
    return Number(this.#root.get(SEQUENCE_KEY)?.readDoubleLE() ?? 0);
  }

  /** Size of the file. */
  get fileBytes(): number {
    const { lastPageNumber, pageSize } = this.#stats();
    return (lastPageNumber + 1) * pageSize;
  }

  /** Bytes of the pages that are in use. */
  get usedBytes(): number {
    let pages = 0;
    for (const tree of this.#trees) {
      if (!tree) continue;
      const { treeBranchPageCount, treeLeafPageCount, overflowPages } = tree.getStats() as Stats;
      pages += treeBranchPageCount + treeLeafPageCount + overflowPages;
    }
    return pages * this.pageSize;
  }

  get pageSize(): number {
    return this.#stats().pageSize;
  }

  /** Since it was opened; each takes the place of another one, which is free as soon as no snapshot sees it. */
  get pagesWritten(): number {
    return this.#stats().pagesWritten;
  }

  /** To be ended by `done()`: LMDB cannot reuse pages that a reader still sees. */
  beginReading(): ReadTransaction {
    return this.#root.useReadTransaction();
  }

  /** Reads outside of transactions see from now on what has been committed. */
  refresh(): void {
    this.#root.resetReadTxn();
  }

  /** Frees the reader slots of processes that died. */
  clearStaleReaders(): number {
    return this.#root.readerCheck();
  }

  /** Writes all of them, and the sequence if it is given, in one flushed transaction; null removes. @throws Error the cause */
  async write(changes: Iterable<readonly [Key, Buffer | null]>, sequence?: number): Promise<void> {
    // The last keys of trees are looked up in what is committed.
    this.refresh();
    const sorted = [...changes].sort(([a], [b]) => (a < b ? -1 : 1));
    const ends = new Map<Tree, Key>();
    const appended: Promise<boolean>[] = [];
    try {
      const committed = this.#root.batch(() => {
        for (const [key, value] of sorted) {
          const tree = this.#treeOf(key);
          const end = ends.get(tree) ?? lastKey(tree);
          const append = value !== null && key > end;
          ends.set(tree, append ? key : end);
          if (value === null) tree.remove(key);
          else if (append) appended.push(tree.put(key, value, APPEND));
          else tree.put(key, value);
        }
        if (sequence === undefined) return;
        const marker = Buffer.alloc(8);
        marker.writeDoubleLE(sequence);
        this.#root.put(SEQUENCE_KEY, marker);
      });
      // All of them are rejected when the commit fails. That a key is not behind all others lmdb says by false alone.
      const done = await Promise.all([committed, ...appended]);
      if (done.includes(false)) throw new Error('LMDB has refused to append a key');
    } catch (error) {
      const failure = error as Error & { commitError?: Promise<unknown> };
      // lmdb rejects a second promise with the cause; unhandled it would end the process.
      const cause = await failure.commitError?.catch((reason: unknown) => reason);
      throw cause instanceof Error ? cause : failure;
    }
  }

  close(): Promise<void> {
    return this.#root.close();
  }

  #stats(): Stats {
    return this.#root.getStats() as Stats;
  }
}

function* entriesOf(tree: Tree, options: RangeOptions): Generator<Entry> {
  for (const { key, value } of tree.getRange(options)) yield [key, value];
}

function lastKey(tree: Tree): Key {
  const [last] = tree.getKeys({ reverse: true, limit: 1 });
  return last ?? '';
}

function prefixesOf(tree: Tree): Key[] {
  const prefixes: Key[] = [];
  for (let { start } = ALL_KEYS; ; ) {
    const [next] = tree.getKeys({ ...ALL_KEYS, start, limit: 1 });
    if (next === undefined) return prefixes;
    const prefix = prefixOf(next);
    prefixes.push(prefix);
    start = afterPrefix(prefix);
  }
}

const binaryStringKeys = {
  writeKey: (key: string, target: Buffer, start: number): number => start + target.write(key, start, 'latin1'),
  readKey: (target: Buffer, start: number, end: number): string => target.toString('latin1', start, end),
};

/** Options that lmdb's types leave out: no search for a key behind all others, keys as binary strings, counting pages. */
const APPEND = { append: true } as unknown as number;
const NOT_IN_TYPES = {
  keyEncoder: binaryStringKeys,
  trackMetrics: true,
  // A commit begins when it has all its changes. Otherwise it begins with the first thousand and waits for the others
  // without end, should the thread that hands them over be gone; and with it would wait the end of that thread.
  batchStartThreshold: Number.POSITIVE_INFINITY,
};
