import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { Webhook } from 'standardwebhooks';
import type { WebhookWithSecret } from '../../src/services/webhook.service.ts';
import { admin, staff } from '../helpers/accounts.ts';
import { anOrder } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';
import { type Received, webhookReceiver } from '../helpers/webhook-receiver.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
beforeAll(async () => {
  feira = await startFeira({ WEBHOOK_ALLOW_PRIVATE: '1' });
  boss = await admin(feira);
});
afterAll(() => feira.stop());

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function endpoint(input: object): Promise<WebhookWithSecret> {
  const { body } = await boss.as('post', '/api/webhooks').send(input).expect(201);
  ends.push(() => boss.as('delete', `/api/webhooks/${body.id}`));
  return body;
}

/** A receiver with an endpoint of the shop that tells it. */
async function told(types: string[], answer?: Parameters<typeof webhookReceiver>[0]) {
  const receiver = await webhookReceiver(answer);
  ends.push(receiver.close);
  return { ...receiver, ...(await endpoint({ url: receiver.url, types })), receiver };
}

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers) as { type: string; timestamp: string; data: Record<string, unknown> };

const deliveriesOf = async ({ id }: { id: string }) =>
  (await boss.as('get', `/api/webhooks/${id}/deliveries`).expect(200)).body.items;

/** As if the time of the next try had come. */
const letTryAgain = () =>
  mongoose.connection
    .collection('outbox_events')
    .updateMany(
      { consumer: 'webhook-deliveries', claim: { $exists: false }, dueAt: { $gt: new Date() } },
      { $set: { dueAt: new Date() } },
    );

/** As many as were awaited, and no more. */
const arrived = (received: Received[], count: number) => eventually(() => received.length === count);

describe('POST /api/webhooks', () => {
  it('answers the secret once; it is shown, stored and recorded nowhere', async () => {
    const made = await boss
      .as('post', '/api/webhooks')
      .send({ url: 'http://127.0.0.1:9/x', types: ['order.*'] })
      .expect(201);
    const { id, secret } = made.body;
    ends.push(() => boss.as('delete', `/api/webhooks/${id}`));
    expect(made.headers.location).toBe(`/api/webhooks/${id}`);
    expect(made.headers.etag).toBe('"1"');
    expect(made.headers['cache-control']).toBe('private, no-store');
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    const { body } = await boss.as('get', `/api/webhooks/${id}`).expect(200);
    expect(body).toMatchObject({ url: 'http://127.0.0.1:9/x', types: ['order.*'], enabled: true, disabled: null });
    const audit = await boss.as('get', `/api/audit?targetId=${id}`).expect(200);
    expect(audit.body.items).toHaveLength(1);
    const stored = await mongoose.connection.collection('webhook_endpoints').find().toArray();
    expect(JSON.stringify([body, audit.body, stored])).not.toContain(secret.slice(6, 30));
  });

  it.each([
    [{ url: 'ftp://erp.example/', types: ['*'] }],
    [{ url: 'http://user:secret@erp.example/', types: ['*'] }],
    [{ url: 'nonsense', types: ['*'] }],
    [{ url: 'http://erp.example/', types: [] }],
    [{ url: 'http://erp.example/', types: ['order.*.x'] }],
    [{ url: 'http://erp.example/', types: ['*'], secret: 'mine' }],
  ])('refuses %j', async (input) => {
    const { body } = await boss.as('post', '/api/webhooks').send(input).expect(422);
    expect(body.code).toBe('INVALID_INPUT');
  });

  it('makes twenty at most', async () => {
    const input = { url: 'http://127.0.0.1:9/x', types: ['stock.changed'] };
    const make = () => boss.as('post', '/api/webhooks').send(input);
    const answers = await Promise.all(Array.from({ length: 25 }, () => make()));
    const made = answers.filter(({ status }) => status === 201);
    for (const { body } of made) ends.push(() => boss.as('delete', `/api/webhooks/${body.id}`));
    expect(made).toHaveLength(20);
    const { body } = await make().expect(409);
    expect(body).toMatchObject({ code: 'LIMIT_REACHED', limit: 20 });
  });

  it('is for admins', async () => {
    const support = await staff(feira, 'support');
    await support.as('get', '/api/webhooks').expect(403);
    await feira.api.get('/api/webhooks').expect(401);
  });
});

describe('PATCH /api/webhooks/{wid}', () => {
  it('changes it when it is as the caller has read it', async () => {
    const { id } = await endpoint({ url: 'http://127.0.0.1:9/x', types: ['*'] });
    const change = (etag: string) =>
      boss
        .as('patch', `/api/webhooks/${id}`)
        .set('If-Match', etag)
        .send({ types: ['order.paid'], enabled: false });
    const { body, headers } = await change('"1"').expect(200);
    expect(body).toMatchObject({ types: ['order.paid'], enabled: false, disabled: 'staff', version: 2 });
    expect(headers.etag).toBe('"2"');
    expect((await change('"1"').expect(412)).body.code).toBe('VERSION_MISMATCH');
    const end = (etag: string) => boss.as('delete', `/api/webhooks/${id}`).set('If-Match', etag);
    expect((await end('"1"').expect(412)).body.code).toBe('VERSION_MISMATCH');
    await boss.as('get', `/api/webhooks/${id}`).expect(200);
    await end('"2"').expect(204);
    await boss
      .as('patch', `/api/webhooks/${'f'.repeat(24)}`)
      .send({ enabled: true })
      .expect(404);
  });
});

