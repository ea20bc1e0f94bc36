/**
 * The server is killed again and again while clients buy: some with a coupon, some what runs out, and paying in all the
 * ways in which an answer of the provider can come or get lost. Whoever gets no answer asks again, with the same key.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { check, note, type Outcome, pick, unexpected } from './part.ts';
import { atOnce, type Cart, checkOut, codeOf, fillCart, insist } from './requests.ts';
import type { Shop } from './shop-under-test.ts';

const CLIENTS = 50;
const CHECK_EVERY = 50;
/** Orders after a start, until the next kill is near. */
const BUSY = 5;
/** A payment whose answer died with the server can be asked for again after 90 s. */
const PAID_LATER_MS = 95_000;
const OUTCOMES = ['approve', 'approve', 'webhook-first', 'webhook-twice', 'timeout'];
const REFUSALS = ['OUT_OF_STOCK', 'COUPON_NOT_VALID', 'CART_CHANGED'];

/** @param waits until what was cut off can be paid, and sees to it that all orders are */
export async function kills(shop: Shop, { kills: count, waits }: { kills: number; waits: boolean }): Promise<Outcome> {
  const products = [...(await shop.stock(20, 100_000)), ...(await shop.stock(5, 20))];
  const coupon = 'KILLS';
  await shop.coupons([coupon], 1000);
  const faults: string[] = [];
  const unpaid: Cart[] = [];
  let [isOpen, refused] = [true, 0];

  const buy = async (url: string) => {
    const productIds = [...new Set([pick(products), pick(products)])];
    const isReduced = Math.random() < 0.2;
    const cart = await fillCart(url, { productIds, outcome: pick(OUTCOMES), ...(isReduced && { coupon }) });
    const answer = cart && (await insist(() => checkOut(url, cart)));
    if (!answer || REFUSALS.includes(codeOf(answer))) refused += 1;
    else if (answer.status === 201) {
      note(shop, cart, answer);
      if (answer.body.status !== 'paid') unpaid.push(cart);
    } else faults.push(unexpected('checkout', answer));
  };

  let done = 0;
  while (done < count && faults.length === 0) {
    await shop.open();
    isOpen = true;
    const clients = atOnce(CLIENTS, Array.from({ length: CLIENTS }), async (_, i) => {
      while (isOpen) await buy(pick(shop.urls, i));
    }).catch((error: Error) => {
      faults.push(`a client: ${error.message}`);
      isOpen = false;
    });
    for (const until = Math.min(count, done + CHECK_EVERY); done < until && isOpen; done++) {
      // The clients are at it again.
      for (const before = shop.sales.length; shop.sales.length < before + BUSY && isOpen; ) await delay(20);
      await delay(200 + Math.random() * 1000);
      await shop.kill();
      await shop.open();
    }
    isOpen = false;
    await clients;
    faults.push(...(await check(shop)).map((fault) => `after ${done} kills: ${fault}`));
    if (waits) console.error(`${done} kills, ${shop.sales.length} orders, ${faults.length} faults`);
  }
  const facts = { kills: done, refused, 'payments cut off': unpaid.length };
  if (!waits || faults.length > 0) return { facts, faults };

  await shop.open();
  await delay(PAID_LATER_MS);
  await atOnce(CLIENTS, unpaid, async (cart, i) => {
    const answer = await insist(() => checkOut(pick(shop.urls, i), cart));
    if (answer.status === 201 && answer.body.status === 'paid') note(shop, cart, answer);
    else faults.push(unexpected('still not paid', answer));
  });
  return { facts, faults };
}
