/** A real SMTP server in the process of the test, which keeps what it is given. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  from: string;
  to: string[];
  /** Who had logged in. */
  user: unknown;
  raw: string;
}

interface SmtpOptions extends SMTPServerOptions {
  /** Called with each mail before it is taken; what it throws is the server's answer. */
  beforeTaking?: (mail: ReceivedMail) => void | Promise<void>;
}

/** An Error that the server answers with this code. */
export const refusal = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });

export async function startSmtp({ beforeTaking, ...options }: SmtpOptions = {}, onPort = 0) {
  const mails: ReceivedMail[] = [];
  const take = async (stream: Readable, session: { envelope: Envelope; user?: unknown }) => {
    const { mailFrom, rcptTo } = session.envelope;
    const mail = {
      from: mailFrom ? mailFrom.address : '',
      to: rcptTo.map(({ address }) => address),
      user: session.user,
      raw: await text(stream),
    };
    await beforeTaking?.(mail);
    mails.push(mail);
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 1,
    // No warning that the server's own certificate is only for tests.
    logger: false,
    onData: (stream, session, done) => void take(stream, session).then(() => done(), done),
    ...options,
  });
  // A client that hangs up in the middle is no fault of the server.
  server.on('error', () => {});
  await once(server.listen(onPort, '127.0.0.1'), 'listening');
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    url: `smtp://127.0.0.1:${port}`,
    /** What was taken. */
    mails,
    stop: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

interface Envelope {
  mailFrom: { address: string } | false;
  rcptTo: { address: string }[];
}

/** A server that speaks no SMTP: `talk` gets each connection. */
export async function startListener(talk: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    talk(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
