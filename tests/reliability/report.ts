/**
 * The report on reliability, as Markdown: `npm run report:reliability -- [part ...] [--uri=mongodb://...] [--rounds=20]
 * [--checkouts=1000] [--coupons=100] [--events=2000] [--kills=200]`. All parts when none is named. Exits with 1 when
 * something is wrong. README.md beside this file says what the parts are.
 */
import { parseArgs } from 'node:util';
import { coupons } from './coupons.ts';
import { kills } from './kills.ts';
import { onShop } from './part.ts';
import { races } from './races.ts';
import { replays } from './replays.ts';
import type { Shop } from './shop-under-test.ts';
import { webhooks } from './webhooks.ts';

const FAULTS_SHOWN = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    uri: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    checkouts: { type: 'string', default: '1000' },
    coupons: { type: 'string', default: '100' },
    events: { type: 'string', default: '2000' },
    kills: { type: 'string', default: '200' },
  },
});
const { uri } = values;
const parts = {
  races: (shop: Shop) => races(shop, { rounds: Number(values.rounds), units: 100 }),
  replays: (shop: Shop) => replays(shop, { checkouts: Number(values.checkouts) }),
  coupons: (shop: Shop) => coupons(shop, { coupons: Number(values.coupons) }),
  webhooks: (shop: Shop) => webhooks(shop, { events: Number(values.events) }),
  kills: (shop: Shop) => kills(shop, { kills: Number(values.kills), waits: true }),
};
const wanted = Object.entries(parts).filter(([name]) => positionals.length === 0 || positionals.includes(name));

console.log('# Reliability of Feira\n');
console.log(`${new Date().toISOString()}, Node ${process.version}, `);
console.log(uri ? `two processes on ${uri}\n` : 'one process with the embedded store inside\n');
console.log('| part | what was done | faults | seconds |\n|---|---|---|---|');
const found: string[] = [];
for (const [name, part] of wanted) {
  const began = performance.now();
  const { facts, faults } = await onShop(uri ? { uri } : {}, part).catch((error: Error) => ({
    facts: {},
    faults: [String(error.stack)],
  }));
  const text = Object.entries(facts)
    .map(([what, number]) => `${what} ${number}`)
    .join(', ');
  console.log(`| ${name} | ${text} | ${faults.length} | ${((performance.now() - began) / 1000).toFixed(0)} |`);
  found.push(...faults.slice(0, FAULTS_SHOWN).map((fault) => `- ${name}: ${fault}`));
}
console.log(
  found.length > 0 ? `\n${found.join('\n')}` : '\nNothing lost, nothing double, stock plus sold is the start.',
);
process.exit(found.length > 0 ? 1 : 0);
