import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Passkey } from '../../src/models/passkey.model.ts';
import { admin, logIn, logInBrowser, PASSWORD, signUp, someone, staff } from '../helpers/accounts.ts';
import { carefulPerson, firstStep, secondStep, switchOn } from '../helpers/authenticator.ts';
import { mailsTo, nextMail } from '../helpers/mailbox.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';
import { webVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
beforeAll(async () => {
  feira = await startFeira();
  boss = await admin(feira);
});
afterAll(() => feira.stop());

const remove = (id: string, by = boss) => by.as('delete', `/api/users/${id}/two-step`);

describe('DELETE /api/users/:uid/two-step', () => {
  it('lets somebody in who has lost their app, with the password alone, and ends what was open', async () => {
    const { email, user, as, accessToken, refreshToken } = await carefulPerson(feira);
    const challenge = await firstStep(feira, email);
    const socket = await feira.connectSocket({}, { token: accessToken });
    const ended = nextEvent(socket, 'login:changed');
    await remove(user.id).expect(204);

    await ended;
    await as('get', '/api/users/profile').expect(401);
    await feira.api.post('/api/auth/refresh').send({ refreshToken }).expect(401);
    expect((await secondStep(feira, challenge, '000000')).body.code).toBe('WRONG_CODE');
    const again = await logIn(feira, email);
    expect(again.user).toMatchObject({ id: user.id, twoStep: false });
    // It can be set up anew, with another app.
    await switchOn(again);
    await firstStep(feira, email);
  });

  it('makes recovery codes worth nothing', async () => {
    const { email, user, recoveryCodes } = await carefulPerson(feira);
    const challenge = await firstStep(feira, email);
    await remove(user.id).expect(204);
    expect((await secondStep(feira, challenge, recoveryCodes[0]!)).body.code).toBe('WRONG_CODE');
  });

  it.each([
    ['en', 'the staff of Feira removed the second step'],
    ['pt', 'a equipe da Feira retirou o segundo passo'],
    ['es', 'el equipo de Feira ha quitado el segundo paso'],
  ])('tells the owner by mail: %s', async (locale, words) => {
    const { email } = await signUp(feira, { locale });
    const person = await logIn(feira, email);
    await switchOn(person);
    expect((await nextMail(feira, email)).subject).not.toBe('');
    await remove(person.user.id).expect(204);
    expect((await nextMail(feira, email)).text.replace(/\s+/g, ' ')).toContain(words);
  });

  it('is recorded: who, of whom, what', async () => {
    const { user } = await carefulPerson(feira);
    await remove(user.id).expect(204);
    const { body } = await boss.as('get', `/api/audit?targetId=${user.id}`).expect(200);
    expect(body.items).toEqual([
      expect.objectContaining({
        action: 'user.two-step-removed',
        actor: expect.objectContaining({ id: boss.user.id, name: 'Admin' }),
        changes: { twoStep: { before: true, after: false } },
        requestId: expect.any(String),
      }),
    ]);
  });

  it('takes passkeys along, also from somebody who has nothing else, and shows its button for them', async () => {
    const { user } = await someone(feira);
    const { email } = user;
    const given = {
      credentialId: user.id,
      publicKey: 'AA',
      counter: 0,
      transports: [],
      backedUp: false,
      name: 'Phone',
    };
    await Passkey.create({ ...given, user: user.id });
    const visitor = await logInBrowser(feira, ADMIN.email, ADMIN.password);
    const { text } = await visitor.open(`/admin/users?q=${encodeURIComponent(email)}`);
    expect(text).toContain(`href="/admin/users/${user.id}/two-step"`);
    await remove(user.id).expect(204);
    const again = await logIn(feira, email);
    expect((await again.as('get', '/api/auth/passkeys').expect(200)).body.items).toEqual([]);
    const { body } = await boss.as('get', `/api/audit?targetId=${user.id}`);
    expect(body.items[0].changes).toEqual({ passkeys: { before: 1, after: 0 } });
    expect((await remove(user.id)).body.code).toBe('TWO_STEP_STATE');
  });

  it("is never one's own, also not with a key of one's own", async () => {
    const other = await staff(feira, 'admin');
    await switchOn(other);
    const { body } = await other.as('post', '/api/keys').send({ name: 'mine', permissions: ['users:write'] });
    const path = `/api/users/${other.user.id}/two-step`;
    for (const token of [other.accessToken, body.key]) {
      const refused = await feira.api.delete(path).set('Authorization', `Bearer ${token}`);
      expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
    }
    await firstStep(feira, other.user.email);
    await remove(other.user.id).expect(204);
  });

  it('is refused where there is nothing to remove, and for an account that has changed since', async () => {
    const { user } = await carefulPerson(feira);
    expect((await remove(user.id).set('If-Match', '"1"')).body.code).toBe('VERSION_MISMATCH');
    const { headers } = await boss.as('get', `/api/users/${user.id}`);
    const both = await Promise.all([1, 2].map(() => remove(user.id).set('If-Match', headers.etag!)));
    expect(both.map(({ status }) => status).sort()).toEqual([204, 412]);
    expect((await remove(user.id)).body).toMatchObject({ status: 409, code: 'TWO_STEP_STATE' });
    await remove('f'.repeat(24)).expect(404);
    await remove('1').expect(400);
    // One that it is on, one that it is off, and no other after the sign-up's.
    for (const words of ['now asks for a code', 'removed the second step'])
      expect((await nextMail(feira, user.email)).text.replace(/\s+/g, ' ')).toContain(words);
    expect(await mailsTo(feira.config.mail.outboxDir, user.email)).toHaveLength(3);
  });
});

describe('the page of staff', () => {
  it('asks before it removes the second step, and shows what is refused', async () => {
    const { email, user } = await carefulPerson(feira);
    const visitor = await logInBrowser(feira, ADMIN.email, ADMIN.password);
    const list = `/admin/users?q=${encodeURIComponent(email)}`;
    const page = `/admin/users/${user.id}/two-step`;
    expect((await visitor.open(list)).text).toContain(`href="${page}"`);
    const asked = await visitor.open(page);
    expect(asked.text).toContain('They are logged out everywhere');
    await firstStep(feira, email);

    const done = await visitor.submit(page, {});
    expect([done.status, done.headers.location]).toEqual([303, `/admin/users#user-${user.id}`]);
    await logIn(feira, email);
    expect((await visitor.open(list)).text).not.toContain(`href="${page}"`);
    const refused = await visitor.submit(page, {});
    expect([refused.status, refused.text.includes('Two-step login is on already, or is not on.')]).toEqual([409, true]);
  });

  it('has no button for oneself', async () => {
    const [other, { user }] = await Promise.all([staff(feira, 'admin'), carefulPerson(feira)]);
    const { recoveryCodes } = await switchOn(other);
    const visitor = webVisitor(feira);
    await visitor.submit('/login', { email: other.user.email, password: PASSWORD });
    await visitor.submit('/login/code', { code: recoveryCodes[0]! });
    const { text } = await visitor.open('/admin/users');
    expect(text).toContain(`href="/admin/users/${user.id}/two-step"`);
    expect(text).not.toContain(`href="/admin/users/${other.user.id}/two-step"`);
  });
});
