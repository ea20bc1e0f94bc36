import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OneUseToken } from '../../src/models/one-use-token.model.ts';
import { User } from '../../src/models/user.model.ts';
import { seal, unseal } from '../../src/services/sealing.ts';
import { encryptionKey } from '../../src/services/secrets.ts';
import { admin, logIn, PASSWORD } from '../helpers/accounts.ts';
import { carefulPerson, codeOf, firstStep, freshCode, secondStep } from '../helpers/authenticator.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  // One proxy in front: the tests say where requests come from.
  feira = await startFeira({ TRUST_PROXY: '1' });
});
afterAll(() => feira.stop());

let last = 0;
/** An address that nobody has come from yet. */
const somewhere = () => `203.0.113.${++last}`;

const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status).sort();
const count = (answers: { status: number }[], status: number) =>
  statuses(answers).filter((one) => one === status).length;

describe('a code', () => {
  it('is accepted once, also in another login, and neither is an older one', async () => {
    // The code of the set-up is used up, too.
    const { email, secret, usedCode: used } = await carefulPerson(feira);
    expect((await secondStep(feira, await firstStep(feira, email), used)).body.code).toBe('WRONG_CODE');
    const next = codeOf(secret, 1);
    await secondStep(feira, await firstStep(feira, email), next).expect(200);
    const challenge = await firstStep(feira, email);
    await secondStep(feira, challenge, next).expect(422);
    await secondStep(feira, challenge, used).expect(422);
  });

  it('is accepted once when it is sent twice at the same moment', async () => {
    const person = await carefulPerson(feira);
    const challenge = await firstStep(feira, person.email);
    const code = await freshCode(person);
    const answers = await Promise.all([1, 2, 3].map(() => secondStep(feira, challenge, code)));
    expect(statuses(answers)).toEqual([200, 422, 422]);
  });

  it('of somebody else is wrong', async () => {
    const [ana, bea] = await Promise.all([carefulPerson(feira), carefulPerson(feira)]);
    const challenge = await firstStep(feira, ana.email);
    await secondStep(feira, challenge, await freshCode(bea)).expect(422);
    await secondStep(feira, challenge, bea.recoveryCodes[0]!).expect(422);
    await secondStep(feira, await firstStep(feira, bea.email), bea.recoveryCodes[0]!).expect(200);
  });

  it('is wrong when it is more than a step away', async () => {
    const person = await carefulPerson(feira);
    await freshCode(person);
    const challenge = await firstStep(feira, person.email);
    for (const steps of [-3, 3]) await secondStep(feira, challenge, codeOf(person.secret, steps)).expect(422);
    await secondStep(feira, challenge, codeOf(person.secret, 1)).expect(200);
  });
});

describe('a recovery code', () => {
  it('opens one login, also when several ask at the same moment', async () => {
    const { as, email, recoveryCodes } = await carefulPerson(feira);
    const challenge = await firstStep(feira, email);
    const answers = await Promise.all([1, 2, 3].map(() => secondStep(feira, challenge, recoveryCodes[0]!)));
    expect(statuses(answers)).toEqual([200, 422, 422]);
    expect((await as('get', '/api/auth/two-step')).body.recoveryCodesLeft).toBe(9);
    expect((await as('get', '/api/auth/sessions')).body.total).toBe(2);
  });

  it('changes one thing, also when two different ones are asked for at the same moment', async () => {
    const { as, recoveryCodes } = await carefulPerson(feira);
    const proof = { code: recoveryCodes[0], password: PASSWORD };
    const answers = await Promise.all(
      ['disable', 'recovery-codes'].map((what) => as('post', `/api/auth/two-step/${what}`).send(proof)),
    );
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
  });
});

describe('a challenge', () => {
  it('is no login: not as a token, not as a cookie, not for a refresh', async () => {
    const { email } = await carefulPerson(feira);
    const challenge = await firstStep(feira, email);
    await feira.api.get('/api/users/profile').set('Authorization', `Bearer ${challenge}`).expect(401);
    await feira.api.get('/api/users/profile').set('Cookie', `feira_session=s%3A${challenge}.x`).expect(401);
    await feira.api.get('/api/users/profile').set('Cookie', `feira_challenge=${challenge}`).expect(401);
    await feira.api.post('/api/auth/refresh').send({ refreshToken: challenge }).expect(401);
    await feira.api.post('/api/auth/reset-password').send({ token: challenge, password: 'a new password' }).expect(422);
  });

  it('is used up by a right code', async () => {
    const person = await carefulPerson(feira);
    const challenge = await firstStep(feira, person.email);
    await secondStep(feira, challenge, person.recoveryCodes[0]!).expect(200);
    expect((await secondStep(feira, challenge, person.recoveryCodes[1]!)).body.code).toBe('INVALID_TOKEN');
    await secondStep(feira, await firstStep(feira, person.email), person.recoveryCodes[1]!).expect(200);
  });

  it('is worth nothing when it has expired, or a newer one was given', async () => {
    const { email, userId, recoveryCodes } = await carefulPerson(feira);
    const replaced = await firstStep(feira, email);
    const expired = await firstStep(feira, email);
    expect((await secondStep(feira, replaced, recoveryCodes[0]!)).body.code).toBe('INVALID_TOKEN');
    const inFiveMinutes = Date.now() + 5 * 60_000;
    const { expiresAt } = (await OneUseToken.findOne({ subject: userId }).lean())!;
    expect(Math.abs(expiresAt.getTime() - inFiveMinutes)).toBeLessThan(10_000);
    await OneUseToken.updateOne({ subject: userId }, { expiresAt: new Date(Date.now() - 1) });
    expect((await secondStep(feira, expired, recoveryCodes[0]!)).body.code).toBe('INVALID_TOKEN');
  });

  it('is worth nothing when the password is changed, or the account disabled', async () => {
    const person = await carefulPerson(feira);
    const challenge = await firstStep(feira, person.email);
    const change = { current: PASSWORD, password: 'a new long password' };
    await person.as('post', '/api/auth/change-password').send(change).expect(204);
    expect((await secondStep(feira, challenge, person.recoveryCodes[0]!)).body.code).toBe('INVALID_TOKEN');

    const other = await carefulPerson(feira);
    const open = await firstStep(feira, other.email);
    await (await admin(feira)).as('patch', `/api/users/${other.userId}`).send({ disabled: true }).expect(200);
    await secondStep(feira, open, other.recoveryCodes[0]!).expect(422);
    await secondStep(feira, open, await freshCode(other)).expect(422);
  });

  it('cannot be made up', async () => {
    for (const challenge of ['A'.repeat(43), '', 'x', { $ne: null }, ['A'.repeat(43)]])
      expect((await secondStep(feira, challenge as string, '000000')).status).toBe(422);
  });
});

