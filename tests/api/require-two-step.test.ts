import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin, logIn, PASSWORD, someone } from '../helpers/accounts.ts';
import { codeOf, freshCode, switchOn } from '../helpers/authenticator.ts';
import { productInput } from '../helpers/factories.ts';
import { addPasskey, askedForPasskey, device, logInByPasskey, originOf } from '../helpers/passkeys.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';
import { webVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
let person: Awaited<ReturnType<typeof someone>>;
beforeAll(async () => {
  feira = await startFeira({ REQUIRE_2FA: '1' });
  boss = await admin(feira);
});
afterAll(() => feira.stop());

describe('with REQUIRE_2FA', () => {
  it('staff may do nothing as staff, and are told why; their pages lead to the set-up', async () => {
    const refused = await boss.as('get', '/api/users');
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
    expect(refused.body.detail).toContain('/profile/two-step');
    await boss.as('get', '/api/users/profile').expect(200);

    const visitor = webVisitor(feira);
    await visitor.submit('/login', { email: ADMIN.email, password: ADMIN.password });
    for (const path of ['/admin', '/admin/users', '/admin/audit'])
      expect((await visitor.open(path)).headers.location).toBe('/profile/two-step');
    expect((await visitor.open('/profile/two-step')).text).toContain('Staff of this shop log in in two steps');
  });

  it('gives them back as soon as it is set up, without another login', async () => {
    await switchOn(boss, ADMIN.password);
    await boss.as('get', '/api/users').expect(200);
  });

  it('asks nothing of customers, until they become staff', async () => {
    person = await someone(feira);
    await boss.as('patch', `/api/users/${person.user.id}`).send({ role: 'seller' }).expect(200);
    await person.as('post', '/api/products').send(productInput()).expect(403);
  });

  it('holds for keys of staff too, and not for the key of the configuration', async () => {
    const { secret, userId } = await switchOn(person);
    const made = await person.as('post', '/api/keys').send({ name: 'shop', permissions: ['products:write'], days: 9 });
    const withKey = () =>
      feira.api.post('/api/products').set('Authorization', `Bearer ${made.body.key}`).send(productInput());
    await withKey().expect(201);

    const code = await freshCode({ secret, userId });
    await person.as('post', '/api/auth/two-step/disable').send({ password: PASSWORD, code }).expect(204);
    const refused = await withKey();
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('/profile/two-step')]);
    await feira.withKey('post', '/api/products').send(productInput()).expect(201);
  });

  it('does not keep staff from logging in to set it up', async () => {
    const { as } = await logIn(feira, person.user.email);
    const { secret, setup } = (await as('post', '/api/auth/two-step/setup')).body;
    await as('post', '/api/auth/two-step/enable')
      .send({ setup, code: codeOf(secret), password: PASSWORD })
      .expect(200);
    await as('post', '/api/products').send(productInput()).expect(201);
  });
});

describe('with REQUIRE_2FA, a passkey', () => {
  it('gives them back in the logins that it opens, and in the one where it was added; the password alone does not', async () => {
    const seller = await someone(feira);
    await boss.as('patch', `/api/users/${seller.user.id}`).send({ role: 'seller' }).expect(200);
    const create = (token: string) =>
      feira.api.post('/api/products').set('Authorization', `Bearer ${token}`).send(productInput());
    await create(seller.accessToken).expect(403);

    const made = device(originOf(feira));
    const { body: passkey } = await addPasskey(seller, made);
    const byPasskey = await logInByPasskey(feira, made);
    const byPassword = await logIn(feira, seller.user.email);
    const key = { name: 'shop', permissions: ['products:write'] };
    const { body: apiKey } = await seller.as('post', '/api/keys').send(key).expect(201);
    for (const token of [seller.accessToken, byPasskey.accessToken, apiKey.key]) await create(token).expect(201);
    const refused = await create(byPassword.accessToken);
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('Log in with a passkey')]);

    // Nor does it add to or take from what is needed.
    const proof = { password: PASSWORD };
    expect((await byPassword.as('post', '/api/auth/passkeys/options').send(proof)).status).toBe(403);
    expect((await byPassword.as('patch', `/api/auth/passkeys/${passkey.id}`).send({ name: 'x' })).status).toBe(403);
    expect((await byPassword.as('delete', `/api/auth/passkeys/${passkey.id}`).send(proof)).status).toBe(403);
    const { secret, setup } = (await byPassword.as('post', '/api/auth/two-step/setup')).body;
    const codes = { ...proof, setup, code: codeOf(secret) };
    expect((await byPassword.as('post', '/api/auth/two-step/enable').send(codes)).body.code).toBe('FORBIDDEN');

    const gone = seller.as('delete', `/api/auth/passkeys/${passkey.id}`).send({ password: PASSWORD });
    expect((await gone).status).toBe(204);
    await create(byPasskey.accessToken).expect(401);
    for (const token of [seller.accessToken, apiKey.key]) await create(token).expect(403);
  });

  it('that is lost is removed by an admin, and another one can be added', async () => {
    const support = await someone(feira);
    await boss.as('patch', `/api/users/${support.user.id}`).send({ role: 'support' }).expect(200);
    const lost = device(originOf(feira));
    await addPasskey(support, lost);
    await support.as('get', '/api/users').expect(200);

    await boss.as('delete', `/api/users/${support.user.id}/two-step`).expect(204);
    const { options, logIn: use } = await askedForPasskey(feira);
    expect((await use(lost.use(options))).body.code).toBe('PASSKEY_REFUSED');
    await support.as('get', '/api/users').expect(401);
    const again = await logIn(feira, support.user.email);
    await again.as('get', '/api/users').expect(403);
    await addPasskey(again, device(originOf(feira)));
    await again.as('get', '/api/users').expect(200);
  });
});
