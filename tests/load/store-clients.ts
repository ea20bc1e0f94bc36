/** Who sends the operations of `bench:store`: the stock driver, and a bare socket that shows the servers alone. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { BSON, type Document, Long, MongoClient, ObjectId, UUID } from 'mongodb';
import { message } from '../store/raw-messages.ts';
import { fill, newProduct, type Product, page } from './store-goods.ts';

export const STORED = 10_000;
export const MOST_CONNECTIONS = 32;
const REPLY_HEADER_BYTES = 21;

/** The `i`-th operation, by the connection of this number. */
type Run = (i: number, connection: number) => Promise<unknown>;

export interface StoreClient {
  ping: Run;
  operations: Record<string, Run>;
  close(): Promise<void>;
}

/** Makes the products of the benchmark first. */
export async function driverClient(uri: string, name: string): Promise<StoreClient> {
  const client = await new MongoClient(uri, { maxPoolSize: MOST_CONNECTIONS }).connect();
  const db = client.db(name);
  const products = db.collection<Product>('products');
  await fill(products, STORED);
  return {
    ping: () => db.command({ ping: 1 }),
    operations: {
      'findOne by _id': (i) => products.findOne({ _id: i % STORED }),
      'findOne by index': (i) => products.findOne({ code: `c${i % STORED}` }),
      'insertOne, flushed': () => products.insertOne(newProduct()),
      'updateOne $inc': (i) => products.updateOne({ _id: i % STORED }, { $inc: { stock: 1 } }),
      'page of 20, filter and sort': (i) => page(products, i),
    },
    async close() {
      await db.dropDatabase();
      await client.close();
    },
  };
}

/** The commands that the driver sends for the same, on the products that a driver's client has made. */
export async function socketClient(uri: string, name: string): Promise<StoreClient> {
  const connections = await Promise.all(Array.from({ length: MOST_CONNECTIONS }, () => openConnection(uri, name)));
  const read = (command: Document): Run => run(() => command);
  /** A driver's writes are retryable: they bring the number of the write, which the server stores. */
  const run =
    (command: (i: number) => Document, isWrite = false): Run =>
    async (i, connection) =>
      connections[connection]?.send(command(i), isWrite);
  const find = (command: (i: number) => Document): Run => run((i) => ({ find: 'products', ...command(i) }));
  return {
    ping: read({ ping: 1 }),
    operations: {
      'findOne by _id': find((i) => ({ filter: { _id: i % STORED }, limit: 1, singleBatch: true })),
      'findOne by index': find((i) => ({ filter: { code: `c${i % STORED}` }, limit: 1, singleBatch: true })),
      'insertOne, flushed': run(
        () => ({ insert: 'products', documents: [{ ...newProduct(), _id: new ObjectId() }], ordered: true }),
        true,
      ),
      'updateOne $inc': run(
        (i) => ({
          update: 'products',
          updates: [{ q: { _id: i % STORED }, u: { $inc: { stock: 1 } } }],
          ordered: true,
        }),
        true,
      ),
      'page of 20, filter and sort': find((i) => ({
        filter: { category: `k${i % 5}` },
        sort: { price: 1, _id: 1 },
        limit: 20,
      })),
    },
    async close() {
      for (const { end } of connections) end();
    },
  };
}

async function openConnection(uri: string, db: string) {
  const { hostname, port } = new URL(uri);
  const socket = connect(Number(port), hostname).setNoDelay();
  await once(socket, 'connect');
  const lsid = { id: new UUID() };
  let txnNumber = 0;
  let received: Buffer = Buffer.alloc(0);
  let answer = (_reply: Buffer): void => {};
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (received.length < 4 || received.length < received.readInt32LE(0)) return;
    const reply = received;
    received = Buffer.alloc(0);
    answer(reply);
  });
  return {
    /** One at a time. @throws when the server refuses. */
    async send(command: Document, isWrite: boolean): Promise<void> {
      const number = isWrite ? { txnNumber: Long.fromNumber(++txnNumber) } : {};
      const replied = new Promise<Buffer>((resolve) => {
        answer = resolve;
      });
      socket.write(message({ ...command, lsid, ...number, $db: db }));
      const reply = await replied;
      // As the driver does: the documents are part of what was asked for.
      const { ok, errmsg, writeErrors } = BSON.deserialize(reply.subarray(REPLY_HEADER_BYTES));
      if (ok !== 1 || writeErrors) throw new Error(errmsg ?? writeErrors[0].errmsg);
    },
    end: () => socket.destroy(),
  };
}
