/** The shop's own random secrets. */
import { upserting } from '../database/transaction.ts';
import { Secret } from '../models/secret.model.ts';
import { randomToken } from './random-token.ts';

/** The secret of this name; all processes on one database get the same. */
export async function shopSecret(name: 'access-token' | 'refresh-token' | 'session-cookie' | 'csrf'): Promise<string> {
  const secret = await upserting(async () =>
    Secret.findOneAndUpdate(
      { _id: name },
      { $setOnInsert: { value: randomToken() } },
      { upsert: true, returnDocument: 'after' },
    ).lean(),
  );
  return secret.value;
}
