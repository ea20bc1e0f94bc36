/**
 * The keys of programs. What a key may do is what it was made for, as far as its owner may still do that. Answers of
 * `authenticate` are remembered for five seconds at most.
 */
import { LRUCache } from 'lru-cache';
import { type Actor, authorize, expectUser } from '../actor.ts';
import { inTransaction, isDuplicateKey, upserting } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { ApiKey, type ApiKeyDto, type ApiKeyRecord, toApiKeyDto } from '../models/api-key.model.ts';
import { Passkey } from '../models/passkey.model.ts';
import { User } from '../models/user.model.ts';
import { allPermissions, type Permission, rightsOf } from '../permissions.ts';
import type { CreateApiKey } from '../schemas/api-key.schema.ts';
import { recordStaffWrites } from './audit.service.ts';
import { hashOfToken, randomToken } from './random-token.ts';

/** Nobody's: a person's key may have the same name. */
const CONFIGURED = { name: 'FEIRA_API_KEY', owner: null };
const GENERATED = 'first start';
/** What the key of the configuration and the one of the first start are for. */
const CATALOGUE: Permission[] = ['products:write'];
const REMEMBERED_MS = 5000;
const USE_NOTED_MS = 60_000;
const MAX_KEYS = 50;
const DAY_MS = 24 * 60 * 60 * 1000;

export class ApiKeyService {
  readonly #known = new LRUCache<string, Actor>({ max: 1000, ttl: REMEMBERED_MS });

  readonly #staffNeedTwoStep: boolean;

  /** @param deps `staffNeedTwoStep`: whether the keys of staff without a second factor do nothing */
  constructor({ bus, staffNeedTwoStep }: { bus: EventBus; staffNeedTwoStep: boolean }) {
    this.#staffNeedTwoStep = staffNeedTwoStep;
    bus.subscribe('user.changed', () => this.#known.clear());
  }

  /**
   * Makes sure that there is a key. The configured one replaces the one that was configured before; with none
   * configured and none stored, one is made.
   * @param owner of a key that is made, null for nobody
   * @returns the key that was made just now, to be shown once; null when there was nothing to make.
   */
  async ensureKey(configured: string | undefined, owner: string | null = null): Promise<string | null> {
    if (configured) {
      const hash = hashOfToken(configured);
      const update = { $set: { hash, permissions: CATALOGUE } };
      await ApiKey.deleteMany({ hash, $nor: [CONFIGURED] });
      await upserting(async () => ApiKey.updateOne(CONFIGURED, update, { upsert: true }));
      return null;
    }
    await ApiKey.deleteOne(CONFIGURED);
    if (await ApiKey.exists({})) return null;
    const key = newKey();
    try {
      await ApiKey.create({ name: GENERATED, hash: hashOfToken(key), permissions: CATALOGUE, owner });
    } catch (error) {
      // Another process that started at the same moment has made and shown one.
      if (isDuplicateKey(error)) return null;
      throw error;
    }
    return key;
  }

  /** @returns the caller whom this key belongs to, or null. */
  async authenticate(key: string): Promise<Actor | null> {
    const hash = hashOfToken(key);
    const known = this.#known.get(hash);
    if (known) return known;
    const doc = await ApiKey.findOne({ hash }).lean();
    if (!doc || (doc.expiresAt && doc.expiresAt <= new Date())) return null;
    const rights = await this.#rightsOf(doc);
    if (!rights) return null;
    if (Date.now() - (doc.lastUsedAt?.getTime() ?? 0) > USE_NOTED_MS)
      await ApiKey.updateOne({ _id: doc._id }, { lastUsedAt: new Date() });
    const actor: Actor = { kind: 'key', id: doc._id.toHexString(), ...rights };
    this.#known.set(hash, actor);
    return actor;
  }

  /** The person's own keys, the newest first; all of them for whoever manages accounts. */
  async list(actor: Actor): Promise<ApiKeyDto[]> {
    const docs = await ApiKey.find(mine(actor)).sort({ _id: -1 }).limit(1000).lean();
    return docs.map(toApiKeyDto);
  }

  /**
   * Makes a key, which is told this once.
   * @throws AppError FORBIDDEN for permissions that the person does not have, NAME_TAKEN, LIMIT_REACHED
   */
  async create(actor: Actor, { name, permissions, days }: CreateApiKey): Promise<{ apiKey: ApiKeyDto; key: string }> {
    const { id } = expectUser(actor);
    authorize(actor, 'keys:write');
    for (const permission of permissions) authorize(actor, permission);
    if ((await ApiKey.countDocuments({ owner: id })) >= MAX_KEYS)
      throw new AppError('LIMIT_REACHED', `One person has at most ${MAX_KEYS} keys.`, { limit: MAX_KEYS });
    const key = newKey();
    const fields = { name, hash: hashOfToken(key), owner: id, permissions };
    const expiresAt = new Date(Date.now() + days * DAY_MS);
    try {
      return await inTransaction(async (session) => {
        const [doc] = await ApiKey.create([{ ...fields, expiresAt }], { session });
        if (!doc) throw new Error('The database returned no key.');
        const apiKey = toApiKeyDto(doc.toObject());
        const write = { action: 'api-key.created', targetId: apiKey.id, before: null, after: apiKey };
        await recordStaffWrites(actor, [write], session);
        return { apiKey, key };
      });
    } catch (error) {
      if (isDuplicateKey(error)) throw new AppError('NAME_TAKEN', 'You have a key with this name already.');
      throw error;
    }
  }

  /** The key is worth nothing from now on. @throws AppError NOT_FOUND */
  async remove(actor: Actor, id: string): Promise<void> {
    await inTransaction(async (session) => {
      const doc = await ApiKey.findOneAndDelete({ ...mine(actor), _id: id }, { session }).lean();
      if (!doc) throw new AppError('NOT_FOUND', 'You have no key with this id.');
      const write = { action: 'api-key.deleted', targetId: id, before: toApiKeyDto(doc), after: null };
      await recordStaffWrites(actor, [write], session);
    });
    this.#known.clear();
  }

  /** Null when the owner can do nothing any more. */
  async #rightsOf({ owner, permissions }: ApiKeyRecord): Promise<Pick<Actor, 'permissions' | 'needsTwoStep'> | null> {
    if (!owner) return { permissions: permissionsIn(permissions, allPermissions) };
    const user = await User.findOne({ _id: owner, disabledAt: null }, { role: 1, twoFactor: 1 }).lean();
    if (!user) return null;
    const staffNeedTwoStep = this.#staffNeedTwoStep;
    const passkey = staffNeedTwoStep ? await Passkey.exists({ user: owner }) : null;
    const rights = rightsOf({ ...user, passkey }, { staffNeedTwoStep });
    return { ...rights, permissions: permissionsIn(permissions, rights.permissions) };
  }
}

const newKey = () => `feira_${randomToken()}`;

/** Ownership is part of the query. @throws AppError UNAUTHENTICATED, FORBIDDEN */
function mine(actor: Actor): { owner?: string } {
  const { id } = expectUser(actor);
  authorize(actor, 'keys:write');
  return actor.permissions.includes('users:write') ? {} : { owner: id };
}

const permissionsIn = (wanted: readonly string[], allowed: readonly Permission[]) =>
  allowed.filter((permission) => wanted.includes(permission));
