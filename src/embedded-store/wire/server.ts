import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { type Answer, type Reply, serveConnection } from './connection.ts';
import type { Message } from './message.ts';

export interface WireServer {
  port: number;
  close(): Promise<void>;
}

/** Listens for clients. `answer` gets the number of the connection with each message. */
export async function listen(
  host: string,
  port: number,
  answer: (message: Message, connectionId: number) => Promise<Reply>,
  onMalformed: (error: unknown) => void,
): Promise<WireServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const id = ++connections;
    const own: Answer = (message) => answer(message, id);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serveConnection(socket, own, onMalformed);
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
