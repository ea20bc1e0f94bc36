/**
 * Who may call what: every operation of the API, as everybody. An operation without a row fails, and so does a row
 * whose answer differs. Bodies are empty and ids are missing ones, so whoever is let in is told 404 or 422.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { Permission } from '../../src/permissions.ts';
import { logIn, someone, staff } from '../helpers/accounts.ts';
import { API_METHODS, type ApiMethod, readApiDocument } from '../helpers/api-document.ts';
import { type Caller, everybody } from '../helpers/callers.ts';
import { joinByRest } from '../helpers/chat.ts';
import { createCart } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

/** Everybody; whoever is logged in; has the permission; shows the cart's secret, the order's or the chat's token. */
type Rule = 'open' | 'login' | 'cart' | 'order' | 'orders' | 'chat' | Permission;

const rules: Record<string, Rule> = {
  'get /api/products': 'open',
  'post /api/products': 'products:write',
  'get /api/products/{pid}': 'open',
  'put /api/products/{pid}': 'products:write',
  'patch /api/products/{pid}': 'products:write',
  'delete /api/products/{pid}': 'products:write',
  'post /api/products/{pid}/upload': 'products:write',
  'patch /api/products/{pid}/variants/{vid}': 'products:write',
  'get /api/products/{pid}/stock': 'products:write',
  'post /api/products/{pid}/stock': 'products:write',
  'put /api/products/{pid}/images': 'products:write',
  'delete /api/products/{pid}/images/{iid}': 'products:write',
  'get /api/categories': 'open',
  'post /api/categories': 'products:write',
  'patch /api/categories/{gid}': 'products:write',
  'delete /api/categories/{gid}': 'products:write',
  'post /api/carts': 'open',
  'get /api/carts/{cid}': 'cart',
  'put /api/carts/{cid}': 'cart',
  'delete /api/carts/{cid}': 'cart',
  'put /api/carts/{cid}/coupon': 'cart',
  'delete /api/carts/{cid}/coupon': 'cart',
  'put /api/carts/{cid}/shipping': 'cart',
  'post /api/carts/{cid}/products/{pid}': 'cart',
  'put /api/carts/{cid}/products/{pid}': 'cart',
  'delete /api/carts/{cid}/products/{pid}': 'cart',
  'post /api/carts/{cid}/product/{pid}': 'cart',
  'put /api/carts/{cid}/product/{pid}': 'cart',
  'delete /api/carts/{cid}/product/{pid}': 'cart',
  'get /api/payments/methods': 'open',
  'post /api/payments/{provider}/webhook': 'open',
  'post /api/carts/{cid}/checkout': 'cart',
  'get /api/orders': 'orders',
  'post /api/orders/lookup': 'open',
  'get /api/orders/{oid}': 'order',
  'post /api/orders/{oid}/pay': 'order',
  'post /api/orders/{oid}/cancel': 'order',
  'post /api/orders/{oid}/capture': 'orders:write',
  'post /api/orders/{oid}/fulfil': 'orders:write',
  'post /api/orders/{oid}/deliver': 'orders:write',
  'post /api/orders/{oid}/notes': 'orders:write',
  'post /api/orders/{oid}/refund': 'orders:refund',
  'post /api/orders/{oid}/refunds/{refundId}/retry': 'orders:refund',
  'get /api/coupons': 'coupons:write',
  'post /api/coupons': 'coupons:write',
  'get /api/coupons/{kid}': 'coupons:write',
  'patch /api/coupons/{kid}': 'coupons:write',
  'delete /api/coupons/{kid}': 'coupons:write',
  'get /api/chat/participants': 'chat',
  'post /api/chat/participants': 'open',
  'get /api/chat/participants/me': 'chat',
  'delete /api/chat/participants/me': 'chat',
  'get /api/chat/messages': 'chat',
  'post /api/chat/messages': 'chat',
  'get /api/chat/messages/{sequence}': 'chat',
  'post /api/auth/signup': 'open',
  'post /api/auth/verify-email': 'open',
  'post /api/auth/login': 'open',
  'post /api/auth/login/second-factor': 'open',
  'post /api/auth/login/passkey/options': 'open',
  'post /api/auth/login/passkey': 'open',
  'get /api/auth/passkeys': 'login',
  'post /api/auth/passkeys': 'login',
  'post /api/auth/passkeys/options': 'login',
  'patch /api/auth/passkeys/{kid}': 'login',
  'delete /api/auth/passkeys/{kid}': 'login',
  'get /api/auth/two-step': 'login',
  'post /api/auth/two-step/setup': 'login',
  'post /api/auth/two-step/enable': 'login',
  'post /api/auth/two-step/disable': 'login',
  'post /api/auth/two-step/recovery-codes': 'login',
  'post /api/auth/refresh': 'open',
  'post /api/auth/logout': 'open',
  'post /api/auth/forgot-password': 'open',
  'post /api/auth/reset-password': 'open',
  'post /api/auth/confirm-email': 'open',
  'post /api/auth/change-password': 'login',
  'post /api/auth/change-email': 'login',
  'get /api/auth/sessions': 'login',
  'delete /api/auth/sessions': 'login',
  'delete /api/auth/sessions/{sid}': 'login',
  'get /api/users/profile': 'login',
  'delete /api/users/profile': 'login',
  'post /api/users/avatar': 'login',
  'delete /api/users/avatar': 'login',
  'get /api/users/export': 'login',
  'patch /api/users/edit': 'login',
  'get /api/users': 'users:read',
  'get /api/users/{uid}': 'users:read',
  'patch /api/users/{uid}': 'users:write',
  'delete /api/users/{uid}/two-step': 'users:write',
  'get /api/keys': 'keys:write',
  'post /api/keys': 'keys:write',
  'delete /api/keys/{kid}': 'keys:write',
  'get /api/audit': 'audit:read',
  'get /api/webhooks': 'webhooks:write',
  'post /api/webhooks': 'webhooks:write',
  'get /api/webhooks/{wid}': 'webhooks:write',
  'patch /api/webhooks/{wid}': 'webhooks:write',
  'delete /api/webhooks/{wid}': 'webhooks:write',
  'post /api/webhooks/{wid}/rotate': 'webhooks:write',
  'get /api/webhooks/{wid}/deliveries': 'webhooks:write',
  'post /api/webhooks/{wid}/deliveries/{did}/replay': 'webhooks:write',
  'get /healthz': 'open',
  'get /readyz': 'open',
  'get /openapi.json': 'open',
};

