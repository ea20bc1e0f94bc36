import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MeBody, MessageBody, ParticipantListBody } from '../../src/schemas/chat.schema.ts';
import { logIn, PASSWORD, signUp, someone } from '../helpers/accounts.ts';
import { anEmail, CHAT_ENV, joinByRest } from '../helpers/chat.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const ADMIN = { email: 'admin@shop.example', password: 'a password of the admin' };

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ ...CHAT_ENV, ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password });
});
afterAll(() => feira.stop());

const joinAs = (input: object) => feira.api.post('/api/chat/participants').send(input);

/** Asks for the code of an account's address, and takes it from the mail. */
async function codeFor(email: string): Promise<string> {
  expect((await joinAs({ email })).body).toMatchObject({ code: 'CONFIRMATION_NEEDED', status: 403 });
  return (await nextMail(feira, email)).code;
}

/** A code that is not this one. */
const otherThan = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('somebody who is logged in', () => {
  it('joins without an e-mail, is there by name with a mark, and needs no token', async () => {
    const { as, user } = await someone(feira, { name: 'Ana Sousa' });
    await as('get', '/api/chat/messages').expect(401, /NOT_IN_CHAT/);
    const joined = await as('post', '/api/chat/participants').expect(201);
    expect(MeBody.strict().parse(joined.body)).toEqual(joined.body);
    expect(joined.body).toMatchObject({ email: user.email, name: 'Ana Sousa', verified: true });
    expect(joined.headers).not.toHaveProperty('chat-token');

    const sent = await as('post', '/api/chat/messages').send({ text: 'Good morning!' }).expect(201);
    expect(MessageBody.strict().parse(sent.body)).toEqual(sent.body);
    const participant = { id: joined.body.id, email: 'a•••@e•••.com', name: 'Ana Sousa', verified: true };
    expect(sent.body.participant).toEqual(participant);

    const guest = await joinByRest(feira);
    const people = await guest.as('get', '/api/chat/participants').expect(200);
    expect(ParticipantListBody.strict().parse(people.body)).toEqual(people.body);
    expect(people.body.items).toContainEqual(participant);
    expect(people.text).not.toContain(user.email);
    const read = await guest.as('get', `/api/chat/messages/${sent.body.sequence}`).expect(200);
    expect(read.body).toEqual(sent.body);
  });

  it('is one person on all devices, leaves on one, and comes back', async () => {
    const one = await someone(feira);
    const two = await logIn(feira, one.user.email);
    const [first, second] = [
      await one.as('post', '/api/chat/participants').expect(201),
      await two.as('post', '/api/chat/participants').send({ email: one.user.email }).expect(201),
    ];
    expect(second.body.id).toBe(first.body.id);
    await one.as('delete', '/api/chat/participants/me').expect(204);
    await one.as('get', '/api/chat/participants/me').expect(401);
    await two.as('get', '/api/chat/participants/me').expect(200);
    const again = await one.as('post', '/api/chat/participants').expect(201);
    expect(again.body.id).toBe(first.body.id);
  });

  it('is out with the logout', async () => {
    const { as } = await someone(feira);
    await as('post', '/api/chat/participants').expect(201);
    await as('post', '/api/auth/logout').expect(204);
    await as('post', '/api/chat/messages').send({ text: 'Still here?' }).expect(401);
  });

  it('cannot be there with another address', async () => {
    const [ana, bea] = await Promise.all([someone(feira), someone(feira)]);
    for (const email of [bea.user.email, anEmail()]) {
      const { body } = await ana.as('post', '/api/chat/participants').send({ email }).expect(422);
      expect(body.errors).toMatchObject([{ pointer: '#/email' }]);
    }
  });

  it('takes the new name at once', async () => {
    const { as } = await someone(feira, { name: 'Ana' });
    await as('post', '/api/chat/participants').expect(201);
    await as('patch', '/api/users/edit').send({ name: 'Ana Maria' }).expect(200);
    const { body } = await as('post', '/api/chat/messages').send({ text: 'Hello' }).expect(201);
    expect(body.participant.name).toBe('Ana Maria');
  });

  it('leaves as the guest that they were', async () => {
    const guest = await joinByRest(feira);
    const { as } = await someone(feira);
    const joined = await as('post', '/api/chat/participants').set('Chat-Token', guest.token).expect(201);
    expect(joined.body.id).not.toBe(guest.id);
    await guest.as('get', '/api/chat/participants/me').expect(401);
  });
});

