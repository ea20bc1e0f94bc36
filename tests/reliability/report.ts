/**
 * The report on reliability, as Markdown: `npm run report:reliability -- [part ...] [--uri=mongodb://...] [--rounds=20]
 * [--checkouts=1000] [--coupons=100] [--events=2000] [--kills=200]`. All parts when none is named. Exits with 1 when
 * something is wrong. README.md beside this file says what the parts are.
 */
import { parseArgs } from 'node:util';
import { coupons } from './coupons.ts';
import { kills } from './kills.ts';
import { type Outcome, onShop } from './part.ts';
import { races } from './races.ts';
import { replays } from './replays.ts';
import type { Shop } from './shop-under-test.ts';
import { webhooks } from './webhooks.ts';

const FULL = { rounds: '20', checkouts: '1000', coupons: '100', events: '2000', kills: '200' };
const FAULTS_SHOWN = 20;

const sizes = Object.entries(FULL).map(([name, size]) => [name, { type: 'string', default: size }] as const);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { uri: { type: 'string' }, ...Object.fromEntries(sizes) },
});
const { uri } = values;
const sizeOf = (name: keyof typeof FULL) => Number((values as Record<string, string>)[name]);
const parts: Record<string, (shop: Shop) => Promise<Outcome>> = {
  races: (shop) => races(shop, { rounds: sizeOf('rounds'), units: 100 }),
  replays: (shop) => replays(shop, { checkouts: sizeOf('checkouts') }),
  coupons: (shop) => coupons(shop, { coupons: sizeOf('coupons') }),
  webhooks: (shop) => webhooks(shop, { events: sizeOf('events') }),
  kills: (shop) => kills(shop, { kills: sizeOf('kills'), waits: true }),
};

console.log(`# Reliability of Feira\n\n${new Date().toISOString()}, Node ${process.version},`);
console.log(uri ? `two processes on ${uri}\n` : 'one process with the embedded store inside\n');
console.log('| part | what was done | faults | seconds |\n|---|---|---|---|');
const found: string[] = [];
for (const [name, part] of Object.entries(parts)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const began = performance.now();
  const broken = (error: Error): Outcome => ({ facts: {}, faults: [String(error.stack)] });
  const { facts, faults } = await onShop(uri ? { uri } : {}, part).catch(broken);
  const text = Object.entries(facts).map(([what, number]) => `${what} ${number}`);
  console.log(
    `| ${name} | ${text.join(', ')} | ${faults.length} | ${((performance.now() - began) / 1000).toFixed(0)} |`,
  );
  found.push(...faults.slice(0, FAULTS_SHOWN).map((fault) => `- ${name}: ${fault}`));
}
console.log(
  found.length > 0 ? `\n${found.join('\n')}` : '\nNothing lost, nothing double, stock plus sold is the start.',
);
process.exit(found.length > 0 ? 1 : 0);
