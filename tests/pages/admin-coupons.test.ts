import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin, logInBrowser, staff } from '../helpers/accounts.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';
import type { WebVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
let boss: WebVisitor;
beforeAll(async () => {
  feira = await startFeira();
  boss = await logInBrowser(feira, ADMIN.email, ADMIN.password);
});
afterAll(() => feira.stop());

const NEW = '/admin/coupons/new';
const aCode = () => `C-${randomBytes(5).toString('hex').toUpperCase()}`;
const make = (fields: Record<string, string>) => boss.submit(NEW, { kind: 'percentage', value: '10', ...fields });
async function madeOf(code: string) {
  const { items } = (await (await admin(feira)).as('get', '/api/coupons?limit=100')).body;
  const coupon = items.find((one: { code: string }) => one.code === code);
  return { ...coupon, page: `/admin/coupons/${coupon?.id}` };
}

describe('coupons, for staff', () => {
  it('are made, listed, and work in a cart', async () => {
    const code = aCode();
    const limits = { maxUses: '100', maxPerCustomer: '1', minimum: '20,00', endsAt: '2099-12-31T18:00' };
    expect((await make({ code: code.toLowerCase(), value: '12.5', ...limits })).status).toBe(303);
    expect(await madeOf(code)).toMatchObject({
      ...{ kind: 'percentage', value: 1250, minimum: 2000, currency: 'EUR', maxUses: 100, maxPerCustomer: 1 },
      endsAt: '2099-12-31T18:00:00.000Z',
    });
    const { text } = await boss.open('/admin/coupons');
    for (const told of [code, '12.5 % off', 'for goods of €20.00 or more', '0 of 100 used'])
      expect(text).toContain(told);
    const { id: productId } = await createProduct(feira, { price: 2000 });
    const cart = await createCart(feira, [{ productId, quantity: 1 }]);
    expect((await cart.request('put', '/coupon').send({ code })).body.totals.discount).toBe(250);
  });

  it.each([
    ['fixed', '5', { value: 500, currency: 'EUR' }],
    ['free-shipping', '', { value: 0 }],
  ])('are of the kind %s', async (kind, value, expected) => {
    const code = aCode();
    expect((await make({ code, kind, value })).status).toBe(303);
    expect(await madeOf(code)).toMatchObject(expected);
  });

  it('say beside the field what is wrong, and keep what was typed', async () => {
    const code = aCode();
    const refused = await make({
      code,
      value: '120',
      startsAt: '2030-01-02T00:00',
      endsAt: '2030-01-01T00:00',
      maxUses: 'many',
    });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('Uses in all must be a whole number.');
    expect(refused.text).toContain('value="many"');
    expect((await make({ code, value: '120' })).text).toContain('Percent or sum must be a number from 0.01 to 100.');
    await make({ code });
    expect((await make({ code })).text).toContain('Another coupon has this code.');
  });

  it('are changed, not on the ground of an old page, and what is untouched stays', async () => {
    const code = aCode();
    await make({ code, startsAt: '2026-01-01T00:00', maxUses: '3' });
    const { page, version } = await madeOf(code);
    const fields = {
      value: '20',
      startsAt: '2026-01-01T00:00',
      minimum: '',
      endsAt: '',
      maxUses: '',
      maxPerCustomer: '',
    };
    expect((await boss.submit(page, fields)).status).toBe(303);
    expect(await madeOf(code)).toMatchObject({ value: 2000, maxUses: null, startsAt: '2026-01-01T00:00:00.000Z' });
    const stale = await boss.submit(page, { ...fields, value: '30', version: String(version) });
    expect(stale.status).toBe(412);
    expect(stale.text).toContain('The coupon is at version 2.');
    expect(stale.text).toContain('value="30"');
  });

  it('are ended', async () => {
    const code = aCode();
    await make({ code });
    const { page } = await madeOf(code);
    expect((await boss.submit(page, {}, `${page}/end`)).status).toBe(303);
    expect((await boss.open(page)).text).toContain('data-status="over"');
  });

  it('are not there for support', async () => {
    const support = await logInBrowser(feira, (await staff(feira, 'support')).user.email);
    expect((await support.open('/admin/coupons')).status).toBe(404);
    expect((await support.open('/admin/orders')).text).not.toContain('href="/admin/coupons"');
  });
});
