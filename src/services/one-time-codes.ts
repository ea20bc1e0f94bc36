/**
 * Codes of six digits that are mailed: valid for ten minutes, once, and for few tries. They are short, so they are hashed
 * as slowly as passwords.
 */
import { randomInt } from 'node:crypto';
import type { ClientSession } from 'mongoose';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import { OneUseToken } from '../models/one-use-token.model.ts';
import { hashPassword, isPassword } from './passwords.ts';
import { hashOfToken } from './random-token.ts';

export const CODE_MINUTES = 10;
const TRIES = 5;
const MINUTE_MS = 60_000;

export type CodePurpose = 'chat-join';

interface CodeData {
  hash: string;
  tries: number;
}

/**
 * Makes a code; an older one of the same purpose and subject is worth nothing from now on.
 * @param subject a user's id
 * @returns null when one was made within the last minute: that one counts
 */
export async function issueCode(purpose: CodePurpose, subject: string): Promise<string | null> {
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  const data: CodeData = { hash: await hashPassword(code), tries: TRIES };
  const now = Date.now();
  try {
    await OneUseToken.updateOne(
      { _id: idOf(purpose, subject), expiresAt: { $lte: new Date(now + (CODE_MINUTES - 1) * MINUTE_MS) } },
      { $set: { purpose, subject, data, expiresAt: new Date(now + CODE_MINUTES * MINUTE_MS) } },
      { upsert: true },
    );
    return code;
  } catch (error) {
    if (isDuplicateKey(error)) return null;
    throw error;
  }
}

/**
 * Uses a code up in one transaction with its effect. Every try counts before it is compared.
 * @throws AppError INVALID_TOKEN, the same for a wrong code and for none
 */
export async function withCode<T>(
  purpose: CodePurpose,
  subject: string,
  code: string,
  effect: (session: ClientSession) => Promise<T>,
): Promise<T> {
  const _id = idOf(purpose, subject);
  const doc = await OneUseToken.findOneAndUpdate(
    { _id, expiresAt: { $gt: new Date() }, 'data.tries': { $gt: 0 } },
    { $inc: { 'data.tries': -1 } },
  ).lean();
  const hash = doc && (doc.data as CodeData).hash;
  if (!hash || !(await isPassword(code, hash))) throw invalidCode();
  return inTransaction(async (session) => {
    const { deletedCount } = await OneUseToken.deleteOne({ _id, 'data.hash': hash }, { session });
    if (deletedCount === 0) throw invalidCode();
    return effect(session);
  });
}

const idOf = (purpose: CodePurpose, subject: string) => hashOfToken(`${purpose} ${subject}`);

const invalidCode = () =>
  new AppError('INVALID_TOKEN', 'The code is wrong, was used or has expired. After five tries it takes a new one.');
