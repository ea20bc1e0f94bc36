/**
 * What must hold of a shop, whatever has happened to it. This page believes nobody: it uses no code of the shop, reads
 * the documents as they are stored, and compares them with one another and with what clients have written down for
 * themselves. Each sentence that it returns is a fault. None means that all of this holds:
 *
 * - An order that a client was told of is there, with the same number, buyer, units and total, and paid if they were
 *   told so. No cart has become two orders, none is closed without its order, and an order has lines whose sum is right.
 * - Of each product: never below zero; stock + units in orders = what there was at the start; and the movements, which
 *   are one for each order and product, sum to the stock.
 * - Of each order: at most one payment was captured, of exactly the total; what is given back is not more; the status
 *   says what the ledger says.
 * - Of each coupon: its uses are the orders that have it, and not more than it allows.
 * - Each event was handled by each of its consumers; each order has one `order.placed`, each paid one `order.paid`,
 *   and the mails of both were seen in the folder.
 */
import type { Db, Document } from 'mongodb';

/** What a client was told by the shop, and has written down. Of each product it bought one unit. */
export interface Sale {
  orderId: string;
  number: string;
  cart: string;
  email: string;
  productIds: string[];
  coupon: string | null;
  total: number;
  status: string;
}

export interface Known {
  /** Stock by product, when it was made. */
  start: ReadonlyMap<string, number>;
  sales: readonly Sale[];
  /** Ids of the mails that were seen. */
  mails: ReadonlySet<string>;
}

const COLLECTIONS = ['orders', 'products', 'stock_movements', 'carts', 'coupons', 'coupon_uses'] as const;
const MORE = ['payment_attempts', 'outbox_events', 'idempotency_keys'] as const;
type Found = Record<(typeof COLLECTIONS | typeof MORE)[number], Document[]>;

/** @returns faults, none when all is well. The shop must be at rest. */
export async function faultsIn(db: Db, known: Known): Promise<string[]> {
  const read = [...COLLECTIONS, ...MORE].map(async (name) => [name, await db.collection(name).find().toArray()]);
  const found: Found = Object.fromEntries(await Promise.all(read));
  const rules = [salesAreKept, ordersAreWhole, stockIsRight, moneyIsRight, couponsAreRight, everybodyWasTold];
  return rules.flatMap((rule) => [...rule(found, known)]);
}

function* salesAreKept({ orders }: Found, { sales }: Known): Generator<string> {
  const byId = new Map(orders.map((order) => [String(order._id), order]));
  for (const { orderId, number, cart, email, productIds, coupon, total, status } of sales) {
    const order = byId.get(orderId);
    const units = order?.lines.map(({ productId, quantity }: Document) => `${quantity} x ${productId}`).sort();
    const wanted = productIds.map((id) => `1 x ${id}`).sort();
    const told = `${[number, cart, email, total, coupon, wanted]}`;
    const stored = order && [
      order.number,
      order.cart,
      order.email,
      order.totals.total,
      order.coupon?.code ?? null,
      units,
    ];
    if (`${stored}` !== told) yield `order ${orderId} is ${stored ?? 'lost'}, its buyer was told ${told}`;
    if (order && status === 'paid' && capturedOf(order) === 0) yield `order ${orderId} was told to be paid`;
  }
}

function* ordersAreWhole({ orders, carts, idempotency_keys }: Found): Generator<string> {
  const closed = carts.filter(({ order }) => order).map(({ _id, order }) => `cart ${_id} of order ${order}`);
  const made = orders.map(({ _id, cart }) => `cart ${cart} of order ${_id}`);
  yield* difference('closed carts', closed, 'orders', made);
  if (new Set(orders.map(({ cart }) => `${cart}`)).size !== orders.length) yield 'a cart has become two orders';
  for (const { _id, lines, totals, address, shipping } of orders) {
    if (!lines.length || !address.line1 || !shipping.method) yield `order ${_id} is not whole`;
    const goods = sumOf(lines, ({ unitPrice, quantity }) => unitPrice * quantity);
    const total = goods - totals.discount + totals.shipping + (totals.taxIncluded ? 0 : totals.tax);
    if (total !== totals.total) yield `order ${_id} sums to ${total}, and says ${totals.total}`;
  }
  const remembered = idempotency_keys.map(({ result }) => `${result.orderId}`);
  yield* difference(
    'keys',
    remembered,
    'orders',
    orders.map(({ _id }) => `${_id}`),
  );
}

