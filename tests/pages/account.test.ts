import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAddress, logIn, logInBrowser, PASSWORD, signUp, someone } from '../helpers/accounts.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { hiddenFields, webVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const pathOf = (link: string) => link.slice(new URL(link).origin.length);

describe('the way in, without JavaScript', () => {
  it('leads from the sign-up over the mail to the profile', async () => {
    const email = anAddress();
    const visitor = webVisitor(feira);
    const sent = await visitor.submit('/signup', { name: 'Ana Sousa', email, password: PASSWORD, locale: 'pt' });
    expect(sent.text).toContain('Look into your mail');

    const { link } = await nextMail(feira, email);
    const opened = await visitor.open(pathOf(link));
    expect(opened.text).toContain('Confirm your address');
    // Programs that look into mails open links: only the button confirms.
    await feira.api.post('/api/auth/login').send({ email, password: PASSWORD }).expect(401);
    const confirmed = await visitor.submit(pathOf(link), {});
    expect(confirmed.text).toContain('Log in');

    const answer = await visitor.submit('/login?next=/profile', { email, password: PASSWORD });
    expect(answer.headers.location).toBe('/profile');
    const profile = await visitor.open('/profile');
    expect(profile.text).toContain(email);
    expect(profile.text).toContain('Português');
  });

  it('shows what is wrong beside the field, and keeps what was typed', async () => {
    const visitor = webVisitor(feira);
    const refused = await visitor.submit('/signup', { name: 'Ana', email: 'ana', password: 'short', locale: 'en' });
    expect(refused.status).toBe(422);
    expect(refused.text).toMatch(/value="ana"/);
    expect(refused.text).toContain('Password must have at least 8 characters.');
    expect(refused.text).not.toContain('value="short"');
  });

  it('says when a login fails, and does not set a cookie for it', async () => {
    const refused = await webVisitor(feira).submit('/login', { email: anAddress(), password: PASSWORD });
    expect(refused.status).toBe(401);
    expect(refused.text).toContain('The e-mail or the password is wrong');
    expect(String(refused.headers['set-cookie'])).not.toContain('feira_session');
  });

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'goes on to pages of the shop alone, not to %s',
    async (next) => {
      const { email } = await signUp(feira);
      const page = `/login?next=${encodeURIComponent(next)}`;
      const answer = await webVisitor(feira).submit(page, { email, password: PASSWORD });
      expect(answer.headers.location).toBe('/');
    },
  );

  it('leads visitors who open their profile to the login and back', async () => {
    const answer = await webVisitor(feira).open('/profile/password');
    expect([answer.status, answer.headers.location]).toEqual([303, '/login?next=%2Fprofile%2Fpassword']);
  });
});

describe('the cookie of a login', () => {
  it('is new at each login, for this site alone and out of reach of scripts', async () => {
    const { email } = await signUp(feira);
    const visitor = webVisitor(feira);
    const first = await visitor.submit('/login', { email, password: PASSWORD });
    const cookie = String(first.headers['set-cookie']);
    expect(cookie).toMatch(/feira_session=[^;]+; Path=\/;.*HttpOnly; SameSite=Lax/);
    const [old] = /feira_session=[^;]+/.exec(cookie)!;
    await visitor.submit('/login', { email, password: PASSWORD });
    const { status } = await feira.page('/profile').set('Cookie', old);
    expect(status).toBe(303);
  });

  it('is not one that somebody else has chosen', async () => {
    const { email } = await signUp(feira);
    const visitor = webVisitor(feira, { Cookie: 'feira_session=s%3Achosen.forged' });
    const { headers } = await visitor.submit('/login', { email, password: PASSWORD });
    expect(String(headers['set-cookie'])).not.toContain('chosen');
  });

  it('opens the API too, and ends with the logout', async () => {
    const { email } = await signUp(feira);
    const { agent, submit } = await logInBrowser(feira, email);
    expect((await agent.get('/api/users/profile')).body.email).toBe(email);
    await submit('/profile', {}, '/logout');
    await agent.get('/api/users/profile').expect(401);
  });
});

describe('forms', () => {
  it.each(['/login', '/signup', '/forgot-password', '/reset-password', '/confirm', '/confirm-email'])(
    'of %s are refused without the token of their page',
    async (path) => {
      const answer = await feira.api.post(path).type('form').send({ email: anAddress(), password: PASSWORD });
      expect(answer.status).toBe(403);
    },
  );

  it.each(['/login/', '/Login', '/SIGNUP/'])(
    'of %s, the same page, carry it and are refused without it',
    async (path) => {
      const { open, submit } = webVisitor(feira);
      const fields = { email: anAddress(), password: PASSWORD, name: 'Ana Sousa', locale: 'en' };
      const form = /action="([^"]+)"/.exec((await open(path)).text.split('<form').at(-1)!)?.[1];
      expect((await submit(path, fields, form)).status).not.toBe(403);
      await feira.api.post(path).type('form').send(fields).expect(403);
      await feira.api.post(path).expect(403);
    },
  );

  it('of somebody who is logged in are refused without it, also in the cart', async () => {
    const { email } = await signUp(feira);
    const { agent } = await logInBrowser(feira, email);
    await agent.post('/logout').expect(403);
    await agent.post('/cart/empty').expect(403);
    await agent.get('/profile').expect(200);
  });
});

