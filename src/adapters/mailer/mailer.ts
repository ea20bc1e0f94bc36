/** How mail leaves the shop. Nothing outside this room knows whether it goes to a server or into a folder. */

export interface Mail {
  /** Letters, digits and `-`: names the mail's file, and makes the Message-ID the same at each try. */
  id: string;
  /** One plain address, nothing beside it. */
  to: string;
  /** One line. */
  subject: string;
  text: string;
  html: string;
  /** When it was written; now when left out. */
  date?: Date;
}

export interface Mailer {
  /** Resolves when the mail is in other hands, at the latest after a time limit. @throws MailFault */
  send(mail: Mail): Promise<void>;
  /** Ends what is still being sent. */
  close(): Promise<void>;
}

/** Who the shop's mail is from. */
export interface Sender {
  name: string;
  address: string;
}

/** A mail that did not leave. The message holds no address and no text of the mail, so that it may be logged. */
export class MailFault extends Error {
  override name = 'MailFault';
  /** True when the same mail would be refused again. */
  readonly permanent: boolean;

  constructor(message: string, permanent: boolean) {
    super(message);
    this.permanent = permanent;
  }
}

const ID = /^[\da-z-]{1,64}$/i;
/** Narrower than the standards: nothing that any parser could read as two addresses, or as a name and an address. */
const ADDRESS = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\da-z]([\da-z-]*[\da-z])?(\.[\da-z]([\da-z-]*[\da-z])?)*$/i;
const MAX_ADDRESS = 254;
const SUBJECT = /^[^\p{Cc}\u2028\u2029]{1,200}$/u;

/** What nodemailer gets: addresses as objects, so that it parses none. @throws MailFault for what is no proper mail */
export function composeMail({ id, to, subject, text, html, date = new Date() }: Mail, from: Sender) {
  if (!ID.test(id)) throw new MailFault('The id is not well-formed.', true);
  if (to.length > MAX_ADDRESS || !ADDRESS.test(to)) throw new MailFault('The address is not one plain address.', true);
  if (!SUBJECT.test(subject)) throw new MailFault('The subject is not one line.', true);
  return {
    from,
    to: { name: '', address: to },
    envelope: { from: from.address, to: [to] },
    messageId: `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`,
    subject,
    text,
    html,
    date,
    // No program answers an automatic mail with an absence notice (RFC 3834).
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
