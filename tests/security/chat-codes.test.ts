/** Guessing the code by which an address in the chat is confirmed, and asking for many of them. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { signUp } from '../helpers/accounts.ts';
import { CHAT_ENV } from '../helpers/chat.ts';
import { mailsTo, nextMail } from '../helpers/mailbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeEach(async () => {
  feira = await startFeira({ ...CHAT_ENV, TRUST_PROXY: '1' });
});
afterEach(() => feira.stop());

const join = (input: object, from = '203.0.113.7') =>
  feira.api.post('/api/chat/participants').set('X-Forwarded-For', from).send(input);

const codesTo = async (email: string) =>
  (await mailsTo(feira.config.mail.outboxDir, email)).filter(({ subject }) => subject.includes('code'));

describe('a code', () => {
  it('can be tried five times, also at once and from many addresses; the right one is worth nothing then', async () => {
    const { email } = await signUp(feira);
    await join({ email }).expect(403);
    const { code } = await nextMail(feira, email);
    const wrong = Array.from({ length: 20 }, (_, i) => String((Number(code) + 1 + i) % 1_000_000).padStart(6, '0'));
    const answers = await Promise.all(wrong.map((guess, i) => join({ email, code: guess }, `203.0.113.${i}`)));
    expect(new Set(answers.map(({ body }) => `${body.code} ${body.detail}`)).size).toBe(1);
    const right = await join({ email, code });
    expect([right.status, right.body.code, right.body.detail]).toEqual([422, 'INVALID_TOKEN', answers[0]!.body.detail]);
  });

  it('is stored as a slow hash, and is nowhere in the answers', async () => {
    const { email } = await signUp(feira);
    const asked = await join({ email });
    const { code } = await nextMail(feira, email);
    expect(asked.text + JSON.stringify(asked.headers)).not.toContain(code);
    const stored = await mongoose.connection.collection('one_use_tokens').find({ purpose: 'chat-join' }).toArray();
    expect(stored).toMatchObject([{ data: { hash: expect.stringMatching(/^\$argon2id\$/) } }]);
    expect(JSON.stringify(stored)).not.toContain(code);
  });

  it('is valid for ten minutes', async () => {
    const { email } = await signUp(feira);
    await join({ email });
    const { code } = await nextMail(feira, email);
    const codes = mongoose.connection.collection('one_use_tokens');
    const [stored] = await codes.find({ purpose: 'chat-join' }).toArray();
    const minutes = (stored!.expiresAt.getTime() - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(9);
    expect(minutes).toBeLessThanOrEqual(10);
    await codes.updateOne({ _id: stored!._id }, { $set: { expiresAt: new Date(Date.now() - 1) } });
    expect((await join({ email, code })).status).toBe(422);
  });

  it('confirms the one address that it was sent to', async () => {
    const [ana, bea] = [await signUp(feira), await signUp(feira)];
    await join({ email: ana.email });
    const { code } = await nextMail(feira, ana.email);
    await join({ email: bea.email, code }).expect(422);
    await join({ email: ana.email, code }).expect(201);
  });

  it('does not open the account', async () => {
    const { email } = await signUp(feira);
    await join({ email });
    const { code } = await nextMail(feira, email);
    const { headers } = await join({ email, code }).expect(201);
    const token = String(headers['chat-token']);
    await feira.api.get('/api/users/profile').set('Chat-Token', token).expect(401);
    await feira.api.get('/api/users/profile').set('Authorization', `Bearer ${token}`).expect(401);
    await feira.api.post('/api/auth/login').send({ email, password: code }).expect(401);
  });
});

describe('asking for codes', () => {
  it('sends one in a minute, whoever asks', async () => {
    const { email } = await signUp(feira);
    for (let i = 0; i < 4; i++) await join({ email }, `203.0.113.${i}`).expect(403);
    const { code } = await nextMail(feira, email);
    await join({ email, code }).expect(201);
    expect(await codesTo(email)).toHaveLength(1);
  });

  it('is limited for each address that asks', async () => {
    const { email } = await signUp(feira);
    for (let i = 0; i < 5; i++) await join({ email }).expect(403);
    const refused = await join({ email }).expect(429);
    expect(refused.body.code).toBe('TOO_MANY_REQUESTS');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(60);
    await join({ email }, '198.51.100.9').expect(403);
  });
});
