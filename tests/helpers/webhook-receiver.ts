/** A program that receives webhooks: a real HTTP server in the process of the test. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  headers: Record<string, string>;
  body: string;
}

/** @param answer what it does with each request, the first being 0 */
export async function webhookReceiver(answer: (i: number, res: ServerResponse) => void = (_i, res) => res.end()) {
  const received: Received[] = [];
  const server = createServer(async (req: IncomingMessage, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    received.push({ headers: req.headers as Record<string, string>, body });
    answer(received.length - 1, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
