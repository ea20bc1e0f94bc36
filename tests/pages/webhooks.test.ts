import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { Webhook } from 'standardwebhooks';
import { admin, logInBrowser, staff } from '../helpers/accounts.ts';
import { anOrder } from '../helpers/orders.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';
import { hiddenFields, type WebVisitor } from '../helpers/web-visitor.ts';
import { type Received, webhookReceiver } from '../helpers/webhook-receiver.ts';

let feira: Feira;
let boss: WebVisitor;
let api: Awaited<ReturnType<typeof admin>>;
beforeAll(async () => {
  feira = await startFeira({ WEBHOOK_ALLOW_PRIVATE: '1' });
  [boss, api] = [await logInBrowser(feira, ADMIN.email, ADMIN.password), await admin(feira)];
});
afterAll(() => feira.stop());

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const NEW = '/admin/webhooks/new';
/** A browser sends each box that is ticked. */
async function send(page: string, fields: Record<string, string | string[]>, action = page) {
  const hidden = hiddenFields((await boss.open(page)).text, action);
  return boss.agent
    .post(action)
    .type('form')
    .send({ ...hidden, ...fields });
}

const secretOf = (html: string) =>
  /<input id="secret" value="([^"]*)" readonly/.exec(html)?.[1]?.replaceAll('&#x3D;', '=');

/** Made with the page. */
async function made(url: string, types: string[] = ['order.paid']) {
  const { status, text } = await send(NEW, { url, types });
  expect(status).toBe(200);
  const id = /action="\/admin\/webhooks\/([\da-f]{24})"/.exec(text)?.[1] ?? '';
  ends.push(() => api.as('delete', `/api/webhooks/${id}`));
  return { id, text, page: `/admin/webhooks/${id}`, secret: secretOf(text) ?? '' };
}

/** A receiver with a webhook that tells it. */
async function told(answer?: Parameters<typeof webhookReceiver>[0]) {
  const receiver = await webhookReceiver(answer);
  ends.push(receiver.close);
  return { ...(await made(receiver.url)), url: receiver.url, received: receiver.received };
}

const shown = async ({ id }: { id: string }) => (await api.as('get', `/api/webhooks/${id}`)).body;
const verify = (secret: string, { body, headers }: Received) => new Webhook(secret).verify(body, headers);
const ticked = (html: string) =>
  [...html.matchAll(/name="types" value="([^"]*)" checked/g)].map(([, type]) => type).sort();

/** The log of a page, when it tells this. */
async function logWith(page: string, words: string): Promise<string> {
  let log = '';
  await eventually(async () => {
    log = (await boss.open(page)).text.split('id="log"')[1] ?? '';
    return log.includes(words);
  });
  return log;
}

describe('webhooks, for staff', () => {
  it('are made, with a secret that is shown once and signs what is sent', async () => {
    const one = await told();
    expect(one.secret).toMatch(/^whsec_[\w+/]{43}=$/);
    await anOrder(feira);
    await eventually(() => one.received.length === 1);
    verify(one.secret, one.received[0]!);
    const list = (await boss.open('/admin/webhooks')).text;
    expect(list).toContain(`<strong>${one.url}</strong>`);
    expect(list).toContain('<small>order.paid</small>');
    expect(list).toContain('data-status="on"');
    const again = await boss.open(one.page);
    expect(again.headers['cache-control']).toBe('private, no-store');
    expect(secretOf(again.text)).toBeUndefined();
    for (const { text } of [again, { text: list }]) expect(text).not.toContain('whsec_');
  });

  it('say beside the field what is wrong, and keep what was typed', async () => {
    const refused = await send(NEW, { url: 'ftp://erp.example/x', types: ['order.paid', 'order.refunded'] });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('Address must be an http or https address.');
    expect(refused.text).toContain('value="ftp://erp.example/x"');
    expect(ticked(refused.text)).toEqual(['order.paid', 'order.refunded']);
    expect((await send(NEW, { url: 'https://erp.example/x' })).text).toContain('Choose at least one.');
    const { page } = await made('http://127.0.0.1:9/x');
    const changed = await send(page, { url: 'http://user:word@127.0.0.1:9/' });
    expect(changed.status).toBe(422);
    expect(changed.text).toContain('Address must hold no user, password or fragment.');
    expect(changed.text).toContain('Choose at least one.');
    expect(changed.text).toMatch(/<details open>\s*<summary>Change what it gets/);
  });

  it('are changed, not on the ground of an old page, and what a program has chosen stays', async () => {
    const one = await made('http://127.0.0.1:9/x');
    await api.as('patch', `/api/webhooks/${one.id}`).send({ types: ['order.paid', 'stock.changed'] });
    expect(ticked((await boss.open(one.page)).text)).toEqual(['order.paid', 'stock.changed']);
    const fields = { url: 'http://127.0.0.1:9/y', types: 'order.cancelled' };
    const saved = await send(one.page, fields);
    expect([saved.status, saved.headers.location]).toEqual([303, one.page]);
    expect(await shown(one)).toMatchObject({ url: fields.url, types: ['order.cancelled'], version: 3 });
    const stale = await send(one.page, { ...fields, types: '*', version: '2' });
    expect(stale.status).toBe(412);
    expect(stale.text).toContain('The webhook is at version 3.');
    expect(ticked(stale.text)).toEqual(['*']);
    expect(await shown(one)).toMatchObject({ types: ['order.cancelled'] });
  });

  it('are switched off and on, and say who has switched them off', async () => {
    const one = await told((_i, res) => res.writeHead(410).end());
    const state = `${one.page}/state`;
    expect((await send(one.page, {}, state)).status).toBe(303);
    expect(await shown(one)).toMatchObject({ disabled: 'staff' });
    expect((await boss.open('/admin/webhooks')).text).toContain('Switched off by staff');
    await send(one.page, {}, state);
    expect(await shown(one)).toMatchObject({ enabled: true });
    await anOrder(feira);
    expect(await logWith(one.page, 'data-status="cancelled">given up<')).toContain('It answered 410 (Gone)');
    await eventually(async () => (await shown(one)).disabled === 'gone');
    const { text } = await boss.open(one.page);
    expect(text).toContain('It answered 410: it is there no more.');
    expect(text).not.toContain('Send again');
  });

  it('get a new secret, once for each page that was looked at; the one before also signs', async () => {
    const one = await told();
    const rotate = `${one.page}/rotate`;
    const rotated = await send(one.page, {}, rotate);
    const secret = secretOf(rotated.text) ?? '';
    expect(secret).toMatch(/^whsec_/);
    expect(secret).not.toBe(one.secret);
    // The page is loaded again, and with it the form is sent again.
    const again = await send(one.page, { version: '1' }, rotate);
    expect(again.status).toBe(412);
    expect(secretOf(again.text)).toBeUndefined();
    await anOrder(feira);
    await eventually(() => one.received.length === 1);
    for (const each of [secret, one.secret]) verify(each, one.received[0]!);
  });

  it('are deleted, after a question', async () => {
    const one = await made('http://127.0.0.1:9/x');
    expect((await boss.open(one.page)).text).toContain('This cannot be undone.');
    const deleted = await send(one.page, {}, `${one.page}/delete`);
    expect([deleted.status, deleted.headers.location]).toEqual([303, '/admin/webhooks']);
    expect((await boss.open('/admin/webhooks')).text).not.toContain(one.id);
    expect((await boss.open(one.page)).status).toBe(404);
  });

  it('need the token of the form', async () => {
    const one = await made('http://127.0.0.1:9/x');
    for (const path of [NEW, one.page, `${one.page}/state`, `${one.page}/rotate`, `${one.page}/delete`])
      expect((await boss.agent.post(path).type('form').send({ version: '1' })).status).toBe(403);
    expect(await shown(one)).toMatchObject({ enabled: true, version: 1 });
  });

  it('are not there for sellers and support', async () => {
    for (const role of ['seller', 'support'] as const) {
      const browser = await logInBrowser(feira, (await staff(feira, role)).user.email);
      expect((await browser.open('/admin/webhooks')).status).toBe(404);
      expect((await browser.open('/admin/orders')).text).not.toContain('href="/admin/webhooks"');
    }
    expect((await boss.open('/admin/orders')).text).toContain('<a href="/admin/webhooks">Webhooks</a>');
  });
});

