/**
 * Signed events of payments, each in five copies, in any order: money that is promised, taken, and given back in two
 * parts. Each has its effect once, and the ledger of each order is the sum of its events.
 */
import type { Db } from 'mongodb';
import { Webhook } from 'standardwebhooks';
import { note, type Outcome, pick, unexpected } from './part.ts';
import { atOnce, checkOut, insist, send, shuffled } from './requests.ts';
import type { Shop } from './shop-under-test.ts';

const COPIES = 5;
const CLIENTS = 50;
const KINDS = ['authorized', 'captured', 'refunded', 'refunded'];

interface Fact {
  id: string;
  orderId: string;
  kind: string;
  amount: number;
}

export async function webhooks(shop: Shop, { events: count }: { events: number }): Promise<Outcome> {
  const faults: string[] = [];
  const products = await shop.stock(10, count);
  const wishes = Array.from({ length: count / KINDS.length }, (_, i) => ({ productIds: [pick(products, i)] }));
  const carts = await shop.carts(wishes.map((wish) => ({ ...wish, outcome: 'decline' })));
  await atOnce(CLIENTS, carts, async (cart, i) => {
    const answer = await insist(() => checkOut(pick(shop.urls, i), cart));
    if (answer.status === 201) note(shop, cart, answer);
    else faults.push(unexpected('checkout', answer));
  });
  // The provider knows both: how it signs, and by which name it knows the payment.
  const { secret, references } = await shop.read(async (db) => ({
    secret: (await db.collection<{ _id: string; value: string }>('secrets').findOne({ _id: 'test-payments' }))?.value,
    references: new Map((await all(db, 'payment_attempts')).map(({ order, reference }) => [String(order), reference])),
  }));
  await shop.open();
  const signer = new Webhook(secret ?? '', { format: 'raw' });
  const facts = shop.sales.flatMap(({ orderId, total }) => factsOf(orderId, total, references.get(orderId)));
  const copies = shuffled(Array.from({ length: COPIES }, () => facts).flat());
  await atOnce(CLIENTS, copies, async (fact, i) => {
    const answer = await insist(() => tell(pick(shop.urls, i), signer, fact));
    if (answer.status !== 200) faults.push(unexpected(fact.id, answer));
  });
  faults.push(...(await shop.read((db) => wrongLedgers(db, facts))));
  return { facts: { events: facts.length, 'copies sent': copies.length }, faults };
}

function factsOf(orderId: string, total: number, reference: string): Fact[] {
  const amounts = [total, total, Math.floor(total / 3), total - Math.floor(total / 3) - 1];
  const known = { orderId, reference, currency: 'EUR' };
  return KINDS.map((kind, i) => ({ id: `${kind}:${reference}:${i}`, kind, amount: amounts[i] ?? 0, ...known }));
}

/** Each copy is signed anew, as a provider does when it tries again. */
function tell(url: string, signer: Webhook, fact: Fact) {
  const [id, now] = [`evt_${fact.id}`, new Date()];
  const body = JSON.stringify({ type: `payment.${fact.kind}`, data: fact });
  return send(`${url}/api/payments/test/webhook`, body, {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': signer.sign(id, now, body),
  });
}

async function wrongLedgers(db: Db, facts: Fact[]): Promise<string[]> {
  const text = (entries: Fact[]) =>
    entries
      .map(({ id, kind, amount }) => `${id} ${kind} ${amount}`)
      .sort()
      .join(', ');
  const [orders, events] = [await all(db, 'orders'), await all(db, 'payment_events')];
  const faults = orders.flatMap(({ _id, ledger }) => {
    const told = text(facts.filter(({ orderId }) => orderId === String(_id)));
    return text(ledger) === told ? [] : [`order ${_id} has ${text(ledger)}; it was told ${told}`];
  });
  return events.length === facts.length ? faults : [...faults, `${events.length} events are kept of ${facts.length}`];
}

const all = (db: Db, name: string) => db.collection(name).find().toArray();