function* stockIsRight({ orders, products, stock_movements }: Found, { start }: Known): Generator<string> {
  const lines = orders.flatMap(({ _id, stock, lines }) => lines.map((line: Document) => ({ ...line, _id, stock })));
  const live = lines.filter(({ stock }) => stock !== 'returned');
  const sold = countBy(
    live,
    ({ productId }) => `${productId}`,
    ({ quantity }) => quantity,
  );
  const moved = countBy(
    stock_movements,
    ({ unit }) => unit,
    ({ change }) => change,
  );
  if (products.length !== start.size) yield `${products.length} products, ${start.size} were made`;
  for (const { _id, stock } of products) {
    const [inOrders, wanted] = [sold.get(`${_id}`) ?? 0, start.get(`${_id}`)];
    if (stock < 0) yield `product ${_id} has ${stock} in stock`;
    if (stock + inOrders !== wanted) yield `product ${_id}: ${stock} + ${inOrders} in orders is not ${wanted}`;
    if (stock !== moved.get(`${_id}`)) yield `product ${_id} has ${stock}, movements sum to ${moved.get(`${_id}`)}`;
  }
  const left = stock_movements.filter(({ cause }) => cause.startsWith('order:'));
  const bought = lines.map(({ _id, productId, quantity }) => `-${quantity} of ${productId} by order:${_id}`);
  yield* difference(
    'movements',
    left.map((one) => `${one.change} of ${one.unit} by ${one.cause}`),
    'orders',
    bought,
  );
}

function* moneyIsRight({ orders, payment_attempts }: Found): Generator<string> {
  const paid = payment_attempts.filter(({ state }) => state === 'captured').map(({ order }) => `${order}`);
  if (new Set(paid).size !== paid.length) yield 'an order was paid twice';
  for (const order of orders) {
    const { _id, ledger, totals, status, cancelledAt, stock } = order;
    const captured = capturedOf(order);
    const kept = captured - sumOf(ledger, ({ kind, amount }) => (kind === 'refunded' ? amount : 0));
    if (captured !== 0 && captured !== totals.total) yield `order ${_id} got ${captured} of ${totals.total}`;
    if (kept < 0) yield `order ${_id} gave back ${-kept} too much`;
    const paidStatus = kept === captured ? 'paid' : kept === 0 ? 'refunded' : 'partly_refunded';
    const [right, units] = cancelledAt
      ? ['cancelled', 'returned']
      : captured === 0
        ? ['pending_payment', 'held']
        : [paidStatus, 'taken'];
    if (status !== right || stock !== units) yield `order ${_id} is ${status}, its units ${stock}; it must be ${right}`;
  }
}

function* couponsAreRight({ orders, coupons, coupon_uses }: Found): Generator<string> {
  const having = orders.filter(({ coupon, cancelledAt }) => coupon && !cancelledAt);
  const uses = countBy(
    having,
    ({ coupon }) => coupon.id,
    () => 1,
  );
  const counted = countBy(
    coupon_uses,
    ({ _id }) => _id.split(':')[0],
    ({ count }) => count,
  );
  for (const { _id, code, used, maxUses } of coupons) {
    const numbers = [used, uses.get(`${_id}`) ?? 0, counted.get(`${_id}`) ?? 0];
    if (new Set(numbers).size > 1) yield `coupon ${code}: used, in orders, by customers: ${numbers}`;
    if (maxUses && Math.max(...numbers) > maxUses) yield `coupon ${code} allows ${maxUses}, was used ${numbers}`;
  }
}

function* everybodyWasTold({ orders, outbox_events }: Found, { mails }: Known): Generator<string> {
  for (const { event, consumer, type, doneAt, fault } of outbox_events)
    if (!doneAt) yield `${type} ${event} was not handled by ${consumer}: ${fault ?? 'never tried'}`;
  const mailed = outbox_events.filter(({ consumer }) => consumer === 'mail');
  const told = mailed.filter(({ type }) => ['order.placed', 'order.paid'].includes(type));
  const placed = orders.map(({ _id }) => `order.placed ${_id}`);
  const paid = orders.filter((order) => capturedOf(order) > 0).map(({ _id }) => `order.paid ${_id}`);
  const events = told.map(({ type, data }) => `${type} ${data.orderId}`);
  yield* difference('events', events, 'orders', [...placed, ...paid]);
  for (const { event, type, data } of mailed)
    if (!mails.has(`${event}`)) yield `no mail of ${type} ${event} for order ${data.orderId}`;
}

/** What is in one list and not in the other, or not as often. */
function* difference(left: string, lefts: string[], right: string, rights: string[]): Generator<string> {
  const counts = countBy(lefts, String, () => 1);
  for (const item of rights) counts.set(item, (counts.get(item) ?? 0) - 1);
  for (const [item, count] of counts)
    if (count !== 0) yield `${item}: ${left} against ${right} ${count > 0 ? '+' : ''}${count}`;
}

const capturedOf = (order: Document) => sumOf(order.ledger, ({ kind, amount }) => (kind === 'captured' ? amount : 0));
const sumOf = (docs: Document[], amount: (doc: Document) => number) => docs.reduce((sum, doc) => sum + amount(doc), 0);

function countBy<T>(items: T[], nameOf: (item: T) => string, amount: (item: T) => number): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + amount(item));
  return counts;
}
