/**
 * Who may open and send what in a browser: every page and form, as everybody. A route without a row fails, and so does
 * a row whose answer differs. Forms are sent with their token and nothing else, and ids are missing ones, so whoever is
 * let in is shown what is wrong with it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import type { Permission } from '../../src/permissions.ts';
import { logInBrowser, someone, staff } from '../helpers/accounts.ts';
import { readApiDocument } from '../helpers/api-document.ts';
import { appAlone } from '../helpers/app-alone.ts';
import { type Caller, everybody } from '../helpers/callers.ts';
import { registeredRoutes } from '../helpers/registered-routes.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { hiddenFields, type WebVisitor, webVisitor } from '../helpers/web-visitor.ts';

/** Everybody; whoever is logged in; staff; whoever has the permission. */
type Rule = 'open' | 'login' | 'staff' | Permission;

const pages: Partial<Record<Rule, string[]>> = {
  open: [
    'get /',
    'get /products/{pid}',
    'get /realtimeproducts',
    'get /cart',
    'get /cart/empty',
    'get /cart/items{/*rest}',
    'get /cart/coupon{/*rest}',
    'get /cart/shipping',
    'post /cart/coupon',
    'post /cart/coupon/remove',
    'post /cart/shipping',
    'post /cart/items',
    'post /cart/items/{pid}',
    'post /cart/items/{pid}/remove',
    'post /cart/empty',
    'get /checkout',
    'post /checkout',
    'get /orders',
    'get /orders/lookup',
    'post /orders/lookup',
    'get /orders/{oid}',
    'get /orders/{oid}/pay',
    'post /orders/{oid}/pay',
    'get /orders/{oid}/cancel',
    'post /orders/{oid}/cancel',
    'get /chat',
    'get /chat/messages',
    'get /chat/leave',
    'post /chat',
    'post /chat/messages',
    'post /chat/leave',
    'get /login',
    'post /login',
    'get /login/code',
    'post /login/code',
    'get /login/passkey',
    'post /login/passkey',
    'get /logout',
    'post /logout',
    'get /signup',
    'post /signup',
    'get /confirm',
    'post /confirm',
    'get /forgot-password',
    'post /forgot-password',
    'get /reset-password',
    'post /reset-password',
    'get /confirm-email',
    'post /confirm-email',
    'get /profile/erased',
    'get /docs',
    'get /problems',
    'get /problems/{slug}',
    'get /dev/outbox',
    'get /dev/outbox/{id}',
    'get /dev/outbox/{id}/html',
    'get /dev/outbox/{id}/source',
  ],
  login: [
    'get /profile',
    'get /profile/avatar',
    'post /profile/avatar',
    'get /profile/avatar/remove',
    'post /profile/avatar/remove',
    'post /profile/sessions/others/end',
    'get /profile/sessions/{sid}/end',
    'post /profile/sessions/{sid}/end',
    'get /profile/edit',
    'post /profile/edit',
    'get /profile/password',
    'post /profile/password',
    'get /profile/email',
    'post /profile/email',
    'get /profile/erase',
    'post /profile/erase',
    'get /profile/passkeys',
    'get /profile/passkeys/new',
    'get /profile/passkeys/rename',
    'post /profile/passkeys/rename',
    'get /profile/passkeys/remove',
    'post /profile/passkeys/remove',
    'get /profile/two-step',
    'post /profile/two-step',
    'get /profile/two-step/codes',
    'post /profile/two-step/codes',
    'get /profile/two-step/off',
    'post /profile/two-step/off',
  ],
  staff: ['get /admin'],
  'orders:read': ['get /admin/orders', 'get /admin/orders/{oid}', 'get /admin/orders/{oid}/{move}'],
  'orders:write': ['capture', 'fulfil', 'deliver', 'cancel', 'notes'].map((name) => `post /admin/orders/{oid}/${name}`),
  'orders:refund': ['refund', 'refund/sum', 'retry'].map((name) => `post /admin/orders/{oid}/${name}`),
  'products:write': [
    'get /admin/products',
    'get /admin/products/new',
    'post /admin/products/new',
    'get /admin/products/{pid}',
    'post /admin/products/{pid}',
    'get /admin/products/{pid}/*form',
    ...['stock', 'pictures', 'pictures/arrange', 'delete'].map((name) => `post /admin/products/{pid}/${name}`),
    'post /admin/products/{pid}/pictures/{iid}/remove',
  ],
  'coupons:write': [
    'get /admin/coupons',
    ...['new', '{kid}', '{kid}/end'].flatMap((name) => [`get /admin/coupons/${name}`, `post /admin/coupons/${name}`]),
  ],
  'users:read': ['get /admin/users'],
  'users:write': ['{uid}', '{uid}/two-step'].flatMap((name) => [
    `get /admin/users/${name}`,
    `post /admin/users/${name}`,
  ]),
  'keys:write': ['', '/{kid}/end'].flatMap((name) => [`get /admin/keys${name}`, `post /admin/keys${name}`]),
  'webhooks:write': [
    'get /admin/webhooks',
    ...['new', '{wid}'].flatMap((name) => [`get /admin/webhooks/${name}`, `post /admin/webhooks/${name}`]),
    'get /admin/webhooks/{wid}/*form',
    ...['state', 'rotate', 'delete', 'deliveries/{did}/send'].map((name) => `post /admin/webhooks/{wid}/${name}`),
  ],
  'audit:read': ['get /admin/audit'],
};

