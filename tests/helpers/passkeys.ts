/** A device that makes passkeys and answers challenges (WebAuthn, ES256), as far as a shop can see. */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { UserDto } from '../../src/models/user.model.ts';
import { PASSWORD, type someone } from './accounts.ts';
import type { Feira } from './start-feira.ts';

const [PRESENT, VERIFIED, NEW] = [0x01, 0x04, 0x40];
const CBOR_BYTES = 0x58;

interface Circumstances {
  origin?: string;
  rpId?: string;
  counter?: number;
  /** Has it asked who is there? */
  verified?: boolean;
  userHandle?: string;
  /** Certificates in the attestation. */
  certified?: boolean;
}

export type Device = ReturnType<typeof device>;

/** @param origin where its owner's browser is */
export function device(origin: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(32);
  let userHandle = '';
  let uses = 0;

  const clientData = (type: string, challenge: string, given: Circumstances) =>
    Buffer.from(JSON.stringify({ type, challenge, origin: given.origin ?? origin, crossOrigin: false }));

  const authenticatorData = (flags: number, given: Circumstances) => {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(given.counter ?? uses++);
    const state = PRESENT | flags | (given.verified === false ? 0 : VERIFIED);
    return Buffer.concat([sha256(given.rpId ?? new URL(origin).hostname), Buffer.from([state]), counter]);
  };

  return {
    id: id.toString('base64url'),
    /** Answers what the shop asks for a new passkey. */
    make(options: { challenge: string; user: { id: string } }, given: Circumstances = {}) {
      userHandle = options.user.id;
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
      const point = [x, y].map((half) => Buffer.from(half, 'base64url'));
      const key = Buffer.concat([hex('a5010203262001215820'), point[0]!, hex('225820'), point[1]!]);
      const credential = Buffer.concat([Buffer.alloc(16), hex('0020'), id, key]);
      const data = Buffer.concat([authenticatorData(NEW, given), credential]);
      const statement = given.certified
        ? Buffer.concat([text('packed'), text('attStmt'), hex('a1'), text('x5c'), hex('8141ff')])
        : Buffer.concat([text('none'), text('attStmt'), hex('a0')]);
      const head = [hex('a3'), text('fmt'), statement, text('authData'), Buffer.from([CBOR_BYTES, data.length])];
      return {
        ...{ id: id.toString('base64url'), rawId: id.toString('base64url'), type: 'public-key' },
        clientExtensionResults: {},
        response: {
          clientDataJSON: clientData('webauthn.create', options.challenge, given).toString('base64url'),
          attestationObject: Buffer.concat([...head, data]).toString('base64url'),
          transports: ['internal'],
        },
      };
    },
    /** Answers what the shop asks for a login. */
    use({ challenge }: { challenge: string }, given: Circumstances = {}) {
      const client = clientData('webauthn.get', challenge, given);
      const data = authenticatorData(0, given);
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), privateKey);
      return {
        ...{ id: id.toString('base64url'), rawId: id.toString('base64url'), type: 'public-key' },
        clientExtensionResults: {},
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: signature.toString('base64url'),
          userHandle: given.userHandle ?? userHandle,
        },
      };
    },
  };
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest();
const hex = (digits: string) => Buffer.from(digits, 'hex');
const text = (word: string) => Buffer.concat([Buffer.from([0x60 + word.length]), Buffer.from(word)]);

/** The only address at which passkeys of a shop without PUBLIC_URL work. */
export const originOf = ({ url }: Pick<Feira, 'url'>) => `http://localhost:${new URL(url).port}`;

type Program = Pick<Awaited<ReturnType<typeof someone>>, 'as'>;

/** What the shop asks for a new passkey. */
export async function newPasskeyOptions({ as }: Program, password = PASSWORD) {
  const { status, body, text } = await as('post', '/api/auth/passkeys/options').send({ password });
  if (status !== 200) throw new Error(`A passkey was refused: ${text}`);
  return body;
}

/** Adds a passkey to somebody's account. */
export async function addPasskey(person: Program, made: Device, name = 'My telephone', password = PASSWORD) {
  const response = made.make(await newPasskeyOptions(person, password));
  return person.as('post', '/api/auth/passkeys').send({ name, response });
}

/** A visitor who was asked for a passkey: the challenge, and a login with an answer to it. */
export async function askedForPasskey({ api }: Pick<Feira, 'api'>) {
  const { headers, body } = await api.post('/api/auth/login/passkey/options').send({});
  const cookie = String(headers['set-cookie']).split(';')[0]!;
  const logIn = (response: object) => api.post('/api/auth/login/passkey').set('Cookie', cookie).send({ response });
  return { options: body, cookie, logIn };
}

/** Logs in with a passkey. */
export async function logInByPasskey(feira: Pick<Feira, 'api'>, made: Device) {
  const { options, logIn } = await askedForPasskey(feira);
  const { status, body, text } = await logIn(made.use(options));
  if (status !== 200) throw new Error(`The passkey was refused: ${text}`);
  return body as { accessToken: string; user: UserDto };
}
