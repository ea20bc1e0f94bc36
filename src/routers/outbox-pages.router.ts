/** /dev/outbox: the mails that a shop without a mail server has written, for whoever develops it. */
import { type Response, Router } from 'express';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { localOnly } from '../middleware/local-only.ts';
import { readPageQuery } from '../schemas/shop.schema.ts';
import type { MailService, Outbox } from '../services/mail.service.ts';
import { pageLinks } from './page-links.ts';

interface OutboxPagesRouterDeps {
  config: Pick<Config, 'production' | 'http'>;
  mail: Pick<MailService, 'outbox'>;
}

const LIMIT = 20;

/** The mail may do nothing but look as it does; its links open outside of the frame. */
const MAIL_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "frame-ancestors 'self'",
  'sandbox allow-popups allow-popups-to-escape-sandbox',
].join('; ');

export function outboxPagesRouter({ config, mail }: OutboxPagesRouterDeps): Router {
  const router = Router();
  const local = localOnly(config);

  router.get('/dev/outbox', local, async (req, res) => {
    const { page } = readPageQuery(req.query).query;
    const { items, total } = (await mail.outbox?.list((page - 1) * LIMIT, LIMIT)) ?? { items: [], total: 0 };
    const pages = Math.ceil(total / LIMIT);
    renderPrivate(res.status(page > Math.max(pages, 1) ? 404 : 200), 'pages/outbox/index', {
      title: 'Outbox',
      bySmtp: mail.outbox === null,
      mails: items,
      total,
      links: pageLinks(page, pages, (number) => `/dev/outbox?page=${number}`),
    });
  });

  router.get('/dev/outbox/:id', local, async (req, res) => {
    const found = orNotFound(await mail.outbox?.find(String(req.params.id)));
    res.setHeader('Content-Security-Policy', `${res.getHeader('Content-Security-Policy')};frame-src 'self'`);
    renderPrivate(res, 'pages/outbox/show', { title: found.subject, mail: found, spans: withLinks(found.text) });
  });

  router.get('/dev/outbox/:id/html', local, async (req, res) => {
    const { html } = orNotFound(await mail.outbox?.find(String(req.params.id)));
    res.setHeader('Content-Security-Policy', MAIL_POLICY).setHeader('Cache-Control', 'private, no-store');
    res.type('html').send(html);
  });

  router.get('/dev/outbox/:id/source', local, async (req, res) => {
    const id = String(req.params.id);
    const source = orNotFound(await mail.outbox?.source(id));
    res.setHeader('Cache-Control', 'private, no-store');
    res.attachment(`${id}.eml`).type('message/rfc822').send(source);
  });

  return router;
}

function renderPrivate(res: Response, view: string, model: object): void {
  res.setHeader('Cache-Control', 'private, no-store');
  res.render(view, { styles: ['outbox'], ...model });
}

type Found = Awaited<ReturnType<Outbox['find']>>;

/** @throws AppError NOT_FOUND */
function orNotFound<T extends Found | Buffer>(found: T | null | undefined): T {
  if (found) return found;
  throw new AppError('NOT_FOUND', 'There is no such mail, or not any more.');
}

/** The text in spans; those with an address are links. */
function withLinks(text: string): { text: string; href?: string }[] {
  return text.split(/(https?:\/\/\S+)/).map((span, i) => (i % 2 === 1 ? { text: span, href: span } : { text: span }));
}
