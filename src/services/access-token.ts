/** Access tokens: a short proof of a login for programs. They say who, never what somebody may do. */
import { errors, jwtVerify, SignJWT } from 'jose';

export const ACCESS_TOKEN_SECONDS = 10 * 60;

const FEIRA = 'feira';
const TYPE = 'at+jwt';
const ALGORITHM = 'HS256';
const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** A token for this login of this user. @param secret of the shop */
export function signAccessToken(secret: string, userId: string, sessionId: string): Promise<string> {
  return new SignJWT({ sid: sessionId })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
    .setSubject(userId)
    .setIssuer(FEIRA)
    .setAudience(FEIRA)
    .setIssuedAt()
    .setExpirationTime(`${ACCESS_TOKEN_SECONDS}s`)
    .sign(Buffer.from(secret));
}

/** A login that a token proves until a moment, in milliseconds. */
export interface ProvenLogin {
  sessionId: string;
  until: number;
}

/** The login that a token proves; null when it is not, or no longer, one of ours. */
export async function readAccessToken(secret: string, token: string): Promise<ProvenLogin | null> {
  // API keys come this way too.
  if (!SHAPE.test(token)) return null;
  try {
    const { payload } = await jwtVerify(token, Buffer.from(secret), {
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer: FEIRA,
      audience: FEIRA,
      requiredClaims: ['exp', 'sub', 'sid'],
    });
    const { sid, exp = 0 } = payload;
    return typeof sid === 'string' ? { sessionId: sid, until: exp * 1000 } : null;
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
