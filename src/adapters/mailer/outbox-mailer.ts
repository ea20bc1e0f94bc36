/** Mail into a folder: each one as an .eml that any mail program opens, and as the .json that the outbox shows. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import MailComposer from 'nodemailer/lib/mail-composer';
import { composeMail, type Mail, type Mailer, MailFault, type Sender } from './mailer.ts';

const KEPT = 1000;

/** A mail as it was written; `date` in ISO 8601. */
export interface SentMail extends Omit<Mail, 'date'> {
  date: string;
}

/** The mails that were written and are still kept. */
export interface Outbox {
  /** Newest first. */
  list(skip: number, limit: number): Promise<{ items: SentMail[]; total: number }>;
  /** Null when there is none. */
  find(id: string): Promise<SentMail | null>;
  /** The whole mail in the format of RFC 5322; null when there is none. */
  source(id: string): Promise<Buffer | null>;
}

interface OutboxMailerOptions {
  /** Made when the first mail is written; only its owner may read in it. */
  dir: string;
  from: Sender;
  /** The newest so many mails are kept. */
  kept?: number;
}

export function outboxMailer({ dir, from, kept = KEPT }: OutboxMailerOptions): Mailer & Outbox {
  let last: Promise<unknown> = Promise.resolve();
  let stamp = 0;

  const write = async (mail: Mail, composed: ReturnType<typeof composeMail>) => {
    const message = await new MailComposer({ ...composed, newline: 'win' }).compile().build();
    await mkdir(dir, { recursive: true, mode: 0o700 });
    // Never the same twice, so that names sort in the order of writing.
    stamp = Math.max(Date.now(), stamp + 1);
    const name = `${stamp}-${mail.id}`;
    await put(`${name}.eml`, message);
    const record: SentMail = { ...mail, date: composed.date.toISOString() };
    await put(`${name}.json`, JSON.stringify(record));
    const old = (await names()).slice(kept);
    await Promise.all(old.flatMap((each) => EXTENSIONS.map((ending) => rm(join(dir, each + ending), { force: true }))));
  };
  /** Nobody ever sees half a mail. */
  const put = async (name: string, content: Buffer | string) => {
    await writeFile(join(dir, `${name}.new`), content, { mode: 0o600 });
    await rename(join(dir, `${name}.new`), join(dir, name));
  };

  /** Newest first. The .json is written last: where there is one, the mail is whole. */
  const names = async () =>
    (await readdir(dir).catch(noneYet))
      .filter((file) => FILE.test(file))
      .map((file) => file.slice(0, -'.json'.length))
      .sort((a, b) => stampOf(b) - stampOf(a));
  const nameOf = async (id: string) => (await names()).find((name) => name.slice(name.indexOf('-') + 1) === id);
  const read = async (name: string): Promise<SentMail[]> => {
    const text = await readFile(join(dir, `${name}.json`), 'utf8').catch(goneNow);
    return text === null ? [] : parse(text);
  };

  return {
    async send(mail) {
      const composed = composeMail(mail, from);
      const turn = last.then(() => write(mail, composed));
      last = turn.catch(() => {});
      await turn.catch((error: NodeJS.ErrnoException) => {
        throw new MailFault(`The folder takes no mail: ${error.code ?? error.name}`, false);
      });
    },
    close: () => last.then(() => {}),
    async list(skip, limit) {
      const all = await names();
      const items = await Promise.all(all.slice(skip, skip + limit).map(read));
      return { items: items.flat(), total: all.length };
    },
    async find(id) {
      const name = await nameOf(id);
      return name === undefined ? null : ((await read(name))[0] ?? null);
    },
    async source(id) {
      const name = await nameOf(id);
      return name === undefined ? null : readFile(join(dir, `${name}.eml`)).catch(goneNow);
    },
  };
}

const EXTENSIONS = ['.json', '.eml'];
const FILE = /^\d+-[\da-zA-Z-]+\.json$/;
const stampOf = (name: string) => Number.parseInt(name, 10);

/** Nothing is flushed here, so a loss of power may leave an empty file. */
function parse(text: string): SentMail[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

const isMissing = (error: NodeJS.ErrnoException) => error.code === 'ENOENT';

function noneYet(error: NodeJS.ErrnoException): string[] {
  if (isMissing(error)) return [];
  throw error;
}

function goneNow(error: NodeJS.ErrnoException): null {
  if (isMissing(error)) return null;
  throw error;
}
