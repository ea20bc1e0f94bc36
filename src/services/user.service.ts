/** People with an account: what they see and change of themselves. */
import { type Actor, expectUser } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { toUserDto, User, type UserDto } from '../models/user.model.ts';
import type { EditUser } from '../schemas/user.schema.ts';

export type { UserDto };

interface UserServiceDeps {
  bus: EventBus;
}

export class UserService {
  readonly #bus: EventBus;

  constructor({ bus }: UserServiceDeps) {
    this.#bus = bus;
  }

  /** The account of the person who asks. @throws AppError UNAUTHENTICATED, FORBIDDEN for a key */
  async profile(actor: Actor): Promise<UserDto> {
    const user = await User.findById(expectUser(actor).id).lean();
    if (!user) throw new AppError('NOT_FOUND', 'The account has been erased.');
    return toUserDto(user);
  }

  /** @throws AppError VERSION_MISMATCH */
  async edit(actor: Actor, input: EditUser, ifVersion?: number): Promise<UserDto> {
    const { id } = expectUser(actor);
    const user = await User.findOneAndUpdate(
      { _id: id, ...(ifVersion !== undefined && { version: ifVersion }) },
      { $set: input, $inc: { version: 1 } },
      { returnDocument: 'after' },
    ).lean();
    if (!user) throw new AppError('VERSION_MISMATCH', 'Your account has changed since you read it.');
    this.#bus.publish('user.changed', { userId: id });
    return toUserDto(user);
  }
}
