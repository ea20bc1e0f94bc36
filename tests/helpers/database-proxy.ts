/** What lies between a shop and its database, and fails when it is told to. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { BSON } from 'mongodb';

const [HEADER, OP_MSG, FIRST_SECTION] = [16, 2013, 21];

/** A command on its way to the database. */
export interface Command {
  /** Such as `insert`. */
  name: string;
  /** Its collection, where it has one. */
  collection: string;
  document: BSON.Document;
}

type Fits = (command: Command) => boolean;

interface Fault {
  fits: Fits;
  /** What the database is not asked for. */
  answer?: BSON.Document;
  whenLost: () => void;
}

export interface DatabaseProxy {
  /** The address for the shop. */
  uri: string;
  /** No connection stays, and none is taken. */
  cut(): void;
  /** Connections stay and are taken, and nothing comes back. */
  freeze(): void;
  /** As if nothing had been. */
  mend(): void;
  /** The next fitting command is done by the database, and its connection ends before the answer. Resolves then. */
  loseAnswer(fits: Fits): Promise<void>;
  /** The same, and then it is cut. */
  cutAfter(fits: Fits): Promise<void>;
  /** The next fitting command is answered with this error, and does nothing. */
  refuse(fits: Fits, error: { code: number; codeName: string }): Promise<void>;
  close(): Promise<void>;
}

/** @param uri of the database, one host */
export async function startDatabaseProxy(uri: string): Promise<DatabaseProxy> {
  const { hostname, port } = new URL(uri);
  const pairs = new Set<() => void>();
  const held: (() => void)[] = [];
  const faults = new Set<Fault>();
  let state: 'open' | 'cut' | 'frozen' = 'open';

  const server = createServer((client) => {
    if (state === 'cut') return void client.destroy(); // It was on its way already.
    const upstream = connect(Number(port), hostname);
    const lost = new Map<number, Fault>();
    const end = () => {
      pairs.delete(end);
      client.destroy();
      upstream.destroy();
    };
    pairs.add(end);
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    const pass = (to: Socket, message: Buffer) => {
      if (state === 'frozen') held.push(() => to.write(message));
      else to.write(message);
    };
    eachMessage(client, (message) => {
      const command = commandOf(message);
      const fault = command && [...faults].find(({ fits }) => fits(command));
      if (fault) faults.delete(fault);
      if (fault?.answer) {
        client.write(replyTo(message, fault.answer));
        return fault.whenLost();
      }
      if (fault) {
        lost.set(message.readInt32LE(4), fault);
      }
      pass(upstream, message);
    });
    eachMessage(upstream, (message) => {
      const fault = lost.get(message.readInt32LE(8));
      if (!fault) return pass(client, message);
      end();
      fault.whenLost();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port: ownPort } = server.address() as AddressInfo;

  // Refused, as by a machine without a database. To take connections and end them at once would be another fault: with a
  // server whose `hello` does not stream, the driver may wait without end for a socket that closes while it writes.
  const cut = () => {
    state = 'cut';
    server.close();
    for (const end of [...pairs]) end();
  };
  const faultAt = (fits: Fits, also: () => void, answer?: BSON.Document) =>
    new Promise<void>((resolve) => {
      faults.add({
        fits,
        ...(answer && { answer }),
        whenLost: () => {
          also();
          resolve();
        },
      });
    });
  const own = new URL(uri);
  own.port = String(ownPort);
  own.searchParams.delete('replicaSet');
  own.searchParams.set('directConnection', 'true');
  return {
    uri: own.href,
    cut,
    freeze: () => {
      state = 'frozen';
    },
    mend: () => {
      if (state === 'cut') server.listen(ownPort, '127.0.0.1');
      state = 'open';
      for (const write of held.splice(0)) write();
    },
    loseAnswer: (fits) => faultAt(fits, () => {}),
    cutAfter: (fits) => faultAt(fits, cut),
    refuse: (fits, error) => faultAt(fits, () => {}, { ok: 0, errmsg: error.codeName, ...error }),
    async close() {
      const closed = once(server, 'close');
      cut();
      await closed;
    },
  };
}

function eachMessage(socket: Socket, take: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      take(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  });
}

function commandOf(message: Buffer): Command | null {
  if (message.readInt32LE(12) !== OP_MSG) return null;
  const document = BSON.deserialize(
    message.subarray(FIRST_SECTION, FIRST_SECTION + message.readInt32LE(FIRST_SECTION)),
  );
  const [name = ''] = Object.keys(document);
  return { name, collection: String(document[name]), document };
}

function replyTo(message: Buffer, document: BSON.Document): Buffer {
  const head = Buffer.alloc(FIRST_SECTION);
  const body = BSON.serialize(document);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, body]);
}