describe('an endpoint', () => {
  it('is told what it asked for, signed, with the order as its customer may see it', async () => {
    const one = await told(['order.placed', 'order.paid']);
    const other = await told(['stock.*', 'order.cancelled']);
    const { order } = await anOrder(feira);
    await arrived(one.received, 2);
    const messages = one.received.map((each) => verify(one.secret, each));
    expect(messages.map(({ type }) => type).sort()).toEqual(['order.paid', 'order.placed']);
    for (const { timestamp, data } of messages) {
      expect(Date.parse(timestamp)).not.toBeNaN();
      expect(data).toMatchObject({ id: order.id, number: order.number, email: order.email });
      expect(data).not.toHaveProperty('ledger');
    }
    expect(one.received[0]!.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(() => verify(other.secret, one.received[0]!)).toThrow();
    await eventually(async () =>
      (await deliveriesOf(one)).every(({ state }: { state: string }) => state === 'delivered'),
    );
    const log = await deliveriesOf(one);
    expect(log.map(({ messageId }: { messageId: string }) => messageId).sort()).toEqual(
      one.received.map(({ headers }) => headers['webhook-id']).sort(),
    );
    expect(log[0]).toMatchObject({
      attempts: [{ status: 200, fault: null, ms: expect.any(Number) }],
      nextTryAt: null,
    });
    expect(other.received).toEqual([]);
    expect(await deliveriesOf(other)).toEqual([]);
  });

  it('that answers 500 or nothing gets the same message again', async () => {
    const one = await told(['order.paid'], (i, res) => {
      if (i === 0) res.writeHead(500).end('not today');
      else if (i === 1) res.destroy();
      else res.end();
    });
    await anOrder(feira);
    for (const tries of [1, 2]) {
      await eventually(async () => (await deliveriesOf(one))[0]?.attempts.length === tries);
      await eventually(async () => (await letTryAgain()).modifiedCount > 0);
    }
    await arrived(one.received, 3);
    expect(new Set(one.received.map(({ headers, body }) => headers['webhook-id'] + body)).size).toBe(1);
    for (const each of one.received) verify(one.secret, each);
    await eventually(async () => (await deliveriesOf(one))[0].state === 'delivered');
    const [{ attempts }] = await deliveriesOf(one);
    expect(attempts).toMatchObject([
      { status: 500, fault: 'It answered 500.' },
      { status: null, fault: expect.stringContaining('no answer') },
      { status: 200, fault: null },
    ]);
  });

  it('that answers 410 is switched off, until staff switch it on', async () => {
    const one = await told(['order.paid'], (i, res) => res.writeHead(i === 0 ? 410 : 204).end());
    const show = async () => (await boss.as('get', `/api/webhooks/${one.id}`).expect(200)).body;
    await anOrder(feira);
    await eventually(async () => (await show()).disabled === 'gone');
    const other = await told(['order.paid']);
    await anOrder(feira);
    await arrived(other.received, 1);
    expect(await deliveriesOf(one)).toHaveLength(1);
    await boss.as('patch', `/api/webhooks/${one.id}`).send({ enabled: true }).expect(200);
    await anOrder(feira);
    await arrived(one.received, 2);
    expect(await show()).toMatchObject({ enabled: true });
  });

  it('that answers with another address has failed: nobody goes there', async () => {
    const elsewhere = await webhookReceiver();
    ends.push(elsewhere.close);
    const one = await told(['order.paid'], (_i, res) => res.writeHead(307, { Location: elsewhere.url }).end());
    await anOrder(feira);
    await eventually(async () => (await deliveriesOf(one))[0]?.attempts.length === 1);
    expect((await deliveriesOf(one))[0]).toMatchObject({ state: 'failed', attempts: [{ status: 307 }] });
    expect(elsewhere.received).toEqual([]);
  });

  it('that answers with less than a success has not got it', async () => {
    const one = await told(['order.paid'], (_i, res) => {
      res.socket?.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    });
    await anOrder(feira);
    await eventually(async () => (await deliveriesOf(one))[0]?.attempts.length === 1);
    const [{ state, attempts, nextTryAt }] = await deliveriesOf(one);
    expect({ state, attempts }).toMatchObject({ state: 'failed', attempts: [{ fault: 'It answered 101.' }] });
    expect(nextTryAt).not.toBeNull();
  });

  it('that is slow does not keep the others waiting', async () => {
    const held: (() => void)[] = [];
    const slow = await told(['order.paid'], (_i, res) => held.push(() => res.end()));
    const quick = await told(['order.paid']);
    await anOrder(feira);
    await anOrder(feira);
    await arrived(quick.received, 2);
    await arrived(slow.received, 2);
    for (const answer of held) answer();
    await eventually(async () =>
      (await deliveriesOf(slow)).every(({ state }: { state: string }) => state === 'delivered'),
    );
  });

  it('with a new secret is signed with the one before too, for a day', async () => {
    const one = await told(['order.paid']);
    const { body } = await boss.as('post', `/api/webhooks/${one.id}/rotate`).expect(200);
    expect(body.secret).not.toBe(one.secret);
    await anOrder(feira);
    await arrived(one.received, 1);
    verify(one.secret, one.received[0]!);
    verify(body.secret, one.received[0]!);
    await mongoose.connection
      .collection('webhook_endpoints')
      .updateOne({ _id: new mongoose.Types.ObjectId(one.id) }, { $set: { previousUntil: new Date() } });
    await anOrder(feira);
    await arrived(one.received, 2);
    expect(() => verify(one.secret, one.received[1]!)).toThrow();
    verify(body.secret, one.received[1]!);
  });
});

describe('POST /api/webhooks/{wid}/deliveries/{did}/replay', () => {
  it('sends the same message once more', async () => {
    const one = await told(['order.paid']);
    await anOrder(feira);
    await eventually(async () => (await deliveriesOf(one))[0]?.state === 'delivered');
    const [delivery] = await deliveriesOf(one);
    const { body } = await boss.as('post', `/api/webhooks/${one.id}/deliveries/${delivery.id}/replay`).expect(202);
    expect(body).toMatchObject({ id: delivery.id, messageId: delivery.messageId });
    await arrived(one.received, 2);
    const [first, again] = one.received;
    expect(again!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
    expect(again!.body).toBe(first!.body);
    verify(one.secret, again!);
    await eventually(async () => (await deliveriesOf(one))[0].attempts.length === 2);
    await boss.as('post', `/api/webhooks/${one.id}/deliveries/${'f'.repeat(24)}/replay`).expect(404);
    const other = await endpoint({ url: one.url, types: ['stock.changed'] });
    await boss.as('post', `/api/webhooks/${other.id}/deliveries/${delivery.id}/replay`).expect(404);
  });
});

describe('a delivery that has failed', () => {
  it('says why, and when it is tried again', async () => {
    const { port, close } = await webhookReceiver();
    close();
    const one = await endpoint({ url: `http://127.0.0.1:${port}/hook`, types: ['order.paid'] });
    await anOrder(feira);
    const soon = async () => (await deliveriesOf(one))[0]?.nextTryAt > new Date().toISOString();
    await eventually(soon);
    const [{ state, attempts, nextTryAt }] = await deliveriesOf(one);
    expect({ state, fault: attempts[0].fault }).toEqual({
      state: 'failed',
      fault: 'There was no answer: the connection was refused.',
    });
    expect(Date.parse(nextTryAt) - Date.parse(attempts[0].at)).toBeLessThanOrEqual(6000);
    const { body } = await boss
      .as('post', `/api/webhooks/${one.id}/deliveries/${(await deliveriesOf(one))[0].id}/replay`)
      .expect(202);
    expect(body.nextTryAt <= new Date().toISOString()).toBe(true);
  });

  it('is not sent by its next try when a replay has brought it', async () => {
    const one = await told(['order.paid'], (i, res) => res.writeHead(i === 0 ? 500 : 204).end());
    await anOrder(feira);
    await eventually(async () => (await deliveriesOf(one))[0]?.nextTryAt > new Date().toISOString());
    const [{ id }] = await deliveriesOf(one);
    await boss.as('post', `/api/webhooks/${one.id}/deliveries/${id}/replay`).expect(202);
    await eventually(async () => (await deliveriesOf(one))[0].state === 'delivered');
    await letTryAgain();
    const left = { consumer: 'webhook-deliveries', 'data.deliveryId': id, doneAt: { $exists: false } };
    await eventually(async () => (await mongoose.connection.collection('outbox_events').countDocuments(left)) === 0);
    expect(one.received).toHaveLength(2);
    expect((await deliveriesOf(one))[0]).toMatchObject({ state: 'delivered', nextTryAt: null });
  });
});

describe('GET /api/webhooks/{wid}/deliveries', () => {
  it('pages through what was sent, the newest first', async () => {
    const one = await told(['order.paid']);
    for (let i = 0; i < 3; i++) await anOrder(feira);
    await eventually(async () => (await deliveriesOf(one)).length === 3);
    const all = await deliveriesOf(one);
    const page = async (query: string) =>
      (await boss.as('get', `/api/webhooks/${one.id}/deliveries?${query}`).expect(200)).body;
    const first = await page('limit=2');
    expect(first.items.map(({ id }: { id: string }) => id)).toEqual([all[0].id, all[1].id]);
    const second = await page(`limit=2&after=${first.next}`);
    expect(second).toMatchObject({ items: [{ id: all[2].id }], next: null });
  });

  it('is kept for thirty days', async () => {
    const indexes = await mongoose.connection.collection('webhook_deliveries').listIndexes().toArray();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { createdAt: 1 }, expireAfterSeconds: 2_592_000 }));
  });
});
