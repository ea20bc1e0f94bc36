// Framing of the MongoDB wire protocol: OP_MSG, and OP_QUERY for the first hello of older clients.
// https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER_BYTES = 16;

const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 0x10000;
/** Bits that a receiver must understand; of these only the two above exist. */
const REQUIRED_BITS = 0xffff;

const MAX_MESSAGE_BYTES = 48_000_000;

export interface Message {
  requestId: number;
  opCode: 'query' | 'msg';
  body: Buffer;
  sequences: Map<string, Buffer[]>;
  /** The client does not wait for a reply. */
  moreToCome: boolean;
  /** The client takes further replies without asking for them. */
  exhaustAllowed: boolean;
}

/** The bytes are not the protocol; the connection cannot go on. */
class MalformedMessageError extends Error {
  override name = 'MalformedMessageError';
}

/** The length that a message announces. @throws MalformedMessageError when it cannot be one. */
export function messageLength(buffer: Buffer): number {
  const length = buffer.readInt32LE(0);
  if (length < HEADER_BYTES + 5 || length > MAX_MESSAGE_BYTES)
    throw new MalformedMessageError(`a message of ${length} bytes`);
  return length;
}

/** @throws MalformedMessageError */
export function parseMessage(message: Buffer): Message {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_MSG) return parseMsg(message, requestId);
  if (opCode === OP_QUERY) return parseQuery(message, requestId);
  throw new MalformedMessageError(`unknown opcode ${opCode}`);
}

function parseMsg(message: Buffer, requestId: number): Message {
  const flags = message.readUInt32LE(HEADER_BYTES);
  if (flags & REQUIRED_BITS & ~(CHECKSUM_PRESENT | MORE_TO_COME)) throw new MalformedMessageError('unknown flags');
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  const sequences = new Map<string, Buffer[]>();
  let body: Buffer | undefined;
  let position = HEADER_BYTES + 4;
  while (position < end) {
    const kind = message[position++];
    const section = slice(message, position, end);
    position += section.length;
    if (kind === 0 && !body) body = section;
    else if (kind === 1) addSequence(section, sequences);
    else throw new MalformedMessageError(`unexpected section of kind ${kind}`);
  }
  if (!body) throw new MalformedMessageError('no body');
  const moreToCome = (flags & MORE_TO_COME) !== 0;
  return { requestId, opCode: 'msg', body, sequences, moreToCome, exhaustAllowed: (flags & EXHAUST_ALLOWED) !== 0 };
}

/** The document or section that starts here and begins with its own length. */
function slice(message: Buffer, start: number, end: number): Buffer {
  const length = start + 4 <= end ? message.readInt32LE(start) : 0;
  if (length < 5 || start + length > end) throw new MalformedMessageError('a section has a wrong length');
  return message.subarray(start, start + length);
}

function addSequence(section: Buffer, sequences: Map<string, Buffer[]>): void {
  const nameEnd = section.indexOf(0, 4);
  if (nameEnd < 0) throw new MalformedMessageError('a section has no name');
  const name = section.toString('utf8', 4, nameEnd);
  if (sequences.has(name)) throw new MalformedMessageError(`two sections are called ${name}`);
  const documents: Buffer[] = [];
  for (let position = nameEnd + 1; position < section.length; ) {
    const document = slice(section, position, section.length);
    documents.push(document);
    position += document.length;
  }
  sequences.set(name, documents);
}

function parseQuery(message: Buffer, requestId: number): Message {
  const nameEnd = message.indexOf(0, HEADER_BYTES + 4);
  const name = message.toString('utf8', HEADER_BYTES + 4, nameEnd);
  if (nameEnd < 0 || !name.endsWith('.$cmd')) throw new MalformedMessageError('a query that is not a command');
  return {
    requestId,
    opCode: 'query',
    body: slice(message, nameEnd + 9, message.length),
    sequences: new Map(),
    moreToCome: false,
    exhaustAllowed: false,
  };
}

let lastRequestId = 0;

/** Frames the reply document in the way the request came; the next reply answers this one when there is `moreToCome`. */
export function encodeReply({ requestId, opCode }: Message, document: Buffer, moreToCome = false): Buffer {
  const head = opCode === 'msg' ? HEADER_BYTES + 5 : HEADER_BYTES + 20;
  const reply = Buffer.allocUnsafe(head + document.length).fill(0, HEADER_BYTES, head);
  lastRequestId = (lastRequestId + 1) & 0x7fffffff;
  reply.writeInt32LE(reply.length, 0);
  reply.writeInt32LE(lastRequestId, 4);
  reply.writeInt32LE(requestId, 8);
  reply.writeInt32LE(opCode === 'msg' ? OP_MSG : OP_REPLY, 12);
  if (opCode === 'query') reply.writeInt32LE(1, HEADER_BYTES + 16);
  else if (moreToCome) reply.writeUInt32LE(MORE_TO_COME, HEADER_BYTES);
  document.copy(reply, head);
  return reply;
}

/** The request that a client makes without asking, by having taken this reply. */
export function followUp(message: Message, reply: Buffer): Message {
  return { ...message, requestId: reply.readInt32LE(4) };
}