describe('a login that ends while a form is open', () => {
  let email: string;
  beforeAll(async () => {
    ({ email } = await signUp(feira));
  });

  /** Sends a form of a page that was opened before the login of its browser ended. */
  const sendLate = async (action: string) => {
    const visitor = await logInBrowser(feira, email);
    const hidden = hiddenFields((await visitor.open('/profile')).text, '/logout');
    const { as } = await logIn(feira, email);
    await as('delete', '/api/auth/sessions').expect(204);
    return { visitor, answer: await visitor.agent.post(action).type('form').send(hidden) };
  };

  it.each([
    ['/cart/empty', '/cart'],
    ['/checkout', '/checkout'],
    ['/profile/edit', '/profile/edit'],
    ['/profile/avatar/remove', '/profile'],
    [`/profile/sessions/${'a'.repeat(24)}/end`, '/profile'],
    ['/logout', '/'],
  ])('is told by the login, which leads on from %s to %s', async (action, leadsTo) => {
    const { visitor, answer } = await sendLate(action);
    const page = String(answer.headers.location);
    expect([answer.status, page]).toEqual([303, `/login?next=${encodeURIComponent(action)}&ended=true`]);
    expect((await visitor.open(page)).text).toContain('was not taken. Log in, and send it again.');
    const onward = await visitor.submit(page, { email, password: PASSWORD });
    const there = await visitor.open(String(onward.headers.location));
    expect(there.status === 303 ? there.headers.location : onward.headers.location).toBe(leadsTo);
  });

  it('is told for the forms of staff of every size', async () => {
    const fields = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`variant-${i}-code`, 'A']));
    const answer = await webVisitor(feira).agent.post('/admin/products/new').type('form').send(fields);
    expect([answer.status, answer.headers.location]).toEqual([303, '/login?next=%2Fadmin%2Fproducts%2Fnew&ended=true']);
  });
});

describe('a page that shows who is logged in', () => {
  it.each(['/', '/docs', '/problems', '/problems/not-found', '/chat', '/profile'])(
    'is kept for nobody else: %s',
    async (path) => {
      const { email } = await signUp(feira, { name: 'Zacharias' });
      const { open } = await logInBrowser(feira, email);
      const { headers, text } = await open(path);
      expect(text).toContain('Zacharias');
      expect(headers['cache-control']).toMatch(/^private, no-(store|cache)$/);
    },
  );
});

describe('the profile', () => {
  it('shows every login and ends one, or all others', async () => {
    const { email } = await signUp(feira);
    const { open, submit } = await logInBrowser(feira, email);
    const program = await logIn(feira, email);
    const { text } = await open('/profile');
    const [, sid] = /action="\/profile\/sessions\/([\da-f]{24})\/end"/.exec(text)!;
    await submit('/profile', {}, `/profile/sessions/${sid}/end`);
    await program.as('get', '/api/users/profile').expect(401);

    const other = await logInBrowser(feira, email);
    await submit('/profile', {}, '/profile/sessions/others/end');
    expect((await other.open('/profile')).status).toBe(303);
    expect((await open('/profile')).status).toBe(200);
  });

  it('changes name and language', async () => {
    const { email } = await signUp(feira);
    const { open, submit } = await logInBrowser(feira, email);
    expect((await open('/profile/edit')).text).toContain('value="Ana Sousa"');
    await submit('/profile/edit', { name: 'Ana Maria', locale: 'es' });
    const { text } = await open('/profile');
    expect(text).toContain('Español');
    expect((await open('/cart')).text).toContain('Ana Maria');
  });

  it('changes the password, and a second browser is out', async () => {
    const { email } = await signUp(feira);
    const [here, there] = await Promise.all([logInBrowser(feira, email), logInBrowser(feira, email)]);
    const wrong = await here.submit('/profile/password', { current: 'a guess', password: 'a new long password' });
    expect(wrong.text).toContain('Password of now is not your password.');
    await here.submit('/profile/password', { current: PASSWORD, password: 'a new long password' });
    expect((await here.open('/profile')).status).toBe(200);
    expect((await there.open('/profile')).status).toBe(303);
  });
});

describe('PATCH /api/users/edit', () => {
  it('changes what a person may change, under their version', async () => {
    const { as } = await someone(feira);
    const profile = await as('get', '/api/users/profile').expect(200);
    expect(profile.headers.etag).toMatch(/^"1\b/);
    const ifMatch = profile.headers.etag!;
    const edited = await as('patch', '/api/users/edit').set('If-Match', ifMatch).send({ name: 'Bea' }).expect(200);
    expect(edited.body).toMatchObject({ name: 'Bea', version: 2 });
    await as('patch', '/api/users/edit').set('If-Match', '"1"').send({ name: 'Cleo' }).expect(412);
  });

  it('is seen in the next read, and by nobody else who comes by the same browser', async () => {
    const [ana, bea] = await Promise.all([someone(feira), someone(feira, { name: 'Bea' })]);
    const seen = (await ana.as('get', '/api/users/profile')).headers.etag!;
    await ana.as('get', '/api/users/profile').set('If-None-Match', seen).expect(304);
    const hers = await bea.as('get', '/api/users/profile').set('If-None-Match', seen).expect(200);
    expect(hers.body.name).toBe('Bea');
    await ana.as('patch', '/api/users/edit').send({ name: 'Ana Maria' }).expect(200);
    await ana.as('get', '/api/users/profile').set('If-None-Match', seen).expect(200);
  });

  it.each([{ role: 'admin' }, { email: 'b@example.com' }, { version: 9 }, {}])('refuses %p', async (input) => {
    const { as } = await someone(feira);
    await as('patch', '/api/users/edit').send(input).expect(422);
  });
});