/** Ends the login that asks: comes last. */
const LAST = 'post /logout';
const rows = (Object.entries(pages) as [Rule, string[]][])
  .flatMap(([rule, routes]) => routes.map((route) => ({ route, rule })))
  .sort((a, b) => Number(a.route === LAST) - Number(b.route === LAST));

const MISSING = 'f'.repeat(24);

type Browser = Caller & WebVisitor & { csrf: string };

let feira: Feira;
const browsers: Browser[] = [];

async function browserOf(caller: Caller): Promise<Browser> {
  const visitor = caller.email ? await logInBrowser(feira, caller.email) : webVisitor(feira, caller.headers);
  const { text } = await visitor.open('/profile');
  return { ...caller, ...visitor, csrf: hiddenFields(text, '/logout')._csrf ?? '' };
}

beforeAll(async () => {
  feira = await startFeira();
  for (const caller of await everybody(feira)) browsers.push(await browserOf(caller));
});
afterAll(() => feira.stop());

const send = ({ agent, csrf }: Browser, route: string): PromiseLike<Response> => {
  const [method = '', path = ''] = route.split(' ');
  const target = path.replace('{/*rest}', '/x').replace(/\{\w+\}/g, MISSING);
  return method === 'get' ? agent.get(target) : agent.post(target).type('form').send({ _csrf: csrf });
};

type Answer = 'let in' | 'led to the login' | 'not there';

function due(rule: Rule, { kind, permissions }: Caller): Answer {
  if (rule === 'open') return 'let in';
  // A key is nobody who could look at a page, but the way to the first one of staff is told by what one may.
  if (rule === 'staff') return permissions.some(leadsSomewhere) ? 'let in' : 'led to the login';
  if (kind !== 'person') return 'led to the login';
  return rule === 'login' || permissions.includes(rule) ? 'let in' : 'not there';
}

const leadsSomewhere = (permission: Permission) => pages[permission]?.some((route) => /^get [^{]*$/.test(route));

function answerOf({ headers, text, status }: Response): Answer {
  if (String(headers.location).startsWith('/login?next=')) return 'led to the login';
  return status === 404 && text.includes('There is nothing at this address.') ? 'not there' : 'let in';
}

describe('the access matrix of pages', () => {
  it('has a row for every page and form, and no other', async () => {
    const api = Object.keys((await readApiDocument(feira)).paths ?? {});
    const routes = registeredRoutes(appAlone(), [...api, '/problems'])
      .map((route) => (route.endsWith(' ') ? `${route}/` : route))
      .filter((route) => !route.includes(' /api') && !api.some((path) => route === `get ${path}`));
    expect(rows.map(({ route }) => route).sort()).toEqual([...new Set(routes)].sort());
  });

  it.each(rows)('$route: $rule', async ({ route, rule }) => {
    for (const browser of browsers) {
      const { name } = browser;
      const answer = await send(browser, route);
      expect({ name, answer: answerOf(answer) }).toEqual({ name, answer: due(rule, browser) });
      expect({ name, isError: answer.status >= 500 }).toEqual({ name, isError: false });
      // Whoever is logged in sent the token of their form.
      if (browser.csrf) expect({ name, status: answer.status }).not.toEqual({ name, status: 403 });
    }
  });
});

describe("what is somebody else's", () => {
  it('stays theirs, whatever form is sent: logins and keys', async () => {
    const [victim, seller] = await Promise.all([someone(feira), staff(feira, 'seller')]);
    const made = await seller.as('post', '/api/keys').send({ name: 'own', permissions: ['products:write'] });
    const [login] = (await victim.as('get', '/api/auth/sessions')).body.items;
    for (const caller of browsers.filter(({ kind }) => kind === 'person')) {
      const browser = await browserOf(caller);
      const ended = await send(browser, `post /profile/sessions/${login.id}/end`);
      expect({ name: caller.name, status: ended.status }).toEqual({ name: caller.name, status: 404 });
      // Who may change accounts may end anybody's key.
      if (caller.permissions.includes('users:write')) continue;
      const key = await send(browser, `post /admin/keys/${made.body.id}/end`);
      expect({ name: caller.name, status: key.status }).toEqual({ name: caller.name, status: 404 });
    }
    await victim.as('get', '/api/users/profile').expect(200);
    expect((await seller.as('get', '/api/keys')).body.items).toHaveLength(1);
  });

  it('needs a form of one’s own page: without its token nothing is changed', async () => {
    for (const browser of browsers.filter(({ kind }) => kind === 'person')) {
      const { agent } = await browserOf(browser);
      for (const path of ['/profile/edit', '/profile/sessions/others/end', `/admin/users/${MISSING}`])
        expect((await agent.post(path).type('form').send({ name: 'Changed' })).status).toBe(403);
    }
  });
});
