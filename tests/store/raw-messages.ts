// Messages as they are, also those that no driver sends.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

const OP_MSG = 2013;
const HEADER_BYTES = 16;

/** An OP_MSG: flags and a command, followed by the bytes of further sections. */
export function message(
  command: Document,
  { flags = 0, sections = Buffer.alloc(0) }: { flags?: number; sections?: Uint8Array } = {},
): Buffer {
  const head = Buffer.alloc(HEADER_BYTES + 5);
  const body = BSON.serialize(command);
  head.writeInt32LE(head.length + body.length + sections.length, 0);
  head.writeInt32LE(OP_MSG, 12);
  head.writeUInt32LE(flags, HEADER_BYTES);
  return Buffer.concat([head, body, sections]);
}

/** A section of an OP_MSG: a document sequence. */
export function sequence(name: string, documents: readonly Uint8Array[]): Buffer {
  const section = Buffer.concat([Buffer.alloc(5), Buffer.from(`${name}\0`), ...documents]);
  section.writeInt8(1);
  section.writeInt32LE(section.length - 1, 1);
  return section;
}

export async function openSocket(uri: string): Promise<Socket> {
  const socket = connect(Number(new URL(uri).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** The reply to a message, on a connection of its own. */
export async function replyTo(uri: string, bytes: Buffer): Promise<Document> {
  const socket = await openSocket(uri);
  socket.write(bytes);
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 4 && received.length >= received.readInt32LE(0)) break;
  }
  socket.destroy();
  return BSON.deserialize(received.subarray(HEADER_BYTES + 5));
}
