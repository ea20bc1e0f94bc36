/** How long until the last of N clients has an event: Feira's realtime door and a bare ws server, in turn. */
import { once } from 'node:events';
import WebSocket from 'ws';
import { nextMessage, pin, startChild } from './processes.ts';
import { median, percentile } from './statistics.ts';

const ROUNDS = 40;
const FRAMES_PER_BROADCAST = 2;

export async function benchBroadcast(clients: number) {
  const [feira, bare] = [await start('feira', clients), await start('bare', clients)];
  const times: Record<'feira' | 'bare', number[]> = { feira: [], bare: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.bare.push(await bare.broadcast());
    times.feira.push(await feira.broadcast());
  }
  feira.close();
  bare.close();
  return { times, ratio: median(times.feira) / median(times.bare), p99: percentile(times.feira, 0.99) };
}

async function start(kind: 'feira' | 'bare', clients: number) {
  const server = await startChild('./broadcast-servers.ts', [kind]);
  const { port } = await nextMessage<{ port: number }>(server);
  pin(server.pid ?? 0, '0');
  let received = 0;
  let onAll: () => void = () => {};
  const sockets: WebSocket[] = [];
  while (sockets.length < clients) {
    const batch = await Promise.all(
      Array.from({ length: Math.min(50, clients - sockets.length) }, () => open(kind, port)),
    );
    for (const socket of batch)
      socket.on('message', (data) => {
        if (!String(data).startsWith('42')) return;
        received += 1;
        if (received === clients * FRAMES_PER_BROADCAST) onAll();
      });
    sockets.push(...batch);
  }
  return {
    /** @returns milliseconds from the call in the server until the last client has both frames. */
    async broadcast(): Promise<number> {
      received = 0;
      const all = new Promise<bigint>((resolve) => {
        onAll = () => resolve(process.hrtime.bigint());
      });
      const began = nextMessage<{ at: string }>(server);
      server.send('broadcast');
      const { at } = await began;
      return Number((await all) - BigInt(at)) / 1e6;
    },
    close() {
      for (const socket of sockets) socket.terminate();
      server.kill('SIGKILL');
    },
  };
}

/** Speaks just enough of the Engine.IO protocol that both servers have the same client. */
async function open(kind: 'feira' | 'bare', port: number): Promise<WebSocket> {
  const path = kind === 'feira' ? '/socket.io/?EIO=4&transport=websocket' : '/';
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { perMessageDeflate: false });
  if (kind === 'bare') {
    await once(socket, 'open');
    return socket;
  }
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject).on('message', (data) => {
      const packet = String(data);
      if (packet.startsWith('0')) socket.send('40');
      else if (packet.startsWith('40')) resolve();
      else if (packet === '2') socket.send('3');
    });
  });
  return socket;
}