describe('an e-mail that belongs to an account', () => {
  it('is refused until its owner sends the code, and then has name and mark', async () => {
    const { email } = await signUp(feira, { name: 'Bea Costa' });
    const code = await codeFor(email);
    expect(code).toMatch(/^\d{6}$/);
    expect((await joinAs({ email, code: otherThan(code) }).expect(422)).body.code).toBe('INVALID_TOKEN');
    const joined = await joinAs({ email: email.toUpperCase(), code }).expect(201);
    expect(joined.body).toMatchObject({ email, name: 'Bea Costa', verified: true });
    const token = String(joined.headers['chat-token']);
    const send = () => feira.api.post('/api/chat/messages').set('Chat-Token', token);
    const { body } = await send().send({ text: 'It is me' }).expect(201);
    expect(body.participant).toMatchObject({ name: 'Bea Costa', verified: true });

    // The same person as the one who logs in.
    const { as } = await logIn(feira, email);
    expect((await as('post', '/api/chat/participants').expect(201)).body.id).toBe(joined.body.id);
    // Who is there already needs no second code.
    await joinAs({ email }).set('Chat-Token', token).expect(201);
  });

  it('does not give the guest who used it before to the account, nor the other way round', async () => {
    const email = anEmail();
    const before = await joinByRest(feira, email);
    const said = await before.as('post', '/api/chat/messages').send({ text: 'From a guest' }).expect(201);
    await signUp(feira, { email });
    // From now on the address needs its owner.
    await before.as('get', '/api/chat/participants/me').expect(401);
    const { as } = await logIn(feira, email);
    const me = await as('post', '/api/chat/participants').expect(201);
    expect(me.body.id).not.toBe(before.id);
    const { body } = await as('get', `/api/chat/messages/${said.body.sequence}`).expect(200);
    expect(body.participant).toMatchObject({ id: before.id, name: null, verified: false });
  });

  it('takes each code once, also when it comes ten times at once', async () => {
    const { email } = await signUp(feira);
    const code = await codeFor(email);
    const answers = await Promise.all(Array.from({ length: 10 }, () => joinAs({ email, code })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 422)).toHaveLength(9);
  });

  it('lets nobody in whose account is disabled, by code or by a visit that began before', async () => {
    const admin = await logIn(feira, ADMIN.email, ADMIN.password);
    const { email, id } = await signUp(feira);
    const code = await codeFor(email);
    const visit = await joinAs({ email, code }).expect(201);
    const me = () => feira.api.get('/api/chat/participants/me').set('Chat-Token', String(visit.headers['chat-token']));
    await me().expect(200);
    await admin.as('patch', `/api/users/${id}`).send({ disabled: true }).expect(200);
    await me().expect(401);
    await joinAs({ email }).expect(403, /CONFIRMATION_NEEDED/);
    await feira.api.post('/api/auth/login').send({ email, password: PASSWORD }).expect(403);
  });
});

describe('what is sent', () => {
  it.each([{ code: '12345' }, { code: 123456 }, { code: '12345a' }, { code: { $ne: null } }, { code: '1234567' }])(
    'is refused as %p',
    async (input) => {
      const { body } = await joinAs({ email: anEmail(), ...input }).expect(422);
      expect(body.errors).toMatchObject([{ pointer: '#/code' }]);
    },
  );

  it('needs an e-mail from a guest', async () => {
    const { body } = await joinAs({}).expect(422);
    expect(body.errors).toMatchObject([{ pointer: '#/email' }]);
  });

  it('is no code for an address without an account', async () => {
    expect((await joinAs({ email: anEmail(), code: '123456' }).expect(422)).body.code).toBe('INVALID_TOKEN');
  });
});
