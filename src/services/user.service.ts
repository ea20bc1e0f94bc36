/** People with an account: what they see and change of themselves, and what staff see and change of them. */
import type { ClientSession } from 'mongoose';
import { type Actor, authorize, expectUser } from '../actor.ts';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { toUserDto, User, type UserDto } from '../models/user.model.ts';
import { permissionsOf } from '../permissions.ts';
import type { Page } from '../schemas/common.schema.ts';
import type { EditUser, ListUsers, ManageUser } from '../schemas/user.schema.ts';
import { recordStaffWrites } from './audit.service.ts';
import { expectVersion } from './expect-version.ts';
import { expireLogins } from './expire-logins.ts';
import { keepingAnAdmin } from './keep-an-admin.ts';
import { hashNewPassword } from './passwords.ts';
import { randomToken } from './random-token.ts';
import type { SessionService } from './session.service.ts';

export type { UserDto };

interface UserServiceDeps {
  bus: EventBus;
  sessions: Pick<SessionService, 'endAll'>;
}

const FIRST_ADMIN = 'admin@feira.example';

export class UserService {
  readonly #bus: EventBus;
  readonly #sessions: Pick<SessionService, 'endAll'>;

  constructor({ bus, sessions }: UserServiceDeps) {
    this.#bus = bus;
    this.#sessions = sessions;
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

  /** People by name and address, the newest first. @throws AppError UNAUTHENTICATED, FORBIDDEN */
  async list(actor: Actor, { page, limit, role, disabled, q }: ListUsers): Promise<Page<UserDto>> {
    authorize(actor, 'users:read');
    const filter = {
      ...(role && { role }),
      ...(disabled !== undefined && { disabledAt: disabled ? { $ne: null } : null }),
      ...(q && { emailKey: { $gte: emailKeyOf(q), $lt: `${emailKeyOf(q)}\uffff` } }),
    };
    const [docs, total] = await Promise.all([
      User.find(filter)
        .sort({ _id: -1 })
        .skip((page - 1) * limit)
        .limit(limit)
        .lean(),
      User.countDocuments(filter),
    ]);
    return { items: docs.map(toUserDto), total, page, limit, pages: Math.ceil(total / limit) };
  }

  /** @throws AppError UNAUTHENTICATED, FORBIDDEN, NOT_FOUND */
  async get(actor: Actor, id: string): Promise<UserDto> {
    authorize(actor, 'users:read');
    const user = await User.findById(id).lean();
    if (!user) throw notFound();
    return toUserDto(user);
  }

  /**
   * Changes a role, or disables an account, which ends its logins. Nobody gives a role that may do more than they may.
   * @throws AppError UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VERSION_MISMATCH, LAST_ADMIN
   */
  async manage(actor: Actor, id: string, { role, disabled }: ManageUser, ifVersion?: number): Promise<UserDto> {
    authorize(actor, 'users:write');
    for (const permission of role ? permissionsOf[role] : []) authorize(actor, permission);
    const change = async (session: ClientSession) => {
      const user = await User.findById(id).session(session);
      if (!user) throw notFound();
      expectVersion('account', user.version, ifVersion);
      const before = toUserDto(user.toObject());
      user.set({
        ...(role && { role }),
        ...(disabled !== undefined && { disabledAt: disabled ? (user.disabledAt ?? new Date()) : null }),
        version: user.version + 1,
      });
      return { before, after: toUserDto((await user.save({ session })).toObject()) };
    };
    const after = await inTransaction(async (session) => {
      const { before, after } = await keepingAnAdmin(session, () => change(session));
      if (after.disabled) await expireLogins(session, { user: id });
      await recordStaffWrites(actor, [{ action: 'user.managed', targetId: id, before, after }], session);
      return after;
    });
    this.#bus.publish('user.changed', { userId: id });
    if (after.disabled) await this.#sessions.endAll({ user: id });
    return after;
  }

  /**
   * Makes the first admin of a shop that has none.
   * @param given address and password of the configuration; what is missing is made up
   * @returns the admin and the password that was made up, to be shown once; null when there was nothing to make
   */
  async ensureAdmin(given: { email?: string | undefined; password?: string | undefined }): Promise<NewAdmin | null> {
    if (await User.exists({ role: 'admin' })) return null;
    const email = given.email ?? FIRST_ADMIN;
    const password = given.password ?? randomToken().slice(0, 20);
    const fields = { email, emailKey: emailKeyOf(email), name: 'Admin', role: 'admin' as const };
    try {
      const { _id } = await User.create({ ...fields, passwordHash: await hashNewPassword(password) });
      return { id: _id.toHexString(), email, password: given.password ? null : password };
    } catch (error) {
      // Another process that started at the same moment has made and shown one.
      if (isDuplicateKey(error)) return null;
      throw error;
    }
  }
}

/** `password` is null when it is known from the configuration. */
export interface NewAdmin {
  id: string;
  email: string;
  password: string | null;
}

const notFound = () => new AppError('NOT_FOUND', 'There is no account with this id.');
