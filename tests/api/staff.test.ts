import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin, anAddress, logIn, PASSWORD, someone, staff } from '../helpers/accounts.ts';
import { createProduct, productInput } from '../helpers/factories.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
beforeAll(async () => {
  feira = await startFeira();
  boss = await admin(feira);
});
afterAll(() => feira.stop());

const keyed = (key: string) => ({
  post: (path: string, body: object) => feira.api.post(path).set('Authorization', `Bearer ${key}`).send(body),
});

describe('the first admin', () => {
  it('comes from the configuration and may do everything', async () => {
    expect(boss.user).toMatchObject({ email: ADMIN.email, role: 'admin' });
    await boss.as('get', '/api/users').expect(200);
    await boss.as('post', '/api/products').send(productInput()).expect(201);
  });
});

describe('managing accounts', () => {
  it('lists people by role and address, in pages', async () => {
    const email = anAddress('zoe');
    const { user } = await someone(feira, { email });
    const { body } = await boss.as('get', `/api/users?q=${email.slice(0, 10)}&role=customer`).expect(200);
    expect(body).toMatchObject({ items: [{ id: user.id, email }], total: 1, page: 1, pages: 1 });
    expect((await boss.as('get', '/api/users?q=.*')).body.total).toBe(0);
    expect((await boss.as('get', '/api/users?limit=1')).headers.link).toContain('rel="next"');
  });

  it('gives and takes rights, at once and in every login', async () => {
    const person = await staff(feira, 'seller');
    await person.as('post', '/api/products').send(productInput()).expect(201);
    await boss.as('patch', `/api/users/${person.user.id}`).send({ role: 'customer' }).expect(200);
    await person.as('post', '/api/products').send(productInput()).expect(403);
  });

  it('disables an account: its logins end, and the right password opens nothing', async () => {
    const { user, as, refreshToken } = await someone(feira);
    await boss.as('patch', `/api/users/${user.id}`).send({ disabled: true }).expect(200);
    await as('get', '/api/users/profile').expect(401);
    await feira.api.post('/api/auth/refresh').send({ refreshToken }).expect(401);
    const login = () => feira.api.post('/api/auth/login').send({ email: user.email, password: PASSWORD });
    expect((await login()).body.code).toBe('FORBIDDEN');
    await boss.as('patch', `/api/users/${user.id}`).send({ disabled: false }).expect(200);
    await login().expect(200);
  });

  it('depends on the version that was read', async () => {
    const { user } = await someone(feira);
    const change = () => boss.as('patch', `/api/users/${user.id}`).set('If-Match', '"1"').send({ role: 'support' });
    await change().expect(200);
    await change().expect(412);
  });

  it('never leaves the shop without an admin, not even by two requests at once', async () => {
    const second = await staff(feira, 'admin');
    const answers = await Promise.all([
      boss.as('patch', `/api/users/${second.user.id}`).send({ role: 'customer' }),
      second.as('patch', `/api/users/${boss.user.id}`).send({ role: 'customer' }),
    ]);
    const admins = await Promise.all(
      [boss, second].map(async ({ as }) => (await as('get', '/api/users?role=admin')).status),
    );
    expect(admins.filter((status) => status === 200)).toHaveLength(1);
    expect(answers.map(({ status }) => status).sort()[0]).toBe(200);
    const last = admins[0] === 200 ? boss : second;
    const refused = await last.as('patch', `/api/users/${last.user.id}`).send({ disabled: true });
    expect(refused.body.code).toBe('LAST_ADMIN');
    await last.as('patch', `/api/users/${boss.user.id}`).send({ role: 'admin' }).expect(200);
    boss = await admin(feira);
  });

  it('is closed to customers, sellers and visitors', async () => {
    const { user, as } = await someone(feira);
    const seller = await staff(feira, 'seller');
    await feira.api.get('/api/users').expect(401);
    for (const ask of [as, seller.as]) {
      await ask('get', '/api/users').expect(403);
      await ask('get', `/api/users/${user.id}`).expect(403);
      await ask('patch', `/api/users/${user.id}`).send({ role: 'admin' }).expect(403);
      await ask('get', '/api/audit').expect(403);
    }
  });

  it('lets support look, and change nothing', async () => {
    const support = await staff(feira, 'support');
    await support.as('get', `/api/users/${support.user.id}`).expect(200);
    await support.as('patch', `/api/users/${support.user.id}`).send({ role: 'admin' }).expect(403);
  });
});

