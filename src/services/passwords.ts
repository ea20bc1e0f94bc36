/** Passwords: argon2id, never more than two at a time, so that logins leave the machine to the others. */
import { hash, verify } from 'argon2';
import pLimit from 'p-limit';
import { invalidInput } from '../errors.ts';

/** The second choice of OWASP's cheat sheet, which asks for the least memory: 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const twoAtATime = pLimit(2);

/** The same letters may be composed in several ways: they are one password. */
const normalized = (password: string) => password.normalize('NFKC');

export const hashPassword = (password: string): Promise<string> => twoAtATime(() => hash(normalized(password), COST));

/** Common passwords that are long enough to be chosen; read when the first is. */
let common: Promise<Set<string>> | null = null;

/**
 * The hash of a password that somebody chooses.
 * @param about the person: their address and name are no passwords
 * @throws AppError INVALID_INPUT for a password that guessers try first
 */
export async function hashNewPassword(password: string, about: readonly string[] = []): Promise<string> {
  const text = normalized(password).toLowerCase();
  common ??= commonPasswords();
  const known = (await common).has(text) || about.some((word) => word.toLowerCase() === text);
  if (known || isRepetition(text))
    throw invalidInput([{ pointer: '#/password', detail: 'is among the first that guessers try' }]);
  return hashPassword(password);
}

/** Leaked lists' most frequent ones. */
async function commonPasswords(): Promise<Set<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].filter((password) => password.length >= 8));
}

/** `aaaaaaaa`, `abababab`, `12121212`. */
const isRepetition = (text: string) => /^(.{1,3})\1+$/u.test(text);

/** A hash that no password fits, with the same costs. */
const nobody = hashPassword(crypto.randomUUID());

/** @param stored null when there is no such person; that takes as long as a wrong password. */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const against = stored ?? (await nobody);
  const fits = await twoAtATime(() => verify(against, normalized(password)));
  return fits && stored !== null;
}
