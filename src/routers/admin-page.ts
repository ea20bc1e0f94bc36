/** What all pages of staff share: who may open them, their navigation, and how a refusal is told. */
import express, { type Request, type RequestHandler, type Response } from 'express';
import { isUser } from '../actor.ts';
import { AppError, type Problem, problemText, toProblem } from '../errors.ts';
import { loginAfterEnd } from '../middleware/csrf.ts';
import type { Permission } from '../permissions.ts';

/** The first one that somebody may see is where /admin leads. */
const SECTIONS: readonly { href: string; text: string; needs: Permission }[] = [
  { href: '/admin/orders', text: 'Orders', needs: 'orders:read' },
  { href: '/admin/products', text: 'Products', needs: 'products:write' },
  { href: '/admin/coupons', text: 'Coupons', needs: 'coupons:write' },
  { href: '/admin/users', text: 'Accounts', needs: 'users:read' },
  { href: '/admin/keys', text: 'API keys', needs: 'keys:write' },
  { href: '/admin/webhooks', text: 'Webhooks', needs: 'webhooks:write' },
  { href: '/admin/audit', text: 'Changes', needs: 'audit:read' },
];

export const sectionsFor = ({ actor }: Pick<Request, 'actor'>) =>
  SECTIONS.filter(({ needs }) => actor.permissions.includes(needs));

/** Visitors are led to the login; for others without the permission there is no such page. */
export const only =
  (permission: Permission): RequestHandler =>
  (req, res, next) => {
    if (!isUser(req.actor)) return res.redirect(303, `/login?next=${encodeURIComponent(req.originalUrl)}`);
    if (req.actor.needsTwoStep) return res.redirect(303, '/profile/two-step');
    if (!req.actor.permissions.includes(permission))
      throw new AppError('NOT_FOUND', 'There is nothing at this address.');
    next();
  };

const largeForm = express.urlencoded({ extended: false, limit: '500kb', parameterLimit: 2000 });
/** Forms of staff have more fields than those of others: four for each variant of a product. Visitors' are not read. */
export const staffForms: RequestHandler = (req, res, next) => {
  if (isUser(req.actor)) return req.actor.permissions.length > 0 ? largeForm(req, res, next) : next();
  if (req.method === 'POST') res.redirect(303, loginAfterEnd(req));
  else next();
};

/** @param page the template below views/pages/admin @param model of the page; `problem` there goes before the text of this one */
export function showAdmin(
  req: Request,
  res: Response,
  problem: Problem | undefined,
  page: string,
  model: object,
): void {
  const sections = sectionsFor(req).map((section) => ({
    ...section,
    current: req.path === section.href || req.path.startsWith(`${section.href}/`),
  }));
  res.status(problem?.status ?? 200).setHeader('Cache-Control', 'private, no-store');
  res.render(`pages/admin/${page}`, {
    problem: problem && problemText(problem),
    ...model,
    active: 'admin',
    styles: ['account', 'admin'],
    sections,
  });
}

/** What is refused is told on the page that was left. */
export async function orShow(
  page: (req: Request, res: Response, problem: Problem) => Promise<void>,
  req: Request,
  res: Response,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const problem = toProblem(error);
    if (problem.status >= 500) throw error;
    await page(req, res, problem);
  }
}

/** A form sends the fields that nobody has filled as empty ones. */
export const withoutEmpty = (query: object) =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));

/** What a form has sent; a field that came twice is as good as none. */
export const textsOf = ({ body }: Pick<Request, 'body'>): Record<string, string> =>
  Object.fromEntries(Object.entries(body ?? {}).map(([name, text]) => [name, typeof text === 'string' ? text : '']));