/** What only a person may do, whatever a key was made for. */
const forPeople = (operation: string) =>
  rules[operation] === 'login' || operation.includes(' /api/keys') || operation.endsWith('/{uid}/two-step');

/** What the document names for each rule; for permissions a key too, where a key will do. */
const LOGIN = ['accessToken', 'session'];
const proofs: Partial<Record<Rule, string[]>> = {
  open: [],
  login: LOGIN,
  cart: ['cartSecret', 'cartCookie', ...LOGIN],
  orders: [...LOGIN, 'key'],
  order: ['orderToken', ...LOGIN, 'key'],
  chat: ['chatToken', 'chatCookie', ...LOGIN],
};

interface Stated {
  security?: object[];
  'x-permission'?: Permission;
}

/** What is judged before it is known whose the cart is has to be valid. */
const bodies: Record<string, object> = {
  'post /api/carts/{cid}/checkout': {
    ...{ email: 'ana@example.com', shippingMethod: 'standard', paymentMethod: 'manual' },
    address: { name: 'Ana', line1: 'Rua 1', city: 'Porto', postalCode: '4050', country: 'PT' },
  },
  'post /api/products/{pid}/stock': { change: 1, reason: 'Delivery' },
  'post /api/orders/{oid}/notes': { text: 'Call first' },
  'post /api/orders/{oid}/refund': { amount: 1, reason: 'Broken' },
  'put /api/carts/{cid}': { items: [] },
  'put /api/carts/{cid}/coupon': { code: 'NONE' },
  'put /api/carts/{cid}/shipping': { country: 'PT' },
  'put /api/carts/{cid}/products/{pid}': { quantity: 1 },
  'put /api/carts/{cid}/product/{pid}': { quantity: 1 },
};

const MISSING = 'f'.repeat(24);
/** Ends the login that asks: comes last. */
const LAST = new Set(['post /api/auth/logout']);

let feira: Feira;
let callers: Caller[];
beforeAll(async () => {
  feira = await startFeira();
  callers = await everybody(feira);
});
afterAll(() => feira.stop());

const call = (operation: string, headers: Record<string, string>) => {
  const [method, path] = operation.split(' ') as [ApiMethod, string];
  const target = path.replace('{sequence}', '999999').replace(/\{\w+\}/g, MISSING);
  const sent = request(feira.url)[method](target).set(headers);
  return method === 'get' || method === 'delete' ? sent : sent.send(bodies[operation] ?? {});
};

/** The refusal that is due; null for whoever is let in. */
function refusal(operation: string, { kind, permissions }: Caller): number | null {
  const rule = rules[operation]!;
  if (rule === 'open') return null;
  if (rule === 'cart' || rule === 'order') return 404;
  if (rule === 'chat') return kind === 'person' ? null : 401;
  if (kind === 'visitor') return 401;
  if (rule === 'orders') return kind === 'person' || permissions.includes('orders:read') ? null : 403;
  if (kind === 'key' && forPeople(operation)) return 403;
  return rule === 'login' || permissions.includes(rule) ? null : 403;
}

