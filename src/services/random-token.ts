/** Tokens that nobody can guess, and the hash of them that is stored. */
import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits, 43 characters. */
export const randomToken = () => randomBytes(32).toString('base64url');

/** SHA-256: random tokens need no slow hash. */
export const hashOfToken = (token: string) => createHash('sha256').update(token).digest('base64url');
