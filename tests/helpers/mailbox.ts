/** What a Feira has written to somebody: the mails in its outbox, and the link or code in them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SentMail } from '../../src/services/mail.service.ts';
import { eventually } from './wait-for.ts';

interface HasOutbox {
  config: { mail: { outboxDir: string } };
}

const handedOut = new Set<string>();

/**
 * The next mail to this address: the oldest that was not handed out yet. Waits for it.
 * @throws Error when there is none within some seconds
 */
export async function nextMail({ config }: HasOutbox, to: string) {
  let mail: SentMail | undefined;
  await eventually(async () => {
    mail = (await mailsTo(config.mail.outboxDir, to)).find(({ id }) => !handedOut.has(id));
    return mail !== undefined;
  }).catch(() => {
    throw new Error(`No mail to ${to} came.`);
  });
  handedOut.add(mail!.id);
  return readable(mail!);
}

/** All mails to this address so far, oldest first, without waiting. */
export async function mailsTo(outboxDir: string, to: string): Promise<SentMail[]> {
  const files = (await readdir(outboxDir).catch(() => [])).filter((file) => file.endsWith('.json')).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(outboxDir, file), 'utf8')));
  return texts.map((text): SentMail => JSON.parse(text)).filter((mail) => mail.to === to);
}

/** The mail with what a person would take out of it. */
function readable(mail: SentMail) {
  const found = (what: string, match: string | undefined) => {
    if (match === undefined) throw new Error(`There is no ${what} in the mail "${mail.subject}".`);
    return match;
  };
  return {
    ...mail,
    /** The first address in the text. */
    get link(): string {
      return found('link', /https?:\/\/\S+/.exec(mail.text)?.[0]);
    },
    /** The `token` of the link. */
    get token(): string {
      return found('token', new URL(this.link).searchParams.get('token') ?? undefined);
    },
    /** The code on a line of its own. */
    get code(): string {
      return found('code', /^ +(\S+)$/m.exec(mail.text)?.[1]);
    },
  };
}
