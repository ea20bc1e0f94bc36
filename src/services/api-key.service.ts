/** The keys of programs that write. Each answer of `authenticate` is remembered for a short time. */
import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../actor.ts';
import { isDuplicateKey, upserting } from '../database/transaction.ts';
import { ApiKey } from '../models/api-key.model.ts';

const CONFIGURED = 'FEIRA_API_KEY';
const GENERATED = 'first start';
const REMEMBERED_MS = 5000;

export class ApiKeyService {
  readonly #known = new LRUCache<string, Actor>({ max: 1000, ttl: REMEMBERED_MS });

  /**
   * Makes sure that there is a key. The configured one replaces the one that was configured before; with none
   * configured and none stored, one is made.
   * @returns the key that was made just now, to be shown once; null when there was nothing to make.
   */
  async ensureKey(configured: string | undefined): Promise<string | null> {
    if (configured) {
      const hash = hashOf(configured);
      await ApiKey.deleteMany({ hash, name: { $ne: CONFIGURED } });
      await upserting(async () => ApiKey.updateOne({ name: CONFIGURED }, { hash }, { upsert: true }));
      return null;
    }
    await ApiKey.deleteOne({ name: CONFIGURED });
    if (await ApiKey.exists({})) return null;
    const key = `feira_${randomBytes(24).toString('base64url')}`;
    try {
      await ApiKey.create({ name: GENERATED, hash: hashOf(key) });
    } catch (error) {
      // Another process that started at the same moment has made and shown one.
      if (isDuplicateKey(error)) return null;
      throw error;
    }
    return key;
  }

  /** @returns the caller whom this key belongs to, or null. */
  async authenticate(key: string): Promise<Actor | null> {
    const hash = hashOf(key);
    const known = this.#known.get(hash);
    if (known) return known;
    const doc = await ApiKey.findOne({ hash }).lean();
    if (!doc) return null;
    const actor: Actor = { kind: 'key', id: doc._id.toHexString(), permissions: ['products:write'] };
    this.#known.set(hash, actor);
    return actor;
  }
}

const hashOf = (key: string) => createHash('sha256').update(key).digest('base64url');
