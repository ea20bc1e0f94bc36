/** The shop's own random secrets. */
import { hkdfSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { upserting } from '../database/transaction.ts';
import { Secret } from '../models/secret.model.ts';
import { randomToken } from './random-token.ts';

type SecretName =
  | 'access-token'
  | 'refresh-token'
  | 'session-cookie'
  | 'csrf'
  | 'two-step'
  | 'test-payments'
  | 'guest-carts'
  | 'order-link';

/** The secret of this name; all processes on one database get the same. */
export async function shopSecret(name: SecretName): Promise<string> {
  const secret = await upserting(async () =>
    Secret.findOneAndUpdate(
      { _id: name },
      { $setOnInsert: { value: randomToken() } },
      { upsert: true, returnDocument: 'after' },
    ).lean(),
  );
  return secret.value;
}

interface OutsideSecret {
  /** The configured one. */
  given: string | undefined;
  /** Where one is kept that was not configured, null for nowhere. */
  file: string | null;
}

/** The key for what is sealed in the database. Half of it comes from outside, so the database alone opens nothing. */
export async function encryptionKey({ given, file }: OutsideSecret): Promise<Buffer> {
  const outside = given ?? (file === null ? '' : await secretIn(file));
  return Buffer.from(hkdfSync('sha256', await shopSecret('two-step'), outside, 'feira two-step', 32));
}

/** The secret in a file of this process alone, made when there is none. */
async function secretIn(file: string): Promise<string> {
  if (!existsSync(file)) {
    await writeFile(`${file}.new`, randomToken(), { mode: 0o600, flush: true });
    await rename(`${file}.new`, file);
  }
  return readFile(file, 'utf8');
}