describe('what was sent, for staff', () => {
  it('says what was answered, how often it was tried and when it is next, and is sent again', async () => {
    const one = await told((i, res) => (i === 0 ? res.destroy() : res.end()));
    await anOrder(feira);
    const failed = await logWith(one.page, '1 try. It is tried again on ');
    const [id] = one.received.map(({ headers }) => headers['webhook-id']);
    for (const words of [
      '<strong>order.paid</strong>',
      `<code>${id}</code>`,
      'not yet delivered',
      'There was no answer: the connection broke off.',
    ])
      expect(failed).toContain(words);
    const action = /action="([^"]*\/send)"/.exec(failed)?.[1] ?? '';
    const sent = await send(one.page, {}, action);
    expect(sent.status).toBe(303);
    expect(sent.headers.location).toMatch(new RegExp(`^${one.page}#delivery-[\\da-f]{24}$`));
    const log = await logWith(one.page, 'data-status="delivered"');
    expect(log).toMatch(/It answered 200 \(OK\) after \d+ ms\./);
    expect(log).toContain('2 tries.');
    expect(one.received[1]!.headers['webhook-id']).toBe(id);
  });

  it('has pages, the newest first, and one stays on the page from which it sends again', async () => {
    const one = await told();
    await anOrder(feira);
    await logWith(one.page, 'data-status="delivered"');
    const stored = mongoose.connection.collection('webhook_deliveries');
    const { _id, ...delivery } = (await stored.findOne({ endpoint: new mongoose.Types.ObjectId(one.id) }))!;
    const older = Array.from({ length: 21 }, (_, i) => ({
      ...{ ...delivery, type: `order.n${i}`, event: new mongoose.Types.ObjectId() },
      _id: mongoose.Types.ObjectId.createFromTime(1_000_000 + i),
    }));
    await stored.insertMany(older);
    const types = (html: string) => [...html.matchAll(/<strong>(order\.\w+)<\/strong>/g)].map(([, type]) => type);
    const { text } = await boss.open(one.page);
    expect(types(text)).toHaveLength(20);
    expect(types(text).slice(0, 3)).toEqual(['order.paid', 'order.n20', 'order.n19']);
    const next = /<a href="([^"]*)" rel="next"/.exec(text)?.[1]?.replaceAll('&#x3D;', '=') ?? '';
    const second = (await boss.open(next)).text;
    expect(types(second)).toEqual(['order.n1', 'order.n0']);
    expect(second).not.toContain('rel="next"');
    const action = `${one.page}/deliveries/${older[0]!._id.toHexString()}/send`;
    expect((await send(next, {}, action)).headers.location).toBe(`${next}#delivery-${older[0]!._id.toHexString()}`);
  });
});
