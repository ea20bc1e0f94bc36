import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import mongoose, { type Types } from 'mongoose';
import type { Problem } from '../../src/errors.ts';
import { logIn, logInBrowser, PASSWORD, signUp, someone } from '../helpers/accounts.ts';
import { caughtUp, collect } from '../helpers/chat.ts';
import { API_KEY, type Feira, startFeira, type TestSocket } from '../helpers/start-feira.ts';
import { eventually, nextEvent } from '../helpers/wait-for.ts';
import type { WebVisitor } from '../helpers/web-visitor.ts';

const ADMIN = { email: 'admin@shop.example', password: 'a password of the admin' };

let feira: Feira;
let admin: Awaited<ReturnType<typeof logIn>>;
beforeAll(async () => {
  feira = await startFeira({ ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password });
  admin = await logIn(feira, ADMIN.email, ADMIN.password);
});
afterAll(() => feira.stop());

const withToken = (token: unknown) => feira.connectSocket({}, { token });

/** The socket of a page in this browser. */
function socketOf({ agent }: WebVisitor, { url } = feira) {
  const cookies = agent.jar.getCookies({ path: '/', domain: new URL(url).hostname, secure: false, script: false });
  return feira.connectSocket({ Cookie: cookies.toValueString() });
}

/** What a handshake is refused with. */
const refusalOf = (connected: Promise<TestSocket>): Promise<Problem> =>
  connected.then(
    () => Promise.reject(new Error('It was not refused.')),
    (error: Error & { data: Problem }) => error.data,
  );

/** Resolves when a socket was told why and has lost its connection. @returns the reason */
async function cut(socket: TestSocket): Promise<string> {
  const told = nextEvent<{ reason: string }>(socket, 'login:changed');
  const lost = nextEvent<string>(socket, 'disconnect');
  // Not a disconnection by the server: after such a one clients stay away.
  expect(await lost).toMatch(/transport/);
  return (await told).reason;
}