describe('guessing codes', () => {
  const guess = async (email: string, times: number, addressOf: () => string) => {
    const challenge = await firstStep(feira, email);
    return Promise.all(
      Array.from({ length: times }, () => secondStep(feira, challenge, '000000').set('X-Forwarded-For', addressOf())),
    );
  };

  it('ends after five from one address, also with new challenges; the owner comes in from elsewhere', async () => {
    const person = await carefulPerson(feira);
    const address = somewhere();
    const answers = await guess(person.email, 12, () => address);
    expect([count(answers, 422), count(answers, 429)]).toEqual([5, 7]);
    const again = await guess(person.email, 1, () => address);
    expect(Number(again[0]!.headers['retry-after'])).toBeGreaterThan(0);
    const right = (code: string, from: string) =>
      firstStep(feira, person.email).then((challenge) =>
        secondStep(feira, challenge, code).set('X-Forwarded-For', from),
      );
    expect((await right(person.recoveryCodes[0]!, address)).status).toBe(429);
    expect((await right(await freshCode(person), somewhere())).status).toBe(200);
  });

  it('ends from many addresses too, but not for where the owner is logged in', async () => {
    const person = await carefulPerson(feira);
    const answers = await guess(person.email, 30, somewhere);
    expect([count(answers, 422), count(answers, 429)]).toEqual([20, 10]);
    // Without a proxy's header the owner comes from where the set-up was made.
    const challenge = await firstStep(feira, person.email);
    await secondStep(feira, challenge, person.recoveryCodes[0]!).expect(200);
  });

  it('is no easier where two-step login is switched off', async () => {
    const { as } = await carefulPerson(feira);
    const answers = await Promise.all(
      Array.from({ length: 9 }, () =>
        as('post', '/api/auth/two-step/disable').send({ password: PASSWORD, code: '000000' }),
      ),
    );
    expect([count(answers, 422), count(answers, 429)]).toEqual([5, 4]);
  });
});

describe('a copy of the database', () => {
  it('holds neither the secret of the app nor a recovery code', async () => {
    const { userId, secret, recoveryCodes } = await carefulPerson(feira);
    const stored = JSON.stringify(await User.findById(userId).lean());
    for (const text of [secret, ...recoveryCodes]) expect(stored.toLowerCase()).not.toContain(text.toLowerCase());
  });

  it('does not let the sealed secret of one account be put into another', async () => {
    const [ana, bea] = await Promise.all([carefulPerson(feira), carefulPerson(feira)]);
    const { twoFactor } = (await User.findById(ana.userId).lean())!;
    await User.updateOne({ _id: bea.userId }, { 'twoFactor.secret': twoFactor!.secret, 'twoFactor.lastStep': 0 });
    await secondStep(feira, await firstStep(feira, bea.email), codeOf(ana.secret)).expect(500);
    await secondStep(feira, await firstStep(feira, bea.email), bea.recoveryCodes[0]!).expect(200);
  });

  it('does not open with another key, and notices a change', () => {
    const [key, other] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const sealed = seal(key, 'a secret', 'ana');
    expect(unseal(key, sealed, 'ana')).toBe('a secret');
    expect(() => unseal(other, sealed, 'ana')).toThrow();
    expect(() => unseal(key, sealed, 'bea')).toThrow();
    const bytes = Buffer.from(sealed, 'base64url');
    bytes[bytes.length - 1]! ^= 1;
    expect(() => unseal(key, bytes.toString('base64url'), 'ana')).toThrow();
    expect(() => unseal(key, 'short', 'ana')).toThrow();
  });
});

describe('the key of the shop', () => {
  it('is half in the database, and half in a file that others cannot read', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'feira-key-'));
    const file = join(dir, 'encryption.key');
    const key = await encryptionKey({ given: undefined, file });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await encryptionKey({ given: undefined, file })).toEqual(key);
    expect(await encryptionKey({ given: 'x'.repeat(32), file })).not.toEqual(key);
    await writeFile(file, 'another half');
    expect(await encryptionKey({ given: undefined, file })).not.toEqual(key);
    await rm(dir, { recursive: true });
  });
});

describe('what is told of an account', () => {
  it('never holds the second factor', async () => {
    const person = await carefulPerson(feira);
    const boss = await admin(feira);
    for (const res of [
      await person.as('get', '/api/users/profile'),
      await person.as('get', '/api/users/export'),
      await boss.as('get', `/api/users/${person.userId}`),
    ])
      expect([res.status, /twoFactor|lastStep|recoveryCodes"/.test(res.text)]).toEqual([200, false]);
    await logIn(feira, (await boss.as('get', '/api/users/profile')).body.email, 'the password of the admin');
  });
});
