import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { OneUseToken } from '../../src/models/one-use-token.model.ts';
import { admin, logIn, logInBrowser, PASSWORD, someone } from '../helpers/accounts.ts';
import { misfits, readApiDocument } from '../helpers/api-document.ts';
import { carefulPerson, firstStep } from '../helpers/authenticator.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { nextMail } from '../helpers/mailbox.ts';
import {
  addPasskey,
  askedForPasskey,
  device,
  logInByPasskey,
  newPasskeyOptions,
  originOf,
} from '../helpers/passkeys.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const PATH = '/api/auth/passkeys';
const newDevice = () => device(originOf(feira));

/** Someone new with a passkey. */
async function owner() {
  const [person, made] = [await someone(feira), newDevice()];
  const { body } = await addPasskey(person, made);
  await nextMail(feira, person.user.email);
  return { ...person, device: made, passkey: body as { id: string } };
}

const withToken = (token: string, path: string) => request(feira.url).get(path).set('Authorization', `Bearer ${token}`);

describe('adding a passkey', () => {
  it('takes the password and the answer of a device, lists it by its name and tells the owner', async () => {
    const person = await someone(feira);
    const options = await newPasskeyOptions(person);
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'Feira' },
      user: { name: person.user.email },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    const response = newDevice().make(options);
    const added = await person.as('post', PATH).send({ name: ' My  telephone\u202e ', response });
    expect([added.status, added.headers.location]).toEqual([201, `${PATH}/${added.body.id}`]);
    expect(misfits(await readApiDocument(feira), 'post', PATH, added)).toEqual([]);
    const { body } = await person.as('get', PATH).expect(200);
    expect(body).toEqual({ items: [added.body], total: 1 });
    expect(added.body).toMatchObject({ name: 'My  telephone', backedUp: false, lastUsedAt: null });
    expect((await nextMail(feira, person.user.email)).text).toContain('A passkey was added');
    expect((await newPasskeyOptions(person)).excludeCredentials).toEqual([
      expect.objectContaining({ id: response.id, transports: ['internal'] }),
    ]);
  });

  it('is refused for a wrong password, and counts like a login', async () => {
    const { as, user } = await someone(feira);
    for (let n = 0; n < 10; n++) {
      const wrong = await as('post', `${PATH}/options`).send({ password: 'a guess' });
      expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([422, '#/password']);
    }
    await as('post', `${PATH}/options`).send({ password: PASSWORD }).expect(429);
    await feira.api.post('/api/auth/login').send({ email: user.email, password: PASSWORD }).expect(429);
  });

  it.each([
    ['of another site', { origin: 'https://feira.example' }],
    ['for another site', { rpId: 'feira.example' }],
    ['of a device that has not asked who is there', { verified: false }],
    ['with certificates, which nobody asked for', { certified: true }],
  ])('refuses the answer %s', async (_what, given) => {
    const person = await someone(feira);
    const response = newDevice().make(await newPasskeyOptions(person), given);
    const refused = await person.as('post', PATH).send({ name: 'x', response });
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([422, '#/response']);
    expect((await person.as('get', PATH)).body.total).toBe(0);
  });

  it('takes a challenge once, of this person and login', async () => {
    const [ana, bea] = await Promise.all([someone(feira), someone(feira)]);
    const [made, another] = [newDevice(), newDevice()];
    const options = await newPasskeyOptions(ana);
    const send = ({ as }: Pick<typeof ana, 'as'>, name = 'x') =>
      as('post', PATH).send({ name, response: made.make(options) });
    expect((await send(bea)).status).toBe(422);
    expect((await send(await logIn(feira, ana.user.email))).status).toBe(422);
    expect((await send(ana, ' ')).body.errors[0].pointer).toBe('#/name');
    expect((await send(ana)).status).toBe(201);
    expect((await send(ana)).body.code).toBe('INVALID_TOKEN');
    const invented = another.make({ ...options, challenge: 'A'.repeat(43) });
    expect((await ana.as('post', PATH).send({ name: 'x', response: invented })).body.code).toBe('INVALID_TOKEN');

    const taken = await addPasskey(bea, made);
    expect([taken.status, taken.body.errors[0].pointer]).toEqual([422, '#/response']);
  });

  it('has an end at ten', async () => {
    const person = await someone(feira);
    for (let n = 0; n < 10; n++) expect((await addPasskey(person, newDevice(), `${n}`)).status).toBe(201);
    const eleventh = await person.as('post', `${PATH}/options`).send({ password: PASSWORD });
    expect([eleventh.status, eleventh.body.code, eleventh.body.limit]).toEqual([409, 'LIMIT_REACHED', 10]);
  });
});

