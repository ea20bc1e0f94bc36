/** Passwords: argon2id, never more than two at a time, so that logins leave the machine to the others. */
import { hash, verify } from 'argon2';
import pLimit from 'p-limit';

/** The second choice of OWASP's cheat sheet, which asks for the least memory: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const twoAtATime = pLimit(2);

/** The same letters may be composed in several ways: they are one password. */
const normalized = (password: string) => password.normalize('NFKC');

export const hashPassword = (password: string): Promise<string> => twoAtATime(() => hash(normalized(password), COST));

/** A hash that no password fits, with the same costs. */
const nobody = hashPassword(crypto.randomUUID());

/** @param stored null when there is no such person; that takes as long as a wrong password. */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const against = stored ?? (await nobody);
  const fits = await twoAtATime(() => verify(against, normalized(password)));
  return fits && stored !== null;
}
