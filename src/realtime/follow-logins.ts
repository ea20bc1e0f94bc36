/**
 * Keeps sockets in step with the logins and keys that opened them. When one has ended or may do something else, its
 * sockets are cut, and come back as what they are then: at once for what happens in this process, within some seconds
 * for what another one does. The access token that opened a socket may expire meanwhile: its login counts.
 */
import type { Logger } from 'pino';
import { type Actor, isUser, visitor } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import type { SessionService } from '../services/session.service.ts';
import type { SocketIdentity } from './authenticate-socket.ts';
import type { FeiraServer, FeiraSocket } from './socket-events.ts';

const CHECK_MS = 2000;
const ENDED = 'Your login has ended.';
const CHANGED = 'Your rights have changed.';

interface FollowLoginsDeps {
  bus: EventBus;
  log: Logger;
  sessions: Pick<SessionService, 'actorsOf'>;
  identityOf: SocketIdentity;
}

export function followLogins(io: FeiraServer, { bus, log, sessions, identityOf }: FollowLoginsDeps): void {
  /** Sockets of people and keys; visitors have nothing that could end. */
  const followed = new Set<FeiraSocket>();
  let isTimed = false;

  async function check(sockets: readonly FeiraSocket[]): Promise<void> {
    const logins = sockets.flatMap(({ data }) => (isUser(data.actor) ? [data.actor.sessionId] : []));
    const actors = await sessions.actorsOf([...new Set(logins)]);
    for (const socket of sockets) {
      const { actor } = socket.data;
      if (isUser(actor)) update(socket, actors.get(actor.sessionId));
      else if (actor.kind === 'key') update(socket, await identityOf(socket).catch(undefinedIfRefused));
    }
  }

  function update(socket: FeiraSocket, now: Actor | undefined): void {
    // It may have been cut while the question was on its way.
    if (!followed.has(socket)) return;
    const { actor: before } = socket.data;
    if (!now) cut(socket, ENDED);
    else if (rightsOf(before) !== rightsOf(now)) cut(socket, CHANGED);
    else socket.data.actor = { ...before, ...now };
  }

  function cut(socket: FeiraSocket, reason: string): void {
    if (!followed.delete(socket)) return;
    socket.data.actor = visitor;
    socket.emit('login:changed', { reason });
    // The client sees a lost connection, and comes back by itself.
    socket.conn.close();
  }

  const checkSafely = (sockets: readonly FeiraSocket[]) =>
    check(sockets).catch((error) => log.error({ err: error }, 'the logins of sockets could not be checked'));

  /** Runs while there is a socket to check. */
  function checkLater(): void {
    isTimed = followed.size > 0;
    if (isTimed) setTimeout(() => checkSafely([...followed]).finally(checkLater), CHECK_MS).unref();
  }

  bus.subscribe('session.ended', ({ sessionId }) => {
    for (const socket of followed)
      if (isUser(socket.data.actor) && socket.data.actor.sessionId === sessionId) cut(socket, ENDED);
  });
  bus.subscribe('user.changed', ({ userId }) => {
    void checkSafely([...followed].filter(({ data: { actor } }) => actor.kind === 'key' || actor.id === userId));
  });

  io.on('connection', (socket) => {
    if (socket.data.actor.kind === 'visitor') return;
    followed.add(socket);
    socket.on('disconnect', () => followed.delete(socket));
    if (!isTimed) checkLater();
  });
}

const rightsOf = (actor: Actor) => [isUser(actor) && actor.role, ...actor.permissions].join();

function undefinedIfRefused(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'UNAUTHENTICATED') return undefined;
  throw error;
}
