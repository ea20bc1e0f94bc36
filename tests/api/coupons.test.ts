import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CouponBody, CouponListBody } from '../../src/schemas/coupon.schema.ts';
import { admin, staff } from '../helpers/accounts.ts';
import { createCart, createCoupon, createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
let seller: Awaited<ReturnType<typeof staff>>;
beforeAll(async () => {
  feira = await startFeira();
  boss = await admin(feira);
  seller = await staff(feira, 'seller');
});
afterAll(() => feira.stop());

let made = 0;
const aCode = () => `CODE-${++made}`;
const make = (input: object = {}) => createCoupon(seller, input);

describe('staff', () => {
  it('make coupons, whose codes are in capitals and given once', async () => {
    const code = aCode();
    const input = { code: code.toLowerCase(), kind: 'percentage', value: 1000, maxUses: 5 };
    const res = await seller.as('post', '/api/coupons').send(input).expect(201);
    expect(CouponBody.parse(res.body)).toEqual(res.body);
    expect(res.body).toMatchObject({ code, currency: null, minimum: 0, endsAt: null, used: 0, version: 1 });
    expect(res.headers.location).toBe(`/api/coupons/${res.body.id}`);
    await seller
      .as('post', '/api/coupons')
      .send({ ...input, value: 5 })
      .expect(409, /NAME_TAKEN/);
    expect((await boss.as('get', res.headers.location!).expect(200)).body).toEqual(res.body);
  });

  it('name sums in the currency of the shop when they name none', async () => {
    expect(await make({ kind: 'fixed', value: 500 })).toMatchObject({ currency: 'EUR' });
    expect(await make({ kind: 'fixed', value: 500, currency: 'USD' })).toMatchObject({ currency: 'USD' });
    expect(await make({ kind: 'free-shipping', minimum: 100 })).toMatchObject({ currency: 'EUR', value: 0 });
  });

  it.each([
    ['a percentage of nothing', { kind: 'percentage', value: 0 }, '#/value'],
    ['more than all', { kind: 'percentage', value: 10_001 }, '#/value'],
    ['half a cent', { kind: 'fixed', value: 0.5 }, '#/value'],
    ['a sum below nothing', { kind: 'fixed', value: -5 }, '#/value'],
    ['a value of free shipping', { kind: 'free-shipping', value: 5 }, '#/value'],
    ['a kind that does not exist', { kind: 'gift' }, '#/kind'],
    ['no uses', { maxUses: 0 }, '#/maxUses'],
    ['an end before the start', { startsAt: '2026-02-01T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' }, '#/endsAt'],
    ['a code of two letters', { code: 'AB' }, '#/code'],
    ['a code with spaces', { code: 'A B C' }, '#/code'],
    ['uses that happened', { used: -100 }, '#/used'],
  ])('are refused %s', async (_what, input, pointer) => {
    const body = { code: aCode(), kind: 'percentage', value: 500, ...input };
    const res = await seller.as('post', '/api/coupons').send(body).expect(422);
    expect(res.body.errors).toEqual([expect.objectContaining({ pointer })]);
  });

  it('change them under their version, and end them', async () => {
    const coupon = await make();
    const at = `/api/coupons/${coupon.id}`;
    const { headers } = await seller.as('get', at);
    const changed = await seller.as('patch', at).set('If-Match', headers.etag!).send({ maxUses: 3 }).expect(200);
    expect(changed.body).toMatchObject({ maxUses: 3, value: 1000, version: 2 });
    await seller.as('patch', at).set('If-Match', headers.etag!).send({ maxUses: 4 }).expect(412);
    await seller
      .as('patch', at)
      .send({ value: 0 })
      .expect(422, /must be 1 to 10000/);
    for (const body of [{}, { code: 'OTHER' }, { kind: 'fixed' }]) await seller.as('patch', at).send(body).expect(422);
    await seller.as('delete', at).expect(204);
    const { body } = await seller.as('get', at);
    expect(Date.parse(body.endsAt)).toBeLessThanOrEqual(Date.now());
    const again = await seller.as('delete', at).expect(204);
    expect(again.text).toBe('');
    expect((await seller.as('get', at)).body.endsAt).toBe(body.endsAt);
  });

  it('see them page by page, the newest first', async () => {
    const codes = [(await make()).code, (await make()).code, (await make()).code];
    const first = await seller.as('get', '/api/coupons?limit=2').expect(200);
    expect(CouponListBody.parse(first.body)).toEqual(first.body);
    const second = await seller.as('get', `/api/coupons?limit=1&after=${first.body.next}`).expect(200);
    const seen = [...first.body.items, ...second.body.items].map(({ code }: { code: string }) => code);
    expect(seen).toEqual(codes.reverse());
    await seller.as('get', '/api/coupons?after=x').expect(422);
  });

  it('leave a record of each change', async () => {
    const coupon = await make();
    await seller.as('patch', `/api/coupons/${coupon.id}`).send({ value: 2000 });
    await seller.as('delete', `/api/coupons/${coupon.id}`);
    const { body } = await boss.as('get', `/api/audit?targetId=${coupon.id}`).expect(200);
    expect(body.items.map(({ action }: { action: string }) => action)).toEqual([
      'coupon.ended',
      'coupon.changed',
      'coupon.created',
    ]);
    expect(body.items[1]).toMatchObject({
      actor: { id: seller.user.id },
      changes: { value: { before: 1000, after: 2000 } },
    });
  });

  it('are told 404 of what does not exist, and 405 of what cannot be done', async () => {
    for (const method of ['get', 'patch', 'delete'] as const)
      await seller
        .as(method, `/api/coupons/${'f'.repeat(24)}`)
        .send(method === 'patch' ? { value: 1 } : undefined)
        .expect(404);
    await seller.as('put', '/api/coupons').send({}).expect(405);
  });
});

describe('a coupon in a cart', () => {
  /** A cart with goods of 40.00 EUR. */
  async function aCart() {
    const product = await createProduct(feira, { price: 2000, stock: 10 });
    return { product, cart: await createCart(feira, [{ productId: product.id, quantity: 2 }]) };
  }

  it('takes off its percentage, however it is typed, until it is removed', async () => {
    const { code } = await make({ value: 1250 });
    const { cart } = await aCart();
    const { body } = await cart
      .request('put', '/coupon')
      .send({ code: ` ${code.toLowerCase()} ` })
      .expect(200);
    expect(body).toMatchObject({
      coupon: { code, notice: null },
      totals: { subtotal: 4000, discount: 500 },
      total: 3500,
      version: 2,
    });
    const without = await cart.request('delete', '/coupon').expect(200);
    expect(without.body).toMatchObject({ coupon: null, total: 4000, version: 3 });
    await cart.request('delete', '/coupon').expect(200);
  });

  it('is one: the next replaces it, and twice the same counts once', async () => {
    const [ten, five] = [await make(), await make({ kind: 'fixed', value: 500 })];
    const { cart } = await aCart();
    for (const code of [ten.code, ten.code]) await cart.request('put', '/coupon').send({ code }).expect(200);
    expect((await cart.request('get')).body.totals.discount).toBe(400);
    const { body } = await cart.request('put', '/coupon').send({ code: five.code }).expect(200);
    expect(body.totals).toMatchObject({ discount: 500, total: 3500 });
  });

  it('takes off what goods cost at most, and frees from the price of delivery', async () => {
    const [huge, free] = [await make({ kind: 'fixed', value: 90_000 }), await make({ kind: 'free-shipping' })];
    const { cart } = await aCart();
    await cart.request('put', '/shipping').send({ country: 'PT' }).expect(200);
    const { body } = await cart.request('put', '/coupon').send({ code: huge.code });
    expect(body.totals).toMatchObject({ discount: 4000, shipping: 490, total: 490 });
    const freed = await cart.request('put', '/coupon').send({ code: free.code });
    expect(freed.body.totals).toMatchObject({ discount: 0, shipping: 0, total: 4000 });
  });

  it('is refused with the reason: unknown, not yet, over, too little, other money', async () => {
    const [planned, over, dear, dollars] = [
      await make({ startsAt: '2099-01-01T00:00:00Z' }),
      await make({ endsAt: '2020-01-01T00:00:00Z' }),
      await make({ minimum: 4001 }),
      await make({ kind: 'fixed', value: 100, currency: 'USD' }),
    ];
    const { cart } = await aCart();
    for (const [code, detail] of [
      ['NO-SUCH', 'There is no coupon with this code.'],
      [planned.code, 'There is no coupon with this code.'],
      [over.code, 'This coupon has expired.'],
      [dear.code, 'The goods cost too little for this coupon.'],
      [dollars.code, 'This coupon is for purchases in USD.'],
    ]) {
      const { body } = await cart.request('put', '/coupon').send({ code }).expect(409);
      expect(body).toMatchObject({ code: 'COUPON_NOT_VALID', detail });
    }
    expect((await cart.request('get')).body).toMatchObject({ coupon: null, version: 1 });
  });

  it('stays with a notice when it is not valid any more, and counts again when it is', async () => {
    const coupon = await make({ minimum: 3000 });
    const { product, cart } = await aCart();
    await cart.request('put', '/coupon').send({ code: coupon.code }).expect(200);
    const less = await cart.request('put', `/products/${product.id}`).send({ quantity: 1 }).expect(200);
    expect(less.body).toMatchObject({
      coupon: { code: coupon.code, notice: { code: 'COUPON_NOT_VALID' } },
      totals: { discount: 0, total: 2000 },
    });
    await seller.as('patch', `/api/coupons/${coupon.id}`).send({ minimum: 0 }).expect(200);
    const again = await cart.request('get');
    expect(again.body).toMatchObject({ coupon: { notice: null }, totals: { discount: 200 } });
    await seller.as('delete', `/api/coupons/${coupon.id}`).expect(204);
    expect((await cart.request('get')).body.coupon.notice.detail).toBe('This coupon has expired.');
  });

  it('depends on the version that was read', async () => {
    const { code } = await make();
    const { cart } = await aCart();
    await cart.request('put', '/coupon').set('If-Match', cart.etag).send({ code }).expect(200);
    await cart.request('put', '/coupon').set('If-Match', cart.etag).send({ code }).expect(412);
    await cart.request('delete', '/coupon').set('If-Match', cart.etag).expect(412);
  });
});
