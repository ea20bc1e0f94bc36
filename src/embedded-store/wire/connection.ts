import type { Socket } from 'node:net';
import { encodeReply, followUp, type Message, messageLength, parseMessage } from './message.ts';

export interface Reply {
  document: Buffer;
  /** The same is answered again, and again, until the client has gone. */
  moreToCome: boolean;
}

/** Answers one message. Rejects only when the connection cannot go on. */
export type Answer = (message: Message) => Promise<Reply>;

/**
 * Cuts the bytes of one client into messages and answers them in their order. Bad bytes end this connection alone. It reads
 * on when it has answered and the client has taken the reply: what waits in either direction is one message. What came
 * before the end of the stream is answered too; the socket must allow to be half open.
 */
export function serveConnection(socket: Socket, answer: Answer, onMalformed: (error: unknown) => void): void {
  let pending: Buffer[] = [];
  let size = 0;
  let answering = false;
  let ended = false;

  /** The next message, when all of it is here. */
  const next = (): Message | undefined => {
    if (size < 4) return undefined;
    if (pending[0] && pending[0].length < 4) pending = [Buffer.concat(pending)];
    const [first] = pending;
    const length = first ? messageLength(first) : 0;
    if (!first || size < length) return undefined;
    const buffer = pending.length === 1 ? first : Buffer.concat(pending);
    pending = size > length ? [buffer.subarray(length)] : [];
    size -= length;
    return parseMessage(buffer.subarray(0, length));
  };

  const answerAll = async (): Promise<void> => {
    answering = true;
    try {
      for (let message = next(); message && !socket.destroyed; message = next()) await reply(message);
    } catch (error) {
      onMalformed(error);
      socket.destroy();
    }
    answering = false;
    if (ended) socket.end();
    else socket.resume();
  };

  const reply = async (message: Message): Promise<void> => {
    for (let request: Message | null = message; request; ) {
      const { document, moreToCome } = await answer(request);
      if (message.moreToCome || socket.destroyed) return;
      const goesOn = moreToCome && !ended;
      const bytes = encodeReply(request, document, goesOn);
      if (!socket.write(bytes)) await drained(socket);
      request = goesOn ? followUp(request, bytes) : null;
    }
  };

  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending.push(chunk);
    size += chunk.length;
    if (answering) socket.pause();
    else void answerAll();
  });
  socket.on('end', () => {
    ended = true;
    if (!answering) socket.end();
  });
}

/** Resolves when the client has taken what was written, or is gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle);
      resolve();
    };
    socket.once('drain', settle).once('close', settle);
  });
}
