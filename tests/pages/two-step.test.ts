import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logInBrowser, PASSWORD, signUp } from '../helpers/accounts.ts';
import { carefulPerson, codeOf, freshCode } from '../helpers/authenticator.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { webVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const secretIn = (html: string) => /account-secret">([^<]+)</.exec(html)![1]!.replaceAll(' ', '');
const codesIn = (html: string) => [...html.matchAll(/<li><code>([a-z2-7-]{19})<\/code>/g)].map(([, code]) => code!);

/** Types the password, and is asked for a code. */
async function atTheSecondStep(email: string, next = '/') {
  const visitor = webVisitor(feira);
  const answer = await visitor.submit(`/login?next=${encodeURIComponent(next)}`, { email, password: PASSWORD });
  return { visitor, answer, page: String(answer.headers.location) };
}

describe('the page of two-step login, without JavaScript', () => {
  it('shows a QR code and the key, switches it on and shows the recovery codes once', async () => {
    const { email } = await signUp(feira);
    const { open, submit } = await logInBrowser(feira, email);
    const setup = await open('/profile/two-step');
    expect(setup.headers['cache-control']).toContain('no-store');
    expect(setup.text).toMatch(/<img class="account-qr" src="data:image\/svg\+xml,/);
    expect((await webVisitor(feira).open('/profile/two-step')).headers.location).toContain('/login');

    const [, sealed = ''] = /name="setup" value="([\w-]+)"/.exec(setup.text)!;
    const fields = { setup: sealed, code: codeOf(secretIn(setup.text)), password: PASSWORD };
    const done = await submit('/profile/two-step', fields);
    expect([done.status, codesIn(done.text).length]).toEqual([200, 10]);
    const after = await open('/profile/two-step');
    expect(after.text).toContain('On since');
    expect(codesIn(after.text)).toEqual([]);
    expect((await open('/profile')).text).toMatch(/Two-step login<\/dt><dd>on/);
  });

  it('keeps the key that the app has scanned when the code or the password was wrong', async () => {
    const { email } = await signUp(feira);
    const { open, submit } = await logInBrowser(feira, email);
    const { text } = await open('/profile/two-step');
    const [, sealed = ''] = /name="setup" value="([\w-]+)"/.exec(text)!;
    const refused = await submit('/profile/two-step', { setup: sealed, code: '000000', password: PASSWORD });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('Code that the app shows is wrong, or was used before.');
    expect(secretIn(refused.text)).toBe(secretIn(text));
    const mistyped = await submit('/profile/two-step', {
      setup: sealed,
      code: codeOf(secretIn(text)),
      password: 'a guess',
    });
    expect(mistyped.text).toContain('Password is not your password.');
    expect(secretIn(mistyped.text)).toBe(secretIn(text));
  });

  it('makes new recovery codes, and switches it off', async () => {
    const person = await carefulPerson(feira);
    const { visitor, page } = await atTheSecondStep(person.email);
    await visitor.submit(page, { code: person.recoveryCodes[0]! }, '/login/code');

    const wrong = await visitor.submit('/profile/two-step/codes', { code: 'abcd', password: PASSWORD });
    expect(wrong.text).toContain('Code is wrong, or was used before.');
    const renewed = await visitor.submit('/profile/two-step/codes', {
      code: await freshCode(person),
      password: PASSWORD,
    });
    const [code = ''] = codesIn(renewed.text);
    const off = await visitor.submit('/profile/two-step/off', { code, password: PASSWORD });
    expect(off.headers.location).toBe('/profile');
    await logInBrowser(feira, person.email);
  });
});

describe('logging in in two steps, without JavaScript', () => {
  it('asks for the code after the password, and goes on to where the person wanted to go', async () => {
    const person = await carefulPerson(feira);
    const { visitor, answer, page } = await atTheSecondStep(person.email, '/profile/edit');
    expect([answer.status, page]).toEqual([303, '/login/code?next=%2Fprofile%2Fedit']);
    const cookies = String(answer.headers['set-cookie']);
    expect(cookies).not.toContain('feira_session');
    expect(cookies).toMatch(/feira_challenge=[\w-]{43}; Max-Age=300; Path=\/; HttpOnly; SameSite=Lax/);
    expect((await visitor.open('/profile')).headers.location).toBe('/login?next=%2Fprofile');

    const wrong = await visitor.submit(page, { code: '000000' }, '/login/code');
    expect([wrong.status, wrong.text.includes('Code is wrong, or was used before.')]).toEqual([422, true]);
    const done = await visitor.submit(page, { code: await freshCode(person) }, '/login/code');
    expect([done.status, done.headers.location]).toEqual([303, '/profile/edit']);
    expect(String(done.headers['set-cookie'])).toMatch(/feira_challenge=; Max-Age=0/);
    expect((await visitor.open('/profile')).text).toContain(person.email);
  });

  it('has no page without the first step', async () => {
    expect((await webVisitor(feira).open('/login/code')).headers.location).toBe('/login');
    await feira.api.post('/login/code').type('form').send({ code: '000000' }).expect(403);
  });

  it('goes on to pages of the shop alone', async () => {
    const { email, recoveryCodes } = await carefulPerson(feira);
    const { visitor } = await atTheSecondStep(email);
    const page = '/login/code?next=https%3A%2F%2Fevil.example';
    const done = await visitor.submit(page, { code: recoveryCodes[0]! }, '/login/code');
    expect(done.headers.location).toBe('/');
  });

  it("brings the guest's cart along", async () => {
    const { email, recoveryCodes } = await carefulPerson(feira);
    const product = await createProduct(feira, { stock: 9 });
    const visitor = webVisitor(feira);
    await visitor.agent
      .post('/cart/items')
      .set('Origin', feira.url)
      .type('form')
      .send({ productId: product.id, quantity: '2' });
    const { headers } = await visitor.submit('/login', { email, password: PASSWORD });
    expect((await visitor.open('/cart')).text).toContain(product.title);
    await visitor.submit(String(headers.location), { code: recoveryCodes[0]! }, '/login/code');
    expect((await visitor.agent.get('/api/carts/mine').expect(200)).body.quantity).toBe(2);
  });
});