describe('logging in with a passkey', () => {
  it('needs no address and no password, and brings the cart along', async () => {
    const { user, device: made, as } = await owner();
    const product = await createProduct(feira);
    const { secret } = await createCart(feira, [{ productId: product.id, quantity: 2 }]);
    const { options, logIn, cookie } = await askedForPasskey(feira);
    expect(options).toMatchObject({ rpId: 'localhost', userVerification: 'required' });
    expect(options.allowCredentials ?? []).toEqual([]);
    expect(await OneUseToken.exists({ _id: options.challenge })).toBeNull();
    expect(cookie).not.toContain(options.challenge);

    const answer = await logIn(made.use(options)).set('Cart-Secret', secret);
    expect(answer.body).toMatchObject({ tokenType: 'Bearer', user: { id: user.id } });
    expect(answer.body.cart.merged).toHaveLength(1);
    expect(misfits(await readApiDocument(feira), 'post', '/api/auth/login/passkey', answer)).toEqual([]);
    await withToken(answer.body.accessToken, '/api/users/profile').expect(200);
    expect((await as('get', PATH)).body.items[0].lastUsedAt).not.toBeNull();
  });

  it('is both steps; the password still asks for a code', async () => {
    const person = await carefulPerson(feira);
    const made = newDevice();
    await addPasskey(person, made);
    expect((await logInByPasskey(feira, made)).user.id).toBe(person.user.id);
    await firstStep(feira, person.email);
  });

  it('is refused in the same words for every reason', async () => {
    const [ana, bea] = await Promise.all([owner(), owner()]);
    const options = () => askedForPasskey(feira);
    const attempts = [
      async () => ({ ...(await options()), made: newDevice(), given: { userHandle: 'x' } }),
      async () => ({ ...(await options()), made: ana.device, given: { origin: 'https://feira.example' } }),
      async () => ({ ...(await options()), made: ana.device, given: { rpId: 'feira.example' } }),
      async () => ({ ...(await options()), made: ana.device, given: { verified: false } }),
      async () => ({ ...(await options()), made: ana.device, given: { userHandle: handleOf(bea.user.id) } }),
    ];
    const answers = [];
    for (const attempt of attempts) {
      const { options, logIn, made, given } = await attempt();
      answers.push(await logIn(made.use(options, given)));
    }
    // Her credential, signed by another key.
    const { options: last, logIn } = await options();
    answers.push(await logIn({ ...bea.device.use(last), id: ana.device.id, rawId: ana.device.id }));

    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(answers.map(() => [401, 'PASSKEY_REFUSED']));
    expect(new Set(answers.map(({ body }) => JSON.stringify({ ...body, requestId: '' }))).size).toBe(1);
    expect(answers.some(({ text }) => text.includes('accessToken'))).toBe(false);
    await logInByPasskey(feira, ana.device);
  });

  it('takes a challenge once, from the visitor who was asked, for five minutes', async () => {
    const { device: made } = await owner();
    const { options, logIn } = await askedForPasskey(feira);
    const answer = made.use(options);
    await logIn(answer).expect(200);
    const again = await logIn(answer);
    expect([again.status, again.body.code]).toEqual([422, 'INVALID_TOKEN']);

    const [asked, other] = [await askedForPasskey(feira), await askedForPasskey(feira)];
    expect((await other.logIn(made.use(asked.options))).body.code).toBe('PASSKEY_REFUSED');
    expect((await asked.logIn(made.use(asked.options))).body.code).toBe('INVALID_TOKEN');
    expect((await asked.logIn(made.use({ challenge: 'A'.repeat(43) }))).body.code).toBe('INVALID_TOKEN');

    const late = await askedForPasskey(feira);
    await OneUseToken.updateMany({ purpose: 'passkey-login' }, { expiresAt: new Date() });
    expect((await late.logIn(made.use(late.options))).body.code).toBe('INVALID_TOKEN');
  });

  it('is used up by a failure too', async () => {
    const { device: made } = await owner();
    const { options, logIn } = await askedForPasskey(feira);
    await logIn(made.use(options, { verified: false })).expect(401);
    expect((await logIn(made.use(options))).body.code).toBe('INVALID_TOKEN');
  });

  it('refuses a copy of the device, which counts from where it was copied', async () => {
    const { device: made } = await owner();
    const use = async (counter: number) => {
      const { options, logIn } = await askedForPasskey(feira);
      return (await logIn(made.use(options, { counter }))).status;
    };
    expect([await use(7), await use(7), await use(6), await use(8)]).toEqual([200, 401, 401, 200]);
    expect((await Promise.all([use(9), use(9)])).sort()).toEqual([200, 401]);
  });

  it('refuses accounts that staff have disabled, and says so', async () => {
    const [boss, { user, device: made }] = [await admin(feira), await owner()];
    await boss.as('patch', `/api/users/${user.id}`).send({ disabled: true }).expect(200);
    const { options, logIn } = await askedForPasskey(feira);
    expect((await logIn(made.use(options))).body.code).toBe('FORBIDDEN');
  });

  it('has as many tries as a login', async () => {
    const { device: made } = await owner();
    const attempt = async (given = {}) => {
      const { options, logIn } = await askedForPasskey(feira);
      return (await logIn(made.use(options, given))).status;
    };
    for (let n = 0; n < 10; n++) expect(await attempt({ verified: false })).toBe(401);
    expect(await attempt()).toBe(429);
  });
});

const handleOf = (userId: string) => Buffer.from(userId, 'hex').toString('base64url');