const operations = Object.keys(rules).sort((a, b) => Number(LAST.has(a)) - Number(LAST.has(b)));

describe('what is their own', () => {
  it('opens to everybody: carts, logins, keys', async () => {
    for (const { name, email, headers, permissions } of callers) {
      const as = (method: ApiMethod, path: string) => request(feira.url)[method](path).set(headers);
      const cart = await as('post', '/api/carts').send({});
      const secret = cart.headers['cart-secret'];
      const read = as('get', `/api/carts/${cart.body.id}`).set(secret ? { 'Cart-Secret': secret } : {});
      expect({ name, cart: (await read).status }).toEqual({ name, cart: 200 });
      if (!email) continue;
      await logIn(feira, email);
      const logins: { id: string; current: boolean }[] = (await as('get', '/api/auth/sessions')).body.items;
      const before = logins.find(({ current }) => !current)!;
      expect({ name, login: (await as('delete', `/api/auth/sessions/${before.id}`)).status }).toEqual({
        name,
        login: 204,
      });
      if (!permissions.includes('keys:write')) continue;
      const { body: key } = await as('post', '/api/keys').send({ name: 'own', permissions: ['products:write'] });
      expect({ name, key: (await as('delete', `/api/keys/${key.id}`)).status }).toEqual({ name, key: 204 });
    }
  });
});

describe("what is somebody else's", () => {
  it('does not exist, whoever asks: carts, logins, keys, what is said in the chat', async () => {
    const [cart, talker, seller, victim] = await Promise.all([
      createCart(feira),
      joinByRest(feira),
      staff(feira, 'seller'),
      someone(feira),
    ]);
    const { body: key } = await seller.as('post', '/api/keys').send({ name: 'own', permissions: ['products:write'] });
    const [login] = (await victim.as('get', '/api/auth/sessions')).body.items;
    for (const { name, headers, kind, permissions } of callers) {
      const statusOf = async (operation: string, path: string) =>
        (await request(feira.url)[operation as ApiMethod](path).set(headers)).status;
      expect({ name, cart: await statusOf('get', `/api/carts/${cart.id}`) }).toEqual({ name, cart: 404 });
      const logins = kind === 'visitor' ? 401 : kind === 'key' ? 403 : 404;
      expect({ name, login: await statusOf('delete', `/api/auth/sessions/${login.id}`) }).toEqual({
        name,
        login: logins,
      });
      if (kind === 'person' && permissions.includes('keys:write') && !permissions.includes('users:write'))
        expect(await statusOf('delete', `/api/keys/${key.id}`)).toBe(404);
    }
    await talker.as('get', '/api/chat/messages').expect(200);
    await victim.as('get', '/api/users/profile').expect(200);
  });
});

describe('the access matrix', () => {
  it('has a row for every operation of the API, and no other', async () => {
    const document = await readApiDocument(feira);
    const documented = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      API_METHODS.flatMap((method) => (item[method] ? [`${method} ${path}`] : [])),
    );
    expect(Object.keys(rules).sort()).toEqual(documented.sort());
  });

  it('is what the document states: who may call, with what, and what they need', async () => {
    const { paths = {} } = await readApiDocument(feira);
    for (const operation of operations) {
      const [method, path] = operation.split(' ') as [ApiMethod, string];
      const rule = rules[operation]!;
      const { security = [], 'x-permission': permission = null } = (paths[path]?.[method] ?? {}) as Stated;
      expect({ operation, permission, proofs: security.flatMap((each) => Object.keys(each)) }).toEqual({
        operation,
        permission: rule in proofs ? null : rule,
        proofs: proofs[rule] ?? [...(forPeople(operation) ? [] : ['key']), ...LOGIN],
      });
      expect({ operation, isStated: security.length > 0 }).toEqual({ operation, isStated: true });
    }
  });

  it.each(operations)('%s', async (operation) => {
    for (const caller of callers) {
      const { name } = caller;
      const { status, body } = await call(operation, caller.headers);
      const due = refusal(operation, caller);
      if (due === null)
        expect({ name, status, refused: [401, 403].includes(status) && body.code !== 'NOT_IN_CHAT' }).toEqual({
          name,
          status,
          refused: false,
        });
      else expect({ name, status }).toEqual({ name, status: due });
      expect({ name, isError: status >= 500 }).toEqual({ name, isError: false });
    }
  });
});
