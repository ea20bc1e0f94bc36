import type { Socket } from 'node:net';
import { encodeReply, type Message, messageLength, parseMessage } from './message.ts';

/** Answers one message; the reply document. Rejects only when the connection cannot go on. */
export type Answer = (message: Message) => Promise<Buffer>;

/** Cuts the bytes of one client into messages and answers them in their order. Bad bytes end this connection alone. */
export function serveConnection(socket: Socket, answer: Answer, onMalformed: (error: unknown) => void): void {
  let pending: Buffer[] = [];
  let size = 0;
  const waiting: Message[] = [];
  let answering = false;

  const answerAll = async (): Promise<void> => {
    answering = true;
    try {
      for (let message = waiting.shift(); message; message = waiting.shift()) await reply(message);
    } catch (error) {
      fail(error);
    } finally {
      answering = false;
    }
  };

  const reply = async (message: Message): Promise<void> => {
    if (socket.destroyed) return;
    const document = await answer(message);
    if (message.moreToCome || socket.destroyed) return;
    if (!socket.write(encodeReply(message, document))) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  };

  const fail = (error: unknown): void => {
    onMalformed(error);
    socket.destroy();
  };

  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending.push(chunk);
    size += chunk.length;
    try {
      while (size >= 4) {
        const first = pending[0];
        const buffer = pending.length === 1 && first ? first : Buffer.concat(pending);
        pending = [buffer];
        const length = messageLength(buffer);
        if (size < length) break;
        const message = parseMessage(buffer.subarray(0, length));
        pending = size > length ? [buffer.subarray(length)] : [];
        size -= length;
        waiting.push(message);
      }
      if (!answering) void answerAll();
    } catch (error) {
      fail(error);
    }
  });
}
