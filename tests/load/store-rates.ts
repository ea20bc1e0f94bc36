/** Operations per second beside another MongoDB-compatible server, in turn: by the stock driver, and at bare sockets. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { report } from './report.ts';
import { median } from './statistics.ts';
import { driverClient, MOST_CONNECTIONS, type StoreClient, socketClient } from './store-clients.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15);
const ROUND_MS = 250;
const PING_MS = 60;
const WARM_MS = 800;
const WANTED = 3;

/** Connections that work at the same time: one shows how long an operation takes, many how much a server can do. */
const CONNECTIONS = [1, MOST_CONNECTIONS];

/** Prints a line for each operation. Without another server there are no ratios. */
export async function benchRates(uri: string, otherUri: string | undefined, dir: string): Promise<void> {
  const uris = [uri, ...(otherUri ? [otherUri] : [])];
  const name = `bench_${process.pid}`;
  const flush = us(flushMicroseconds(dir));
  console.log(`\nwriting 600 bytes and flushing them takes ${flush} here, which both servers wait for`);
  const drivers = await Promise.all(uris.map((each) => driverClient(each, name)));
  console.log('\nby the stock driver, which takes a good part of the processors itself:');
  await benchClients(drivers);
  const sockets = await Promise.all(uris.map((each) => socketClient(each, name)));
  console.log('\nthe same commands at bare sockets, which show the servers:');
  await benchClients(sockets);
  for (const client of [...sockets, ...drivers]) await client.close();
}

async function benchClients(clients: readonly StoreClient[]): Promise<void> {
  for (const operation of Object.keys(clients[0]?.operations ?? {})) {
    for (const connections of CONNECTIONS) {
      const name = `${operation}, ${connections} connection${connections > 1 ? 's' : ''}`;
      const [ours, theirs] = await measure(operation, connections, clients);
      if (ours && theirs) compare(name, ours, theirs);
      else if (ours) report(name, `${median(ours.rates).toFixed(0)}/s`, '');
    }
  }
}

/** The ratio counts, round by round; where the machine has other work, the best rounds say more. */
function compare(name: string, ours: Measured, theirs: Measured): void {
  const ratio = median(ours.rates.map((rate, round) => rate / (theirs.rates[round] ?? Number.NaN)));
  const [best, otherBest] = [Math.max(...ours.rates), Math.max(...theirs.rates)];
  const pings = `a ping ${us(1e6 / Math.max(...ours.pings))} and ${us(1e6 / Math.max(...theirs.pings))}`;
  const each = `one takes ${us(1e6 / best)} to ${us(1e6 / otherBest)}, ${pings}`;
  report(
    name,
    `${ratio.toFixed(2)}x`,
    `${WANTED}x`,
    ratio >= WANTED,
    `best rounds ${(best / otherBest).toFixed(2)}x: ${best.toFixed(0)}/s to ${otherBest.toFixed(0)}/s; ${each}`,
  );
}

const us = (value: number): string => `${value.toFixed(0)} us`;

/** Operations per second of each round, and pings beside them: what the driver and the socket take by themselves. */
interface Measured {
  rates: number[];
  pings: number[];
}

/** All servers are warmed up first: the client's code is compiled while it runs, and the first would pay for it. */
async function measure(operation: string, connections: number, clients: readonly StoreClient[]): Promise<Measured[]> {
  const measured = clients.map((): Measured => ({ rates: [], pings: [] }));
  for (const { operations } of clients) await rate(operations[operation], connections, WARM_MS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { operations, ping }] of clients.entries()) {
      measured[i]?.rates.push(await rate(operations[operation], connections, ROUND_MS));
      measured[i]?.pings.push(await rate(ping, 1, PING_MS));
    }
  }
  return measured;
}

async function rate(run: StoreClient['ping'] | undefined, connections: number, ms: number): Promise<number> {
  const began = performance.now();
  let done = 0;
  const client = async (connection: number): Promise<void> => {
    for (let i = connection * 101; performance.now() < began + ms; i += 7) {
      await run?.(i, connection);
      done++;
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, connection) => client(connection)));
  return (done * 1000) / (performance.now() - began);
}

/** The median for a write and its flush into space that is already written, with nothing around it. */
function flushMicroseconds(dir: string): number {
  const file = openSync(join(dir, 'flush-probe'), 'w');
  writeSync(file, Buffer.alloc(1024 * 1024, 1));
  fdatasyncSync(file);
  const times = Array.from({ length: 500 }, (_, i) => {
    const began = performance.now();
    writeSync(file, Buffer.alloc(600, 2), 0, 600, i * 600);
    fdatasyncSync(file);
    return (performance.now() - began) * 1000;
  });
  closeSync(file);
  return median(times);
}