describe('API keys', () => {
  const create = (as: typeof boss.as, overrides: object = {}) =>
    as('post', '/api/keys').send({ name: `key ${anAddress()}`, permissions: ['products:write'], ...overrides });

  it('are shown once, do what they were made for, and end', async () => {
    const seller = await staff(feira, 'seller');
    const { body, headers } = await create(seller.as).expect(201);
    expect(headers.location).toBe(`/api/keys/${body.id}`);
    await keyed(body.key).post('/api/products', productInput()).expect(201);

    const list = await seller.as('get', '/api/keys').expect(200);
    expect(list.body.items).toEqual([expect.objectContaining({ id: body.id, lastUsedAt: expect.any(String) })]);
    expect(list.text).not.toContain(body.key);
    expect(list.text).not.toMatch(/hash/);

    await seller.as('delete', `/api/keys/${body.id}`).expect(204);
    await keyed(body.key).post('/api/products', productInput()).expect(401);
  });

  it('never do more than the person who made them', async () => {
    const seller = await staff(feira, 'seller');
    await create(seller.as, { permissions: ['products:write', 'users:write'] }).expect(403);
    const { body } = await create(seller.as).expect(201);
    await boss.as('patch', `/api/users/${seller.user.id}`).send({ role: 'support' }).expect(200);
    await keyed(body.key).post('/api/products', productInput()).expect(403);
    await boss.as('patch', `/api/users/${seller.user.id}`).send({ disabled: true }).expect(200);
    await keyed(body.key).post('/api/products', productInput()).expect(401);
  });

  it('make no keys and change no accounts', async () => {
    const { body } = await create(boss.as, { permissions: ['keys:write', 'users:write'] }).expect(201);
    await keyed(body.key)
      .post('/api/keys', { name: 'more', permissions: ['users:write'] })
      .expect(403);
  });

  it('give no role that may do more than they may', async () => {
    const { body } = await create(boss.as, { permissions: ['users:write', 'users:read', 'orders:read'] }).expect(201);
    const { user } = await someone(feira);
    const manage = (input: object) =>
      feira.api.patch(`/api/users/${user.id}`).set('Authorization', `Bearer ${body.key}`).send(input);
    for (const role of ['admin', 'seller', 'support']) await manage({ role }).expect(403);
    await boss.as('patch', `/api/users/${user.id}`).send({ role: 'seller' }).expect(200);
    expect((await manage({ role: 'customer', disabled: true }).expect(200)).body).toMatchObject({ role: 'customer' });
  });

  it('of others do not exist, but for whoever manages accounts', async () => {
    const [seller, other] = await Promise.all([staff(feira, 'seller'), staff(feira, 'seller')]);
    const { body } = await create(seller.as).expect(201);
    await other.as('delete', `/api/keys/${body.id}`).expect(404);
    expect((await other.as('get', '/api/keys')).body.total).toBe(0);
    await boss.as('delete', `/api/keys/${body.id}`).expect(204);
  });

  it('have a name of their own', async () => {
    const seller = await staff(feira, 'seller');
    await create(seller.as, { name: 'import' }).expect(201);
    expect((await create(seller.as, { name: 'import' })).body.code).toBe('NAME_TAKEN');
  });

  it.each([{ permissions: [] }, { permissions: ['everything'] }, { days: 0 }, { days: 9999 }, { name: '' }])(
    'are refused with %p',
    async (input) => {
      await create(boss.as, input).expect(422);
    },
  );
});

describe('the record of what staff change', () => {
  it('tells who changed what, from what to what, when and by which request', async () => {
    const seller = await staff(feira, 'seller');
    const { body: product } = await seller
      .as('post', '/api/products')
      .send(productInput({ price: 100 }))
      .expect(201);
    const change = seller.as('patch', `/api/products/${product.id}`).set('X-Request-Id', 'the-change');
    await change.send({ price: 250 }).expect(200);
    await seller.as('delete', `/api/products/${product.id}`).expect(204);

    const { body } = await boss.as('get', `/api/audit?targetId=${product.id}`).expect(200);
    expect(body.next).toBeNull();
    expect(body.items.map(({ action }: { action: string }) => action)).toEqual([
      'product.deleted',
      'product.updated',
      'product.created',
    ]);
    expect(body.items[1]).toMatchObject({
      actor: { kind: 'user', id: seller.user.id, name: 'Ana Sousa' },
      changes: { price: { before: 100, after: 250 } },
      requestId: 'the-change',
    });
  });

  it('holds what keys change, and changes of accounts', async () => {
    const { id } = await createProduct(feira);
    const byKey = await boss.as('get', `/api/audit?targetId=${id}`);
    expect(byKey.body.items[0].actor).toMatchObject({ kind: 'key', name: 'FEIRA_API_KEY' });

    const person = await staff(feira, 'support');
    const { body } = await boss.as('get', `/api/audit?targetId=${person.user.id}`);
    expect(body.items[0]).toMatchObject({
      action: 'user.managed',
      changes: { role: { before: 'customer', after: 'support' } },
    });
  });

  it('goes on page by page', async () => {
    const first = await boss.as('get', '/api/audit?limit=2').expect(200);
    const second = await boss.as('get', `/api/audit?limit=2&after=${first.body.next}`).expect(200);
    expect(first.body.items).toHaveLength(2);
    expect(second.body.items[0].id < first.body.items[1].id).toBe(true);
  });

  it('has no entry for what was refused', async () => {
    const { id } = await createProduct(feira);
    await boss.as('patch', `/api/products/${id}`).set('If-Match', '"9"').send({ price: 1 }).expect(412);
    expect((await boss.as('get', `/api/audit?targetId=${id}`)).body.items).toHaveLength(1);
  });
});

describe('logging in as staff', () => {
  it('is the same login as for everybody', async () => {
    const person = await staff(feira, 'support');
    expect((await logIn(feira, person.user.email)).user.role).toBe('support');
  });
});
