/** RFC 8288 links to the other pages of a list. */
import type { Request, Response } from 'express';
import type { Page } from '../schemas/common.schema.ts';

/** Sets `Link` with first, prev, next and last, as far as they exist; the other parameters stay. */
export function setPageLinks(req: Request, res: Response, { page, pages }: Page<unknown>): void {
  const [path, search] = req.originalUrl.split('?', 2);
  const link = (target: number, rel: string) => {
    const params = new URLSearchParams(search);
    params.set('page', String(target));
    return `<${path}?${params}>; rel="${rel}"`;
  };
  const links = [
    ...(pages > 0 ? [link(1, 'first'), link(pages, 'last')] : []),
    ...(page > 1 ? [link(Math.min(page - 1, Math.max(pages, 1)), 'prev')] : []),
    ...(page < pages ? [link(page + 1, 'next')] : []),
  ];
  if (links.length > 0) res.setHeader('Link', links.join(', '));
}