describe('a token in the handshake', () => {
  it('may be an access token or a key', async () => {
    const { accessToken } = await someone(feira);
    for (const token of [accessToken, API_KEY]) await caughtUp(await withToken(token));
  });

  it('that proves nothing is refused with the problem', async () => {
    const wrong = ['', 'x', 'x'.repeat(32), 'x'.repeat(5000), 'a.b.c', 'feira_nonsense', 5, {}, ['x'], '{"$ne":null}'];
    for (const token of wrong)
      expect(await refusalOf(withToken(token))).toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
  });

  it('is refused when its login has ended', async () => {
    const { accessToken, as } = await someone(feira);
    await as('post', '/api/auth/logout').expect(204);
    expect(await refusalOf(withToken(accessToken))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('may expire while the socket is open: the login counts', async () => {
    const { accessToken, as } = await someone(feira);
    const [, payload = ''] = accessToken.split('.');
    const { sub, sid } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const secret = await mongoose.connection
      .collection<{ _id: string; value: string }>('secrets')
      .findOne({ _id: 'access-token' });
    const short = await new SignJWT({ sid })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .setSubject(sub)
      .setIssuer('feira')
      .setAudience('feira')
      .setExpirationTime('2s')
      .sign(Buffer.from(secret!.value));
    const socket = await withToken(short);
    const changes = collect(socket, 'login:changed');
    const answer = () => feira.api.get('/api/users/profile').set('Authorization', `Bearer ${short}`);
    await eventually(async () => (await answer()).status === 401);
    expect(await refusalOf(withToken(short))).toMatchObject({ code: 'UNAUTHENTICATED' });
    await caughtUp(socket);
    expect(changes).toEqual([]);

    const ended = cut(socket);
    await as('post', '/api/auth/logout').expect(204);
    expect(await ended).toBe('Your login has ended.');
  });
});

describe("a browser's cookie", () => {
  it('opens a socket of the person, which ends with the logout', async () => {
    const { email } = await signUp(feira);
    const browser = await logInBrowser(feira, email);
    const ended = cut(await socketOf(browser));
    await browser.submit('/profile', {}, '/logout');
    expect(await ended).toBe('Your login has ended.');
    // The page comes back as a visitor.
    await caughtUp(await socketOf(browser));
  });

  it('ends with a new password elsewhere, and only in the other browsers', async () => {
    const { email } = await signUp(feira);
    const [here, there] = await Promise.all([logInBrowser(feira, email), logInBrowser(feira, email)]);
    const [stays, goes] = await Promise.all([socketOf(here), socketOf(there)]);
    const changes = collect(stays, 'login:changed');
    const ended = cut(goes);
    await here.submit('/profile/password', { current: PASSWORD, password: 'a new long password' });
    await ended;
    await caughtUp(stays);
    expect(changes).toEqual([]);
  });
});

describe('sockets are cut', () => {
  it('when staff disable the account', async () => {
    const { accessToken, user } = await someone(feira);
    const ended = cut(await withToken(accessToken));
    await admin.as('patch', `/api/users/${user.id}`).send({ disabled: true }).expect(200);
    await ended;
    expect(await refusalOf(withToken(accessToken))).toMatchObject({ status: 401 });
  });

  it('when the person loses a role, and come back with what is left', async () => {
    const { accessToken, user } = await someone(feira);
    await admin.as('patch', `/api/users/${user.id}`).send({ role: 'seller' }).expect(200);
    const changed = cut(await withToken(accessToken));
    await admin.as('patch', `/api/users/${user.id}`).send({ role: 'customer' }).expect(200);
    expect(await changed).toBe('Your rights have changed.');
    await caughtUp(await withToken(accessToken));
  });

  it('and not for a new name', async () => {
    const { accessToken, as } = await someone(feira);
    const socket = await withToken(accessToken);
    const changes = collect(socket, 'login:changed');
    await as('patch', '/api/users/edit').send({ name: 'Bea' }).expect(200);
    await caughtUp(socket);
    expect(changes).toEqual([]);
  });

  it('when a key ends, or its owner loses what it was for', async () => {
    const seller = await someone(feira);
    await admin.as('patch', `/api/users/${seller.user.id}`).send({ role: 'seller' }).expect(200);
    const make = (name: string) => seller.as('post', '/api/keys').send({ name, permissions: ['products:write'] });
    const [one, two] = [await make('one').expect(201), await make('two').expect(201)];
    const ended = cut(await withToken(one.body.key));
    const changed = cut(await withToken(two.body.key));
    await seller.as('delete', `/api/keys/${one.body.id}`).expect(204);
    expect(await ended).toBe('Your login has ended.');
    await admin.as('patch', `/api/users/${seller.user.id}`).send({ role: 'customer' }).expect(200);
    await changed;
  });
});

/** What another process writes to the database, this one is not told. */
describe('what another process does', () => {
  const collection = (name: string) => mongoose.connection.collection(name);
  const idOf = (text: string): Types.ObjectId => new mongoose.Types.ObjectId(text);
  const withinFiveSeconds = async (socket: TestSocket, change: () => Promise<unknown>) => {
    const ended = cut(socket);
    await change();
    const started = Date.now();
    await ended;
    expect(Date.now() - started).toBeLessThan(5000);
  };

  it('cuts a socket within five seconds: the end of a login', async () => {
    const { accessToken, user } = await someone(feira);
    await withinFiveSeconds(await withToken(accessToken), () =>
      collection('sessions').deleteMany({ user: idOf(user.id) }),
    );
  });

  it('cuts a socket within five seconds: an account that is disabled', async () => {
    const { accessToken, user } = await someone(feira);
    await withinFiveSeconds(await withToken(accessToken), () =>
      collection('users').updateOne({ _id: idOf(user.id) }, { $set: { disabledAt: new Date() } }),
    );
  });

  it('cuts a socket within five seconds: another role', async () => {
    const { accessToken, user } = await someone(feira);
    await withinFiveSeconds(await withToken(accessToken), () =>
      collection('users').updateOne({ _id: idOf(user.id) }, { $set: { role: 'support' } }),
    );
  });
});
