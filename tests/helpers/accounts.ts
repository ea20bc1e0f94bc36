/** People with an account, and programs that are logged in as them. */
import { randomBytes } from 'node:crypto';
import request from 'supertest';
import type { UserDto } from '../../src/models/user.model.ts';
import type { Role } from '../../src/permissions.ts';
import { nextMail } from './mailbox.ts';
import { ADMIN, type Feira } from './start-feira.ts';
import { webVisitor } from './web-visitor.ts';

export const PASSWORD = 'correct horse battery staple';

export const anAddress = (name = 'ana') => `${name}.${randomBytes(6).toString('hex')}@example.com`;

/** Signs up and confirms the address by the link in the mail. */
export async function signUp(feira: Feira, overrides: object = {}): Promise<UserDto> {
  const input = { email: anAddress(), password: PASSWORD, name: 'Ana Sousa', ...overrides };
  const asked = await feira.api.post('/api/auth/signup').send(input);
  if (asked.status !== 202) throw new Error(`The sign-up was refused: ${asked.text}`);
  const { token } = await nextMail(feira, input.email);
  const confirmed = await feira.api.post('/api/auth/verify-email').send({ token });
  if (confirmed.status !== 201) throw new Error(`The confirmation was refused: ${confirmed.text}`);
  return confirmed.body;
}

/** A program that is logged in; `as` makes requests with its access token. */
export async function logIn(feira: Pick<Feira, 'api' | 'url'>, email: string, password = PASSWORD) {
  const res = await feira.api.post('/api/auth/login').send({ email, password });
  if (res.status !== 200) throw new Error(`The login was refused: ${res.text}`);
  const { accessToken, refreshToken, user } = res.body as Record<string, never> & {
    accessToken: string;
    refreshToken: string;
    user: UserDto;
  };
  const as = (method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string) =>
    request(feira.url)[method](path).set('Authorization', `Bearer ${accessToken}`);
  return { accessToken, refreshToken, user, as };
}

/** Someone new who is logged in. */
export async function someone(feira: Feira, overrides: object = {}) {
  const { email } = await signUp(feira, overrides);
  return logIn(feira, email);
}

/** Somebody who is logged in with a browser. */
export async function logInBrowser(feira: Feira, email: string, password = PASSWORD) {
  const visitor = webVisitor(feira);
  const answer = await visitor.submit('/login', { email, password });
  if (answer.status !== 303) throw new Error(`The login was refused: ${answer.status}`);
  return visitor;
}

export const admin = (feira: Feira) => logIn(feira, ADMIN.email, ADMIN.password);

/** Somebody new with a role, who is logged in. */
export async function staff(feira: Feira, role: Role) {
  const [boss, person] = await Promise.all([admin(feira), someone(feira)]);
  const given = await boss.as('patch', `/api/users/${person.user.id}`).send({ role });
  if (given.status !== 200) throw new Error(`The role was refused: ${given.text}`);
  return person;
}
