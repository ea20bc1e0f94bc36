/** The codes of authenticator apps (RFC 6238): six digits, new every 30 seconds. */
import { Secret, TOTP } from 'otpauth';

const ISSUER = 'Feira';
/** Clocks may differ by this many steps. */
const WINDOW = 1;

/** 160 random bits in base32, as the apps take them. */
export const newTotpSecret = () => new Secret({ size: 20 }).base32;

/** What the QR code says. @param account what the app calls it */
export const totpUri = (secret: string, account: string) =>
  new TOTP({ issuer: ISSUER, label: account, secret }).toString();

/** The step of time that a code is of, in units of 30 seconds; null for a wrong one. */
export function stepOf(secret: string, code: string): number | null {
  const totp = new TOTP({ secret });
  const delta = totp.validate({ token: code, window: WINDOW });
  return delta === null ? null : totp.counter() + delta;
}
