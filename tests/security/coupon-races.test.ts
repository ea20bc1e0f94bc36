/** A coupon is worth what it says, however many use it at the same moment. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { inTransaction } from '../../src/database/transaction.ts';
import { giveCouponBack, redeemCoupon } from '../../src/services/coupon-uses.ts';
import { staff } from '../helpers/accounts.ts';
import { createCart, createCoupon, createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let seller: Awaited<ReturnType<typeof staff>>;
beforeAll(async () => {
  feira = await startFeira();
  seller = await staff(feira, 'seller');
});
afterAll(() => feira.stop());

const redeem = (id: string, customer: string) => inTransaction((session) => redeemCoupon(session, id, customer));
const giveBack = (id: string, customer: string) => inTransaction((session) => giveCouponBack(session, id, customer));
const usedOf = async (id: string) => (await seller.as('get', `/api/coupons/${id}`).expect(200)).body.used;

/** How many of the uses succeeded; the others were refused as they should be. */
async function successes(uses: Promise<void>[]): Promise<number> {
  const results = await Promise.allSettled(uses);
  for (const result of results)
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'COUPON_NOT_VALID' });
  return results.filter(({ status }) => status === 'fulfilled').length;
}

describe('redeemCoupon', () => {
  it('lets one of twenty have a coupon of one use', async () => {
    const { id } = await createCoupon(seller, { maxUses: 1 });
    const uses = Array.from({ length: 20 }, (_, i) => redeem(id, `buyer-${i}@example.com`));
    expect(await successes(uses)).toBe(1);
    expect(await usedOf(id)).toBe(1);
  });

  it('lets one customer have no more than their share, while others have theirs', async () => {
    const { id } = await createCoupon(seller, { maxPerCustomer: 2 });
    const [ana, others] = await Promise.all([
      successes(Array.from({ length: 10 }, () => redeem(id, 'ana@example.com'))),
      successes(Array.from({ length: 3 }, (_, i) => redeem(id, `other-${i}@example.com`))),
    ]);
    expect([ana, others, await usedOf(id)]).toEqual([2, 3, 5]);
  });

  it('counts nothing of a purchase that fails afterwards', async () => {
    const { id } = await createCoupon(seller, { maxUses: 1, maxPerCustomer: 1 });
    const failing = inTransaction(async (session) => {
      await redeemCoupon(session, id, 'ana@example.com');
      throw new Error('no stock');
    });
    await expect(failing).rejects.toThrow('no stock');
    expect(await usedOf(id)).toBe(0);
    await redeem(id, 'ana@example.com');
    await expect(redeem(id, 'ana@example.com')).rejects.toMatchObject({ code: 'COUPON_NOT_VALID' });
  });

  it('refuses one that has ended since it was quoted', async () => {
    const { id } = await createCoupon(seller);
    await seller.as('delete', `/api/coupons/${id}`).expect(204);
    await expect(redeem(id, 'ana@example.com')).rejects.toThrow('This coupon has expired.');
    await expect(redeem('f'.repeat(24), 'ana@example.com')).rejects.toMatchObject({ code: 'COUPON_NOT_VALID' });
    expect(await usedOf(id)).toBe(0);
  });

  it('can be had again when it was given back, and never counts below nothing', async () => {
    const { id } = await createCoupon(seller, { maxUses: 1, maxPerCustomer: 1 });
    await redeem(id, 'ana@example.com');
    await giveBack(id, 'ana@example.com');
    await giveBack(id, 'ana@example.com');
    expect(await usedOf(id)).toBe(0);
    await redeem(id, 'ana@example.com');
    expect(await successes(Array.from({ length: 5 }, () => redeem(id, 'bob@example.com')))).toBe(0);
  });

  it('goes up with uses, and staff still change it under the version that they have read', async () => {
    const { id } = await createCoupon(seller, { maxUses: 100 });
    const { headers } = await seller.as('get', `/api/coupons/${id}`);
    const [changed] = await Promise.all([
      seller.as('patch', `/api/coupons/${id}`).set('If-Match', headers.etag!).send({ value: 500 }),
      ...Array.from({ length: 5 }, (_, i) => redeem(id, `buyer-${i}`)),
    ]);
    expect(changed.status).toBe(200);
    expect((await seller.as('get', `/api/coupons/${id}`)).body).toMatchObject({ used: 5, value: 500, version: 2 });
  });
});

describe('one coupon in carts', () => {
  it('is in twenty at once and counts once in each, however often it is sent', async () => {
    const { code, id } = await createCoupon(seller, { value: 1000, maxUses: 1 });
    const product = await createProduct(feira, { price: 1000, stock: 100 });
    const carts = await Promise.all(
      Array.from({ length: 20 }, () => createCart(feira, [{ productId: product.id, quantity: 1 }])),
    );
    const answers = await Promise.all(
      [...carts, ...carts].map((cart) => cart.request('put', '/coupon').send({ code, discount: undefined })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
    for (const { body } of answers) expect(body.totals).toMatchObject({ discount: 100, total: 900 });
    // Only an order uses it up.
    expect(await usedOf(id)).toBe(0);
    await redeem(id, 'ana@example.com');
    const { body } = await carts[0]!.request('get').expect(200);
    expect(body).toMatchObject({ coupon: { notice: { detail: 'This coupon has been used up.' } }, total: 1000 });
  });
});
