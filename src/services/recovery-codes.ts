/** Codes for whoever has lost the authenticator. Each is valid once; only hashes are stored. */
import { Secret } from 'otpauth';
import { hashOfToken } from './random-token.ts';

const COUNT = 10;
/** 80 bits, so SHA-256 is enough. */
const BYTES = 10;

/** A new set, to be shown once: `abcd-efgh-2345-mnop`. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: COUNT }, () =>
    new Secret({ size: BYTES }).base32.toLowerCase().replace(/.{4}(?=.)/g, (part) => `${part}-`),
  );

/** The same however it is typed. */
export const hashOfRecoveryCode = (code: string) => hashOfToken(code.toLowerCase().replace(/[^a-z2-7]/g, ''));
