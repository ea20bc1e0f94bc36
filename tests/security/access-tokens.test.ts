import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import { Secret } from '../../src/models/secret.model.ts';
import { someone } from '../helpers/accounts.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let ana: Awaited<ReturnType<typeof someone>>;
/** What the shop signs with: these tests assume that only the form of a token is wrong. */
let secret: Buffer;
beforeAll(async () => {
  feira = await startFeira();
  ana = await someone(feira);
  secret = Buffer.from((await Secret.findById('access-token').lean())?.value ?? '');
});
afterAll(() => feira.stop());

const read = (token: string) => feira.api.get('/api/users/profile').set('Authorization', `Bearer ${token}`);
const partOf = (token: string, n: number) => JSON.parse(Buffer.from(token.split('.')[n]!, 'base64url').toString());
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

interface Forgery {
  header?: Partial<JWTHeaderParameters>;
  claims?: Record<string, unknown>;
  key?: Uint8Array;
}

/** Ana's access token again, with something about it changed; a claim that is undefined is left out. */
function forge({ header = {}, claims = {}, key = secret }: Forgery = {}): Promise<string> {
  const payload = { ...partOf(ana.accessToken, 1), ...claims };
  return new SignJWT(payload).setProtectedHeader({ ...partOf(ana.accessToken, 0), ...header }).sign(key);
}

describe('an access token', () => {
  it('is accepted as the shop has made it', async () => {
    await read(ana.accessToken).expect(200);
    await read(await forge()).expect(200);
  });

  const past = Math.floor(Date.now() / 1000) - 1;
  it.each<[string, Forgery]>([
    ['signed by somebody else', { key: Buffer.from('another secret of thirty-two bytes') }],
    ['of another size of the same algorithm', { header: { alg: 'HS512' } }],
    ['of another kind', { header: { typ: 'JWT' } }],
    ['for another audience', { claims: { aud: 'somebody' } }],
    ['of another issuer', { claims: { iss: 'somebody' } }],
    ['that has expired', { claims: { exp: past } }],
    ['without an end', { claims: { exp: undefined } }],
    ['without a login', { claims: { sid: undefined } }],
    ['with a login that does not exist', { claims: { sid: 'f'.repeat(24) } }],
    ['with an operator for a login', { claims: { sid: { $ne: null } } }],
  ])('is refused %s', async (_what, forgery) => {
    const { status, body } = await read(await forge(forgery));
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it.each(['none', 'None', 'NONE'])('is refused without a signature (%s)', async (alg) => {
    const unsigned = `${encoded({ ...partOf(ana.accessToken, 0), alg })}.${ana.accessToken.split('.')[1]}.`;
    await read(unsigned).expect(401);
    await read(unsigned.slice(0, -1)).expect(401);
  });

  it('is not checked with a key that it names itself', async () => {
    const own = Buffer.from('a key of the attacker of thirty-two bytes');
    const jwk = { kty: 'oct', k: own.toString('base64url') };
    for (const header of [{ jwk }, { jku: 'https://evil.example/keys' }, { kid: '../../../../dev/null' }])
      await read(await forge({ header, key: own })).expect(401);
  });

  it('cannot be a refresh token, nor the other way round', async () => {
    await read(ana.refreshToken).expect(401);
    await feira.api.post('/api/auth/refresh').send({ refreshToken: ana.accessToken }).expect(422);
    await read(ana.accessToken).expect(200);
  });

  it('gives no rights by what it says', async () => {
    const token = await forge({ claims: { role: 'admin', permissions: ['users:read'] } });
    await feira.api.get('/api/users').set('Authorization', `Bearer ${token}`).expect(403);
  });

  it('ends with its login, also when it was used a moment ago', async () => {
    const bea = await someone(feira);
    await read(bea.accessToken).expect(200);
    await bea.as('post', '/api/auth/logout').expect(204);
    await read(bea.accessToken).expect(401);
  });
});

describe('what would become a property of everything', () => {
  it.each([
    '{"__proto__":{"isAdmin":true},"email":"a@example.com","password":"a long password","name":"A"}',
    '{"constructor":{"prototype":{"isAdmin":true}},"email":"a@example.com","password":"a long password","name":"A"}',
  ])('is refused at the sign-up: %s', async (body) => {
    const { status } = await feira.api.post('/api/auth/signup').set('Content-Type', 'application/json').send(body);
    expect(status).toBe(422);
    expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
  });
});
