/** What it costs to know who asks, and how long logins keep others waiting. */
import { Agent, get } from 'node:http';
import { anAddress, logIn, PASSWORD, signUp } from '../helpers/accounts.ts';
import type { Feira } from '../helpers/start-feira.ts';
import type { FeiraProcess } from '../helpers/start-process.ts';
import { webVisitor } from '../helpers/web-visitor.ts';
import { report } from './report.ts';
import { median } from './statistics.ts';
import { whileWaiting } from './store-healthz.ts';

const REQUESTS = 3000;
const WARM_UP = 300;
const LOGINS = 20;
const ROUNDS = 5;
const WANTED_MS = 0.3;
const WANTED_DELAY_MS = 30;

interface IdentityBench {
  feira: FeiraProcess;
  outboxDir: string;
  key: string;
  /** A read that goes past the public cache. */
  path: string;
}

/** One request at a time, in turn without and with each proof: what a proof adds is the difference of the medians. */
export async function benchIdentity({ feira, outboxDir, key, path }: IdentityBench): Promise<void> {
  const { email } = await signUp(shopOf(feira, outboxDir));
  const { accessToken } = await logIn(feira, email);
  const browser = webVisitor(feira);
  await browser.submit('/login', { email, password: PASSWORD });
  const site = { path: '/', domain: '127.0.0.1', secure: false, script: false };
  const cookie = 'past=cache';
  const proofs: Record<string, Record<string, string>> = {
    nothing: { cookie },
    'a session cookie': { cookie: browser.agent.jar.getCookies(site).toValueString() },
    'an access token': { cookie, authorization: `Bearer ${accessToken}` },
    'an API key': { cookie, authorization: `Bearer ${key}` },
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times = new Map(Object.keys(proofs).map((name) => [name, [] as number[]]));
  for (let n = -WARM_UP; n < REQUESTS; n++) {
    for (const [name, headers] of Object.entries(proofs)) {
      const took = await timed(agent, feira.url + path, headers);
      if (n >= 0) times.get(name)?.push(took);
    }
  }
  agent.destroy();
  const bare = median(times.get('nothing') ?? []);
  for (const [name, taken] of times) {
    if (name === 'nothing') continue;
    const added = median(taken) - bare;
    const detail = `${median(taken).toFixed(2)} ms, without ${bare.toFixed(2)} ms`;
    report(`${name} adds, at p50`, `${added.toFixed(2)} ms`, `under ${WANTED_MS} ms`, added < WANTED_MS, detail);
  }
}

/** As many logins at once, each of another account, beside requests for /healthz one after the other. */
export async function benchLogins(feira: FeiraProcess, outboxDir: string): Promise<void> {
  const emails: string[] = [];
  for (let n = 0; n < LOGINS; n++) emails.push((await signUp(shopOf(feira, outboxDir), { email: anAddress() })).email);
  const idleWaits = await whileWaiting(feira.url, new Promise((resolve) => setTimeout(resolve, 1000)));
  const idle = median(idleWaits);
  const worst: number[] = [];
  const usual: number[] = [];
  const durations: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const waits = await whileWaiting(feira.url, Promise.all(emails.map((email) => logIn(feira, email))));
    worst.push(Math.max(...waits) - idle);
    usual.push(median(waits) - idle);
    durations.push(performance.now() - began);
  }
  const delay = median(worst);
  const detail =
    `the longest of all, half of them ${median(usual).toFixed(1)} ms; medians of ${ROUNDS} rounds of ` +
    `${median(durations).toFixed(0)} ms; the longest when idle ${(Math.max(...idleWaits) - idle).toFixed(0)} ms`;
  const met = delay < WANTED_DELAY_MS;
  report(`${LOGINS} logins delay /healthz by`, `${delay.toFixed(0)} ms`, `under ${WANTED_DELAY_MS} ms`, met, detail);
}

/** What the helpers of the tests need of a shop: its door, and where its mails are. */
const shopOf = ({ api, url }: FeiraProcess, outboxDir: string) =>
  ({ api, url, config: { mail: { outboxDir } } }) as Feira;

/** Milliseconds until the answer is complete. @throws for one that is not 200 */
function timed(agent: Agent, url: string, headers: Record<string, string>): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url} answered ${answer.statusCode}.`));
      answer.resume().once('end', () => resolve(performance.now() - began));
    }).once('error', reject);
  });
}