describe('renaming a passkey', () => {
  it('changes the name and nothing else: it opens the account as before', async () => {
    const { as, device: made, passkey } = await owner();
    const renamed = await as('patch', `${PATH}/${passkey.id}`).send({ name: '  The new\u202e telephone ' });
    expect([renamed.status, renamed.body]).toEqual([200, { ...passkey, name: 'The new telephone' }]);
    expect(misfits(await readApiDocument(feira), 'patch', `${PATH}/{kid}`, renamed)).toEqual([]);
    await as('get', PATH).expect(200, { items: [renamed.body], total: 1 });
    await logInByPasskey(feira, made);
    expect((await as('get', PATH)).body.items).toEqual([{ ...renamed.body, lastUsedAt: expect.any(String) }]);
  });

  it('takes one line of sixty letters, and nothing else', async () => {
    const { as, passkey } = await owner();
    const wrong: [object, string][] = [
      [{}, '#/name'],
      [{ name: ' ' }, '#/name'],
      [{ name: 'a\nb' }, '#/name'],
      [{ name: 'a'.repeat(61) }, '#/name'],
      [{ name: 'a', counter: 0 }, '#/counter'],
    ];
    for (const [input, pointer] of wrong) {
      const refused = await as('patch', `${PATH}/${passkey.id}`).send(input);
      expect([refused.status, refused.body.errors]).toEqual([422, [expect.objectContaining({ pointer })]]);
    }
    expect((await as('get', PATH)).body.items).toEqual([passkey]);
  });

  it("finds nobody else's", async () => {
    const [ana, bea] = await Promise.all([owner(), owner()]);
    await bea.as('patch', `${PATH}/${ana.passkey.id}`).send({ name: 'mine' }).expect(404);
    await bea.as('patch', `${PATH}/nonsense`).send({ name: 'mine' }).expect(400);
    await feira.api.patch(`${PATH}/${ana.passkey.id}`).send({ name: 'mine' }).expect(401);
    expect((await ana.as('get', PATH)).body.items).toEqual([ana.passkey]);
  });

  it('needs no script: the profile has a form, and says what is wrong with a name', async () => {
    const { as, user, passkey } = await owner();
    const { open, submit } = await logInBrowser(feira, user.email);
    const rename = (fields: Record<string, string>) => submit('/profile', fields, '/profile/passkeys/rename');
    const done = await rename({ name: 'Tablet <b>' });
    expect([done.status, done.headers.location]).toEqual([303, '/profile#passkeys']);
    expect((await open('/profile')).text).toContain('<strong>Tablet &lt;b&gt;</strong>');
    const refused = await rename({ name: '' });
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('Rename a passkey')]);
    const page = await open(`/profile/passkeys/rename?id=${passkey.id}`);
    expect(page.text).toContain('value="Tablet &lt;b&gt;"');
    expect((await as('get', PATH)).body.items).toEqual([{ ...passkey, name: 'Tablet <b>' }]);
  });
});

describe('removing a passkey', () => {
  it('takes the password, tells the owner and ends the logins that it has opened', async () => {
    const { as, user, device: made, passkey } = await owner();
    const { accessToken } = await logInByPasskey(feira, made);
    const byPassword = await logIn(feira, user.email);
    const remove = (password: string) => as('delete', `${PATH}/${passkey.id}`).send({ password });
    expect((await remove('a guess')).body.errors[0].pointer).toBe('#/password');
    await withToken(accessToken, '/api/users/profile').expect(200);

    await remove(PASSWORD).expect(204);
    expect((await nextMail(feira, user.email)).text).toContain('A passkey was removed');
    await withToken(accessToken, '/api/users/profile').expect(401);
    await byPassword.as('get', PATH).expect(200, { items: [], total: 0 });
    const { options, logIn: use } = await askedForPasskey(feira);
    expect((await use(made.use(options))).body.code).toBe('PASSKEY_REFUSED');
    await remove(PASSWORD).expect(404);
  });

  it("finds nobody else's", async () => {
    const [ana, bea] = await Promise.all([owner(), someone(feira)]);
    await bea.as('delete', `${PATH}/${ana.passkey.id}`).send({ password: PASSWORD }).expect(404);
    expect((await ana.as('get', PATH)).body.total).toBe(1);
  });
});

describe('what is held about a person', () => {
  it('has the names of the passkeys and no keys, and is erased with the account', async () => {
    const { as, device: made } = await owner();
    const { body, text } = await as('get', '/api/users/export').expect(200);
    expect(body.passkeys).toEqual([expect.objectContaining({ name: 'My telephone', lastUsedAt: null })]);
    expect(text).not.toContain(made.id);
    await as('delete', '/api/users/profile').send({ password: PASSWORD }).expect(204);
    const { options, logIn } = await askedForPasskey(feira);
    expect((await logIn(made.use(options))).body.code).toBe('PASSKEY_REFUSED');
  });
});

describe('an admin', () => {
  it('may have one', async () => {
    const made = newDevice();
    expect((await addPasskey(await admin(feira), made, 'Key', ADMIN.password)).status).toBe(201);
    await withToken((await logInByPasskey(feira, made)).accessToken, '/api/users').expect(200);
  });
});
