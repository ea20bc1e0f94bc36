/** Mail through an SMTP server, over a few connections that are kept for some minutes. */
import nodemailer, { type NodemailerError } from 'nodemailer';
import { composeMail, type Mailer, MailFault, type Sender } from './mailer.ts';

const LIMIT_MS = 15_000;

interface SmtpMailerOptions {
  /** smtp:// or smtps://, with user and password where the server wants them. */
  url: string;
  from: Sender;
  /** For the name, the connection, the greeting and each silence; a mail may take twice as long. */
  limitMs?: number;
}

/** A try is one try: who calls decides whether there is another, and the Message-ID stays the same. */
export function smtpMailer({ url, from, limitMs = LIMIT_MS }: SmtpMailerOptions): Mailer {
  const transport = nodemailer.createTransport({
    pool: true,
    url,
    maxRequeues: 0,
    dnsTimeout: limitMs,
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    socketTimeout: limitMs,
    requireTLS: mustEncrypt(url),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send(mail) {
      // The socket's limit is no help against a server that says a byte now and then.
      const signal = AbortSignal.timeout(limitMs * 2);
      await transport.sendMail({ ...composeMail(mail, from), signal }).catch((error: NodemailerError) => {
        throw toMailFault(error);
      });
    },
    async close() {
      transport.close({ force: true });
    },
  };
}

/** A password leaves this machine only encrypted, even if something on the way hides that the server can. */
function mustEncrypt(url: string): boolean {
  const { username, hostname } = new URL(url);
  return username !== '' && !/^(localhost|127\..*|\[::1\])$/.test(hostname);
}

/** Servers repeat the address in what they say, so only the codes are kept. */
function toMailFault({ code, responseCode }: NodemailerError): MailFault {
  const isAboutTheMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  const refused = isAboutTheMail && responseCode !== undefined && responseCode >= 500;
  return new MailFault(`SMTP ${code ?? 'failed'}${responseCode ? ` ${responseCode}` : ''}`, refused);
}
