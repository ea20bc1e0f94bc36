/** Feira beside a bare node:http server that answers the same bytes, in turn. */
import autocannon from 'autocannon';
import type { ReadyAnswer } from './bare-http.ts';
import { nextMessage, pin, startChild } from './processes.ts';
import { median } from './statistics.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);
export const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const CONNECTIONS = 40;

export type Requests = NonNullable<autocannon.Options['requests']>;

export interface Measured {
  requestsPerSecond: number;
  p50: number;
  p99: number;
}

export async function measure(url: string, requests: Requests): Promise<Measured> {
  const result = await autocannon({ url, requests, connections: CONNECTIONS, duration: SECONDS });
  // A 304 is what one of the cases asks for; autocannon counts it among those that are not 2xx.
  const refused = result.non2xx - (result['3xx'] ?? 0);
  if (result.errors + result.timeouts + refused > 0)
    throw new Error(`${url} ${JSON.stringify(requests[0])}: ${refused} refused, ${result.errors} errors`);
  return { requestsPerSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}

/** @param like the requests whose first answer the bare server gives */
export async function besideBare(
  url: string,
  requests: Requests,
  like: Requests = requests,
): Promise<{ ratio: number; feira: Measured[] }> {
  const child = await startChild('./bare-http.ts');
  child.send(await readyAnswer(url, like));
  const { port } = await nextMessage<{ port: number }>(child);
  pin(child.pid ?? 0, '0');
  const bare: Measured[] = [];
  const feira: Measured[] = [];
  await measure(url, requests);
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await measure(`http://127.0.0.1:${port}`, requests));
    feira.push(await measure(url, requests));
  }
  child.kill('SIGKILL');
  const ratio = median(feira.map((run, i) => run.requestsPerSecond / (bare[i]?.requestsPerSecond ?? Number.NaN)));
  return { ratio, feira };
}

/** What the shop answers to the first request, for the bare server to answer the same. */
async function readyAnswer(url: string, [first]: Requests): Promise<ReadyAnswer> {
  const { path = '/', method = 'GET', headers = {}, body } = first ?? {};
  const answer = await fetch(url + path, {
    method,
    headers: { 'accept-encoding': 'identity', ...(headers as Record<string, string>) },
    ...(body ? { body: String(body) } : {}),
  });
  const sent = [...answer.headers].filter(([name]) => !['date', 'connection', 'keep-alive'].includes(name));
  return {
    status: answer.status,
    headers: Object.fromEntries(sent),
    body: Buffer.from(await answer.arrayBuffer()).toString('base64'),
  };
}
