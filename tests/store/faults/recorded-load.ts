// Writers that note what was acknowledged, and a check of the store against their notes. Each writer has documents of
// its own and does one thing after the other, so that what must be there is known exactly: only a write that was
// answered with an error, or not at all, may have happened or not.
import { type Collection, type Db, type Document, MongoClient, MongoServerError } from 'mongodb';

const WRITERS = 32;
/** After a network error a driver sends one write again; the others only if it did not know of the error yet. */
const WRITERS_OF_A_CLIENT = 4;
/** The deadline of a write is 5 s. */
const HANG_MS = 6_000;
const GIVE_UP_MS = 10_000;
/** Above this, what has been checked is deleted. */
const MUCH_BYTES = 8 * 1024 * 1024;
const OPTIONS = {
  directConnection: true,
  monitorCommands: true,
  serverSelectionTimeoutMS: GIVE_UP_MS,
  socketTimeoutMS: 2 * GIVE_UP_MS,
};

interface Writer {
  name: string;
  inserted: Set<string>;
  deleted: Set<string>;
  paired: Set<string>;
  /** Increments that were answered; then how many more may have happened. */
  counted: number;
  uncertain: number;
  /** The last number that was answered, and that was tried. */
  set: number;
  tried: number;
}

type Things = Collection<Document & { _id: string }>;

export class RecordedLoad {
  readonly #pad: string;
  readonly #writers: Writer[];
  #next = 0;
  #stopping = false;
  #running: Promise<unknown> = Promise.resolve();
  #longest = 0;
  #lost = 0;
  #torn = 0;
  #otherFaults = 0;
  acknowledged = 0;
  /** Codes and names of errors that writers got, with their numbers. */
  readonly errors = new Map<string, number>();

