/** Picks the way that mail goes: the server of SMTP_URL, otherwise the folder. */
import type { Logger } from 'pino';
import type { Config } from '../../config.ts';
import type { Mailer } from './mailer.ts';
import { type Outbox, outboxMailer } from './outbox-mailer.ts';
import { smtpMailer } from './smtp-mailer.ts';

/** `outbox` is null when mail leaves by SMTP. */
export function openMailer(
  { mail: { smtpUrl, from, outboxDir }, production }: Config,
  log: Pick<Logger, 'warn'>,
): { mailer: Mailer; outbox: Outbox | null } {
  if (smtpUrl) return { mailer: smtpMailer({ url: smtpUrl, from }), outbox: null };
  if (production) log.warn({ dir: outboxDir }, 'no mail is sent, it is only kept in a folder: SMTP_URL is not set');
  const outbox = outboxMailer({ dir: outboxDir, from });
  return { mailer: outbox, outbox };
}
