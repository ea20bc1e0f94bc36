/** Somebody whose login has a second step, and the app on their telephone. */
import { TOTP } from 'otpauth';
import { User } from '../../src/models/user.model.ts';
import { PASSWORD, someone } from './accounts.ts';
import type { Feira } from './start-feira.ts';

/** What the app shows, `steps` of 30 seconds from now. */
export const codeOf = (secret: string, steps = 0) =>
  new TOTP({ secret }).generate({ timestamp: Date.now() + steps * 30_000 });

/** The code of now for somebody who has used none lately. */
export async function freshCode({ secret, userId }: { secret: string; userId: string }): Promise<string> {
  await User.updateOne({ _id: userId, twoFactor: { $ne: null } }, { 'twoFactor.lastStep': 0 });
  return codeOf(secret);
}

type Program = Pick<Awaited<ReturnType<typeof someone>>, 'as' | 'user'>;

/** Gives a login its second step, by the API. */
export async function switchOn({ as, user }: Program, password = PASSWORD) {
  const { secret, setup } = (await as('post', '/api/auth/two-step/setup').expect(200)).body;
  const code = codeOf(secret);
  const enabled = await as('post', '/api/auth/two-step/enable').send({ setup, code, password });
  if (enabled.status !== 200) throw new Error(`Two-step login was refused: ${enabled.text}`);
  const recoveryCodes = enabled.body.recoveryCodes as string[];
  return { secret: secret as string, userId: user.id, recoveryCodes, usedCode: code };
}

/** Someone new with two-step login. */
export async function carefulPerson(feira: Feira) {
  const person = await someone(feira);
  return { ...person, email: person.user.email, ...(await switchOn(person)) };
}

/** The first step of a login. @returns the challenge */
export async function firstStep({ api }: Pick<Feira, 'api'>, email: string, password = PASSWORD): Promise<string> {
  const res = await api.post('/api/auth/login').send({ email, password });
  if (res.body.code !== 'SECOND_FACTOR_NEEDED') throw new Error(`No second step was asked for: ${res.text}`);
  return res.body.challenge;
}

export const secondStep = ({ api }: Pick<Feira, 'api'>, challenge: string, code: string) =>
  api.post('/api/auth/login/second-factor').send({ challenge, code });
