import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin, logInBrowser, signUp, someone, staff } from '../helpers/accounts.ts';
import { createProduct, productInput } from '../helpers/factories.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const boss = () => logInBrowser(feira, ADMIN.email, ADMIN.password);

describe('/admin', () => {
  it('leads staff to what they may see, others to the login', async () => {
    expect((await (await boss()).open('/admin')).headers.location).toBe('/admin/orders');
    const seller = await staff(feira, 'seller');
    const asSeller = await logInBrowser(feira, seller.user.email);
    expect((await asSeller.open('/admin')).headers.location).toBe('/admin/orders');
    expect((await feira.page('/admin/users')).headers.location).toBe('/login?next=%2Fadmin%2Fusers');
  });

  it('does not exist for people without the permission, and is not in their navigation', async () => {
    const { email } = await signUp(feira);
    const customer = await logInBrowser(feira, email);
    for (const path of ['/admin/users', '/admin/keys', '/admin/audit'])
      expect((await customer.open(path)).status).toBe(404);
    expect((await customer.open('/cart')).text).not.toContain('href="/admin"');
    expect((await (await boss()).open('/cart')).text).toContain('href="/admin"');
  });
});

describe('accounts, for staff', () => {
  it('are found, get a role and are disabled', async () => {
    const person = await someone(feira);
    const visitor = await boss();
    const page = `/admin/users?q=${encodeURIComponent(person.user.email)}`;
    const action = `/admin/users/${person.user.id}`;
    expect((await visitor.open(page)).text).toContain(person.user.email);

    const changed = await visitor.submit(page, { role: 'seller' }, action);
    expect(changed.status).toBe(303);
    await person.as('post', '/api/products').send(productInput()).expect(201);

    await visitor.submit(page, { role: 'seller', disabled: 'true' }, action);
    await person.as('get', '/api/users/profile').expect(401);
    expect((await visitor.open(page)).text).toContain('disabled');
  });

  it('are not changed on the ground of an old page', async () => {
    const person = await someone(feira);
    const visitor = await boss();
    const page = `/admin/users?q=${encodeURIComponent(person.user.email)}`;
    const action = `/admin/users/${person.user.id}`;
    await visitor.submit(page, { role: 'seller' }, action);
    const stale = await visitor.submit(page, { role: 'admin', version: '1' }, action);
    expect(stale.status).toBe(412);
    expect(stale.text).toContain('The account is at version 2.');
  });

  it('say why the last admin stays one', async () => {
    const { user } = await admin(feira);
    const page = `/admin/users?q=${encodeURIComponent(user.email)}`;
    const refused = await (await boss()).submit(page, { role: 'customer' }, `/admin/users/${user.id}`);
    expect(refused.text).toContain('This is the last admin who can log in.');
  });

  it('are only looked at by support', async () => {
    const support = await staff(feira, 'support');
    const visitor = await logInBrowser(feira, support.user.email);
    const { text } = await visitor.open('/admin/users');
    expect(text).toContain(support.user.email);
    expect(text).not.toContain('action="/admin/users/');
  });

  it('show names as text', async () => {
    const { email } = await signUp(feira, { name: '<img src=x onerror=alert(1)>' });
    const { text } = await (await boss()).open(`/admin/users?q=${encodeURIComponent(email)}`);
    expect(text).toContain('&lt;img src&#x3D;x');
    expect(text).not.toContain('<img src=x');
  });
});

describe('API keys, for staff', () => {
  it('are made with the ticked permissions, shown once, and ended', async () => {
    const visitor = await boss();
    const made = await visitor.submit('/admin/keys', { name: 'import', permissions: 'products:write', days: '30' });
    const [key] = /feira_[\w-]{43}/.exec(made.text)!;
    await feira.api.post('/api/products').set('Authorization', `Bearer ${key}`).send(productInput()).expect(201);

    const list = await visitor.open('/admin/keys');
    expect(list.text).not.toContain(key);
    const [, kid] = /action="\/admin\/keys\/([\da-f]{24})\/end"/.exec(list.text)!;
    await visitor.submit('/admin/keys', {}, `/admin/keys/${kid}/end`);
    await feira.api.post('/api/products').set('Authorization', `Bearer ${key}`).send(productInput()).expect(401);
  });

  it('say what is wrong and keep the name', async () => {
    const refused = await (await boss()).submit('/admin/keys', { name: 'my import', days: '30' });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('must hold at least one permission');
    expect(refused.text).toContain('value="my import"');
    expect(refused.text).toMatch(/name="days"[^>]* value="30"/);
  });

  it('keep what was ticked beside what is wrong', async () => {
    const typed = { name: 'my import', permissions: 'orders:read', days: '999' };
    const refused = await (await boss()).submit('/admin/keys', typed);
    expect(refused.status).toBe(422);
    expect(refused.text.match(/value="[\w:]+" checked/g)).toEqual(['value="orders:read" checked']);
    expect(refused.text).toMatch(/name="days"[^>]* value="999"/);
  });
});

describe('changes, for staff', () => {
  it('tell what was and what is, and can be narrowed to one thing', async () => {
    const { id } = await createProduct(feira, { price: 111 });
    await feira.withKey('patch', `/api/products/${id}`).send({ price: 222 }).expect(200);
    const visitor = await boss();
    expect((await visitor.open('/admin/audit')).text).toContain('product.updated');
    const { text } = await visitor.open(`/admin/audit?targetId=${id}`);
    expect(text).toMatch(/<dt>price<\/dt><dd><del>111<\/del> → <ins>222<\/ins>/);
    expect(text).toContain('Show all changes');
  });
});
