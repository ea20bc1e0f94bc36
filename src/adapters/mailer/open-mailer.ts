/** Picks the way that mail goes: the server of SMTP_URL, otherwise the folder. */
import type { Config } from '../../config.ts';
import type { Mailer } from './mailer.ts';
import { type Outbox, outboxMailer } from './outbox-mailer.ts';
import { smtpMailer } from './smtp-mailer.ts';

/** `outbox` is null when mail leaves by SMTP. */
export function openMailer({ smtpUrl, from, outboxDir }: Config['mail']): { mailer: Mailer; outbox: Outbox | null } {
  if (smtpUrl) return { mailer: smtpMailer({ url: smtpUrl, from }), outbox: null };
  const outbox = outboxMailer({ dir: outboxDir, from });
  return { mailer: outbox, outbox };
}
