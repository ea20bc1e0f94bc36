/** People's own pictures: small, made here from what they have sent, and gone as soon as nobody is to see them. */
import { randomBytes } from 'node:crypto';
import { type Actor, expectUser } from '../actor.ts';
import type { FileStorage } from '../adapters/storage/file-storage.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { toUserDto, User, type UserDto } from '../models/user.model.ts';
import { encodePicture } from './picture-encoder.ts';

const FOLDER = 'avatars';

interface AvatarServiceDeps {
  bus: EventBus;
  storage: FileStorage;
}

export class AvatarService {
  readonly #bus: EventBus;
  readonly #storage: FileStorage;

  constructor({ bus, storage }: AvatarServiceDeps) {
    this.#bus = bus;
    this.#storage = storage;
  }

  /**
   * Gives the person this picture instead of the one they had.
   * @param source path of the file as it was sent; what is made of it on the way lies next to it.
   * @throws AppError UNSUPPORTED_MEDIA_TYPE, UNREADABLE_PICTURE, VERSION_MISMATCH
   */
  async set(actor: Actor, source: string, ifVersion?: number): Promise<UserDto> {
    const { id } = expectUser(actor);
    const { thumbnail } = await encodePicture(source);
    const name = `${FOLDER}/${randomBytes(16).toString('hex')}.webp`;
    await this.#storage.put(name, thumbnail);
    try {
      return await this.#replace(id, this.#storage.url(name), ifVersion);
    } catch (error) {
      // Only a refusal is certain. After a lost connection the account may have it: better a file too many.
      if (error instanceof AppError) await this.#storage.remove(name);
      throw error;
    }
  }

  /** @throws AppError VERSION_MISMATCH */
  async remove(actor: Actor, ifVersion?: number): Promise<UserDto> {
    return this.#replace(expectUser(actor).id, null, ifVersion);
  }

  /** Removes the file of an avatar that no account has any more. */
  async discard(avatar: string | null): Promise<void> {
    if (avatar !== null) await this.#storage.remove(`${FOLDER}/${avatar.slice(avatar.lastIndexOf('/') + 1)}`);
  }

  async #replace(id: string, avatar: string | null, ifVersion?: number): Promise<UserDto> {
    // Of two at once, each gets the one before it, so that every file but the last is removed.
    const updatedAt = new Date();
    const before = await User.findOneAndUpdate(
      { _id: id, ...(ifVersion !== undefined && { version: ifVersion }) },
      { $set: { avatar, updatedAt }, $inc: { version: 1 } },
      { returnDocument: 'before', timestamps: false },
    ).lean();
    if (!before) throw new AppError('VERSION_MISMATCH', 'Your account has changed since you read it.');
    this.#bus.publish('user.changed', { userId: id });
    await this.discard(before.avatar ?? null);
    return toUserDto({ ...before, avatar, version: before.version + 1, updatedAt });
  }
}
