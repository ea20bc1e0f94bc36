/**
 * Mail to people. It is rendered and sent behind the request that wants it, which it neither slows down nor breaks; what
 * does not leave is tried again, for some minutes. What waits is kept in memory: it is lost with the process.
 */
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { type Mailer, MailFault } from '../adapters/mailer/mailer.ts';
import type { Outbox, SentMail } from '../adapters/mailer/outbox-mailer.ts';
import type { MailContent, RenderMail } from './mail-templates.ts';

export type { MailData, MailTemplate, TwoFactorChange } from './mail-templates.ts';
export type { Outbox, SentMail };

/** A mail that is wanted: its template decides what `data` must hold. */
export type MailOrder = MailContent & {
  /** One plain address that the shop has validated. */
  to: string;
};

const AT_ONCE = 4;
const MAX_WAITING = 1000;
const RETRY_AFTER_MS = [1000, 5000, 30_000, 120_000];
const STOP_LIMIT_MS = 3000;

interface MailServiceDeps {
  mailer: Mailer;
  /** Where the mails are kept that were not sent by SMTP; null when they are. */
  outbox: Outbox | null;
  render: RenderMail;
  log: Pick<Logger, 'error'>;
  /** How long to wait before each try after the first. */
  retryAfterMs?: readonly number[];
}

export class MailService {
  readonly outbox: Outbox | null;
  readonly #mailer: Mailer;
  readonly #render: RenderMail;
  readonly #log: Pick<Logger, 'error'>;
  readonly #retryAfterMs: readonly number[];
  readonly #limit = pLimit(AT_ONCE);
  readonly #waiting = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor({ mailer, outbox, render, log, retryAfterMs = RETRY_AFTER_MS }: MailServiceDeps) {
    this.outbox = outbox;
    this.#mailer = mailer;
    this.#render = render;
    this.#log = log;
    this.#retryAfterMs = retryAfterMs;
    setMaxListeners(MAX_WAITING, this.#stopping.signal);
  }

  /** Returns at once and never throws. To be called after the commit of what the mail tells of. */
  send(order: MailOrder): void {
    const id = randomBytes(16).toString('hex');
    if (this.#waiting.size >= MAX_WAITING || this.#stopping.signal.aborted) {
      this.#log.error({ mail: id, template: order.template }, 'a mail was given up: too many are waiting');
      return;
    }
    const work = this.#deliver(id, order)
      .catch((error) => this.#report(error, id, order, 'a mail was given up'))
      .finally(() => this.#waiting.delete(work));
    this.#waiting.add(work);
  }

  /**
   * Sends it now, once; the same `id` is the same mail. What would be refused again is logged and counts as done.
   * @throws MailFault when it is to be tried again
   */
  async deliver(id: string, date: Date, order: MailOrder): Promise<void> {
    try {
      await this.#limit(() => this.#mailer.send({ id, to: order.to, date, ...this.#render(order) }));
    } catch (error) {
      if (!(error instanceof MailFault && error.permanent)) throw error;
      this.#report(error, id, order, 'a mail was given up');
    }
  }

  /** Ends within some seconds: what waits for its next try is tried once more, now. Safe to call again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const limit = new AbortController();
    await Promise.race([
      Promise.all(this.#waiting),
      delay(STOP_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => {}),
    ]);
    limit.abort();
    await this.#mailer.close();
  }

  async #deliver(id: string, order: MailOrder): Promise<void> {
    const date = new Date();
    await nextTurn();
    const send = () => this.#limit(() => this.#mailer.send({ id, to: order.to, date, ...this.#render(order) }));
    for (const wait of this.#retryAfterMs) {
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof MailFault) || error.permanent || this.#stopping.signal.aborted) throw error;
        this.#report(error, id, order, 'a mail did not leave, and will be tried again');
      }
      await delay(wait, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
    await send();
  }

  /** Without the address, the text and the data: links in them open accounts. */
  #report(error: unknown, mail: string, { template, locale }: MailOrder, message: string): void {
    const reason = error instanceof MailFault ? { reason: error.message } : { err: error };
    this.#log.error({ mail, template, locale, ...reason }, message);
  }
}