  constructor(padBytes = 200) {
    this.#pad = 'x'.repeat(padBytes);
    this.#writers = Array.from({ length: WRITERS }, (_, i) => ({
      name: `w${i}`,
      inserted: new Set(),
      deleted: new Set(),
      paired: new Set(),
      counted: 0,
      uncertain: 0,
      set: 0,
      tried: 0,
    }));
  }

  /** Once, with a store that has nothing of it. */
  async prepare(uri: string): Promise<void> {
    await withDatabase(uri, async (db) => {
      await things(db).createIndex({ key: 1 }, { unique: true });
      await things(db, 'counters').insertMany(this.#writers.map(({ name }) => ({ _id: name, n: 0 })));
      await things(db, 'values').insertMany(this.#writers.map(({ name }) => ({ _id: name, n: 0 })));
    });
  }

  /** Writes until it is stopped. */
  start(uri: string): void {
    this.#stopping = false;
    const ofClient = (_: unknown, i: number): Promise<void> =>
      withDatabase(uri, async (db, client) => {
        // From being sent to being answered: a driver that waits for a store that is not there is not meant.
        client.on('commandSucceeded', ({ duration }) => this.#waited(duration));
        client.on('commandFailed', ({ duration }) => this.#waited(duration));
        const writers = this.#writers.slice(i * WRITERS_OF_A_CLIENT, (i + 1) * WRITERS_OF_A_CLIENT);
        await Promise.all(writers.map((writer) => this.#write(writer, db, client)));
      });
    this.#running = Promise.all(Array.from({ length: WRITERS / WRITERS_OF_A_CLIENT }, ofClient));
  }

  /** Resolves when every writer has heard of its last write. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  fault(text: string): void {
    this.#otherFaults++;
    console.log(text);
  }

  /** Compares what the store has with the notes. */
  async check(uri: string): Promise<void> {
    await withDatabase(uri, async (db) => {
      const [present, left, right] = await Promise.all([ids(db, 'things'), ids(db, 'left'), ids(db, 'right')]);
      const [counters, values] = await Promise.all([numbers(db, 'counters'), numbers(db, 'values')]);
      for (const writer of this.#writers) {
        for (const id of writer.inserted) if (!present.has(id)) this.#lose(`insert of ${id}`);
        for (const id of writer.deleted) if (present.has(id)) this.#lose(`delete of ${id}`);
        for (const id of writer.paired) if (!left.has(id)) this.#lose(`transaction ${id}`);
        const { name, counted, uncertain, set, tried } = writer;
        const count = counters.get(name) ?? 0;
        if (count < counted) this.#lose(`increment: ${count} of ${counted}`);
        if (count > counted + uncertain) this.fault(`applied twice: ${count} of ${counted} + ${uncertain}`);
        const value = values.get(name) ?? 0;
        if (value < set || value > tried) this.#lose(`update: ${value}, answered ${set}, tried ${tried}`);
        Object.assign(writer, { counted: count, uncertain: 0, set: value });
      }
      for (const id of left) if (!right.has(id)) this.#tear(`transaction ${id}`);
      for (const id of right) if (!left.has(id)) this.#tear(`transaction ${id}`);
      const indexed = await things(db).countDocuments({ key: { $gte: '' } }, { hint: { key: 1 } });
      if (indexed !== present.size) this.#tear(`index: ${indexed} of ${present.size}`);
      if (present.size * this.#pad.length > MUCH_BYTES) await this.#clear(db);
    });
  }

  /** Prints the closing line. @returns the exit code. */
  report(what: string): number {
    const faults = this.#lost + this.#torn + this.#otherFaults;
    const numbers = `${this.acknowledged} acknowledged writes, ${this.#lost} lost, ${this.#torn} torn`;
    console.log(`${what}, ${numbers}, longest wait ${this.#longest} ms, ${faults} faults`);
    return faults === 0 ? 0 : 1;
  }

  async #write(writer: Writer, db: Db, client: MongoClient): Promise<void> {
    for (let i = 0; !this.#stopping; i++) {
      const id = `${writer.name}-${this.#next++}`;
      if (i % 8 === 1) await this.#increment(writer, db);
      else if (i % 8 === 3) await this.#set(writer, db);
      else if (i % 8 === 5) await this.#pair(writer, db, client, id);
      else if (i % 8 === 7) await this.#delete(writer, db);
      else if (await this.#answered(() => things(db).insertOne({ _id: id, key: `k-${id}`, pad: this.#pad })))
        writer.inserted.add(id);
    }
  }

  async #increment(writer: Writer, db: Db): Promise<void> {
    const isDone = await this.#answered(() =>
      things(db, 'counters').updateOne({ _id: writer.name }, { $inc: { n: 1 } }),
    );
    if (isDone) writer.counted++;
    else writer.uncertain++;
  }

  async #set(writer: Writer, db: Db): Promise<void> {
    const n = ++writer.tried;
    const isDone = await this.#answered(() =>
      things(db, 'values').findOneAndUpdate({ _id: writer.name }, { $set: { n, pad: this.#pad } }),
    );
    if (isDone) writer.set = n;
  }

  async #pair(writer: Writer, db: Db, client: MongoClient, id: string): Promise<void> {
    const isDone = await this.#answered(() =>
      client.withSession((session) =>
        session.withTransaction(
          async () => {
            await things(db, 'left').insertOne({ _id: id }, { session });
            await things(db, 'right').insertOne({ _id: id, pad: this.#pad }, { session });
          },
          { timeoutMS: GIVE_UP_MS },
        ),
      ),
    );
    if (isDone) writer.paired.add(id);
  }

  async #delete(writer: Writer, db: Db): Promise<void> {
    const [id] = writer.inserted;
    if (!id) return;
    writer.inserted.delete(id);
    if (await this.#answered(() => things(db).deleteOne({ _id: id }))) writer.deleted.add(id);
  }

  /** False when the write was answered with an error, or not at all. */
  async #answered(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      this.acknowledged++;
      return true;
    } catch (error) {
      const kind = error instanceof MongoServerError ? `${error.code} ${error.codeName}` : (error as Error).name;
      this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1);
      // A driver that cannot reach the store fails at once.
      await new Promise((resolve) => setTimeout(resolve, 5));
      return false;
    }
  }

  #waited(ms: number): void {
    this.#longest = Math.max(this.#longest, Math.round(ms));
    if (ms > HANG_MS) this.fault(`a command took ${ms} ms`);
  }

  #lose(text: string): void {
    this.#lost++;
    console.log(`lost ${text}`);
  }

  #tear(text: string): void {
    this.#torn++;
    console.log(`torn ${text}`);
  }

  async #clear(db: Db): Promise<void> {
    for (const name of ['things', 'left', 'right']) await things(db, name).deleteMany({});
    for (const { inserted, deleted, paired } of this.#writers)
      for (const set of [inserted, deleted, paired]) set.clear();
  }
}

export async function withDatabase<T>(uri: string, work: (db: Db, client: MongoClient) => Promise<T>): Promise<T> {
  // Connected by the first operation: a store that is killed meanwhile is no fault, and the operation hears of it.
  const client = new MongoClient(uri, OPTIONS);
  try {
    return await work(client.db('faults'), client);
  } finally {
    await client.close(true);
  }
}

function things(db: Db, name = 'things'): Things {
  return db.collection(name);
}

async function ids(db: Db, name: string): Promise<Set<string>> {
  const documents = await things(db, name)
    .find({}, { projection: { _id: 1 } })
    .toArray();
  return new Set(documents.map(({ _id }) => _id));
}

async function numbers(db: Db, name: string): Promise<Map<string, number>> {
  const documents = await things(db, name)
    .find({}, { projection: { n: 1 } })
    .toArray();
  return new Map(documents.map(({ _id, n }) => [_id, Number(n)]));
}

/** Waits for something that must come true within this time. @returns whether it did. */
export async function within(limitMs: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}
