/** What devices answer, judged by @simplewebauthn: made for this shop, by a person whom the device has recognised. */
import {
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import { decodeAttestationObject, decodeClientDataJSON } from '@simplewebauthn/server/helpers';
import type { PasskeyRecord } from '../models/passkey.model.ts';
import type { NewCredential, UsedCredential } from '../schemas/passkey.schema.ts';

/** For whom passkeys are made, and from where they are used. */
export interface RelyingParty {
  /** A name of a host. */
  id: string;
  origin: string;
}

/** EdDSA, ES256, RS256. */
export const ALGORITHMS = [-8, -7, -257];

/** Null for an address that browsers make no passkeys for: they want a name, and https unless it is this machine. */
export function relyingPartyOf(origin: string): RelyingParty | null {
  const { protocol, hostname, origin: normal } = new URL(origin);
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost');
  const isName = /[a-z]/.test(hostname) && !hostname.startsWith('[');
  return isName && (isLocal || protocol === 'https:') ? { id: hostname, origin: normal } : null;
}

/** The challenge that an answer is for; null when it cannot be read. */
export function challengeOf({ response }: NewCredential | UsedCredential): string | null {
  try {
    const { challenge } = decodeClientDataJSON(response.clientDataJSON);
    return typeof challenge === 'string' ? challenge : null;
  } catch {
    return null;
  }
}

/** The new credential with what is to be kept of it; null when the answer proves nothing. */
export async function verifiedNew(
  { id: expectedRPID, origin: expectedOrigin }: RelyingParty,
  response: NewCredential,
  expectedChallenge: string,
): Promise<(WebAuthnCredential & { backedUp: boolean }) | null> {
  try {
    if (hasCertificates(response)) return null;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      ...{ expectedRPID, expectedOrigin, expectedChallenge },
      response: { ...response, clientExtensionResults: {} } satisfies RegistrationResponseJSON,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified) return null;
    const { credential, credentialBackedUp } = registrationInfo;
    return { ...credential, backedUp: credentialBackedUp };
  } catch {
    return null;
  }
}

/**
 * None were asked for, and the library would fetch the lists of revoked ones from wherever they say: a request of the
 * server to an address that somebody else has chosen.
 */
function hasCertificates({ response }: NewCredential): boolean {
  const attestation = decodeAttestationObject(Buffer.from(response.attestationObject, 'base64url'));
  const format = attestation.get('fmt');
  return format !== 'none' && (format !== 'packed' || attestation.get('attStmt').get('x5c') !== undefined);
}

/** What the device says about a use of a passkey; null when the answer proves nothing, or its counter went back. */
export async function verifiedUse(
  { id: expectedRPID, origin: expectedOrigin }: RelyingParty,
  { credentialId: id, publicKey, counter }: PasskeyRecord,
  response: UsedCredential,
  expectedChallenge: string,
): Promise<{ counter: number; backedUp: boolean } | null> {
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      ...{ expectedRPID, expectedOrigin, expectedChallenge },
      response: { ...response, clientExtensionResults: {} },
      credential: { id, publicKey: Buffer.from(publicKey, 'base64url'), counter },
      requireUserVerification: true,
    });
    const { newCounter, credentialBackedUp } = authenticationInfo;
    return verified ? { counter: newCounter, backedUp: credentialBackedUp } : null;
  } catch {
    return null;
  }
}
