/** What one connection may ask of the server: a number of messages, and no more answers than it reads. */
import type { FeiraServer, FeiraSocket } from './socket-events.ts';

/** Messages that one connection may send in `FLOOD_SECONDS`, those that open its socket too; one more, and it is cut. */
const FLOOD_MESSAGES = 100;
const FLOOD_SECONDS = 10;
/** What may wait for a client that does not read. Characters. */
const MAX_UNREAD = 4_000_000;

type Connection = FeiraSocket['conn'];

export function limitConnections(io: FeiraServer): void {
  const sockets = new WeakMap<Connection, FeiraSocket>();
  io.on('connection', (socket) => sockets.set(socket.conn, socket));
  io.engine.on('connection', (connection: Connection) => {
    cutFloods(connection, () => {
      // Clients stay away from a server that has disconnected their socket.
      sockets.get(connection)?.disconnect();
      connection.close();
    });
    cutUnread(connection);
  });
}

function cutFloods(connection: Connection, cut: () => void): void {
  let messages = 0;
  let since = Date.now();
  connection.on('data', () => {
    if (Date.now() - since > FLOOD_SECONDS * 1000) {
      messages = 0;
      since = Date.now();
    }
    messages += 1;
    if (messages > FLOOD_MESSAGES) cut();
  });
}

/** Whoever comes back asks for what they have missed, which is less than all that would wait for them. */
function cutUnread(connection: Connection): void {
  let unread = 0;
  connection.on('flush', () => {
    unread = 0;
  });
  connection.on('packetCreate', ({ data }: { data?: string | Buffer }) => {
    if (unread > MAX_UNREAD) connection.close(true);
    unread += data?.length ?? 0;
  });
}
