import { describe, expect, it } from '@jest/globals';
import { relyingPartyOf } from '../../src/services/webauthn.ts';

describe('the address that passkeys are for', () => {
  it.each([
    ['https://shop.example', 'shop.example'],
    ['https://shop.example:8443', 'shop.example'],
    ['http://localhost:8080', 'localhost'],
    ['http://shop.localhost', 'shop.localhost'],
  ])('%s is one', (origin, id) => expect(relyingPartyOf(origin)).toEqual({ id, origin }));

  it.each(['http://shop.example', 'https://203.0.113.7', 'http://127.0.0.1:8080', 'https://[2001:db8::7]'])(
    '%s is none',
    (origin) => expect(relyingPartyOf(origin)).toBeNull(),
  );
});
