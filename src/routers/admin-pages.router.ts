/** /admin: what staff see and change. Everybody else is told that there is nothing. */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { isUser } from '../actor.ts';
import { AppError, type Problem, problemText, toProblem } from '../errors.ts';
import { type Permission, permissions, roles } from '../permissions.ts';
import { ApiKeyForm, ApiKeyParams } from '../schemas/api-key.schema.ts';
import { ListAudit } from '../schemas/audit.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { ListUsers, ManageUserForm, RemoveTwoStepForm, UserParams } from '../schemas/user.schema.ts';
import type { ApiKeyService } from '../services/api-key.service.ts';
import type { AuditService } from '../services/audit.service.ts';
import type { TwoStepService } from '../services/two-step.service.ts';
import type { UserService } from '../services/user.service.ts';
import { pageLinks } from './page-links.ts';

interface AdminPagesRouterDeps {
  apiKeys: ApiKeyService;
  audit: AuditService;
  twoStep: Pick<TwoStepService, 'remove' | 'withFactor'>;
  users: UserService;
}

const SECTIONS: readonly { href: string; text: string; needs: Permission }[] = [
  { href: '/admin/users', text: 'Accounts', needs: 'users:read' },
  { href: '/admin/keys', text: 'API keys', needs: 'keys:write' },
  { href: '/admin/audit', text: 'Changes', needs: 'audit:read' },
];

/** Visitors are led to the login; for others without the permission there is no such page. */
const only =
  (permission: Permission): RequestHandler =>
  (req, res, next) => {
    if (!isUser(req.actor)) return res.redirect(303, `/login?next=${encodeURIComponent(req.originalUrl)}`);
    if (req.actor.needsTwoStep) return res.redirect(303, '/profile/two-step');
    if (!req.actor.permissions.includes(permission))
      throw new AppError('NOT_FOUND', 'There is nothing at this address.');
    next();
  };

export function adminPagesRouter({ apiKeys, audit, twoStep, users }: AdminPagesRouterDeps): Router {
  const router = Router();

  router.get('/admin', (req, res) => {
    if (req.actor.needsTwoStep) return res.redirect(303, '/profile/two-step');
    const section = SECTIONS.find(({ needs }) => req.actor.permissions.includes(needs));
    res.redirect(303, section?.href ?? '/login?next=/admin');
  });

  const showUsers = async (req: Request, res: Response, problem?: Problem) => {
    const query = ListUsers.safeParse(withoutEmpty(req.query)).data ?? ListUsers.parse({});
    const page = await users.list(req.actor, query);
    const withFactor = await twoStep.withFactor(
      req.actor,
      page.items.map(({ id }) => id),
    );
    const search = new URLSearchParams({ ...(query.q && { q: query.q }), ...(query.role && { role: query.role }) });
    show(req, res, problem, 'users', {
      title: 'Accounts',
      query,
      roles: rolesWith(query.role),
      users: page.items.map((user) => ({
        ...user,
        roles: rolesWith(user.role),
        hasFactorToRemove: withFactor.has(user.id) && user.id !== req.actor.id,
      })),
      total: page.total,
      mayChange: req.actor.permissions.includes('users:write'),
      links: pageLinks(page.page, page.pages, (number) => `/admin/users?${search}&page=${number}`),
    });
  };
  router.get('/admin/users', only('users:read'), (req, res) => showUsers(req, res));
  router.post('/admin/users/:uid', only('users:write'), async (req, res) => {
    const { params, body } = parseRequest(req, { params: UserParams, body: ManageUserForm });
    const { version, ...change } = body;
    await orShow(showUsers, req, res, async () => {
      await users.manage(req.actor, params.uid, change, version);
      res.redirect(303, `/admin/users#user-${params.uid}`);
    });
  });

  router.get('/admin/users/:uid/two-step', only('users:write'), async (req, res) => {
    const { params } = parseRequest(req, { params: UserParams });
    const { id, name, email, version } = await users.get(req.actor, params.uid);
    show(req, res, undefined, 'remove-two-step', { title: 'Remove the second step', id, name, email, version });
  });
  router.post('/admin/users/:uid/two-step', only('users:write'), async (req, res) => {
    const { params, body } = parseRequest(req, { params: UserParams, body: RemoveTwoStepForm });
    await orShow(showUsers, req, res, async () => {
      await twoStep.remove(req.actor, params.uid, body.version);
      res.redirect(303, `/admin/users#user-${params.uid}`);
    });
  });

  const showKeys = async (req: Request, res: Response, problem?: Problem, key?: string) => {
    show(req, res, problem, 'keys', {
      title: 'API keys',
      keys: await apiKeys.list(req.actor),
      key,
      name: typeof req.body?.name === 'string' && problem ? req.body.name.slice(0, 60) : '',
      permissions: req.actor.permissions.map((name) => ({ name, description: permissions[name] })),
    });
  };
  router.get('/admin/keys', only('keys:write'), (req, res) => showKeys(req, res));
  router.post('/admin/keys', only('keys:write'), (req, res) =>
    orShow(showKeys, req, res, async () => {
      const { body } = parseRequest(req, { body: ApiKeyForm });
      const { key } = await apiKeys.create(req.actor, body);
      await showKeys(req, res, undefined, key);
    }),
  );
  router.post('/admin/keys/:kid/end', only('keys:write'), async (req, res) => {
    const { params } = parseRequest(req, { params: ApiKeyParams });
    await apiKeys.remove(req.actor, params.kid);
    res.redirect(303, '/admin/keys');
  });

  router.get('/admin/audit', only('audit:read'), async (req, res) => {
    const query = ListAudit.safeParse(withoutEmpty(req.query)).data ?? ListAudit.parse({});
    const { items, next } = await audit.list(req.actor, query);
    const search = new URLSearchParams({
      ...(query.targetId && { targetId: query.targetId }),
      ...(query.actorId && { actorId: query.actorId }),
    });
    show(req, res, undefined, 'audit', {
      title: 'Changes',
      entries: items.map(({ changes, ...entry }) => ({ ...entry, changes: Object.entries(changes).map(changeView) })),
      isFiltered: search.size > 0,
      older: next && `/admin/audit?${search}&after=${next}`,
    });
  });

  return router;
}

function show(req: Request, res: Response, problem: Problem | undefined, page: string, model: object): void {
  const sections = SECTIONS.filter(({ needs }) => req.actor.permissions.includes(needs)).map((section) => ({
    ...section,
    current: section.href === `/admin/${page}`,
  }));
  res.status(problem?.status ?? 200).setHeader('Cache-Control', 'private, no-store');
  res.render(`pages/admin/${page}`, {
    ...model,
    active: 'admin',
    styles: ['account', 'admin'],
    sections,
    problem: problem && problemText(problem),
  });
}

/** What is refused is told on the page that was left. */
async function orShow(
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
const withoutEmpty = (query: object) => Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));

const rolesWith = (chosen: string | undefined) => roles.map((role) => ({ role, chosen: role === chosen }));

const MAX_SHOWN = 200;

const changeView = ([field, { before, after }]: [string, { before: unknown; after: unknown }]) => ({
  field,
  before: before === null ? '' : shown(before),
  after: shown(after),
});

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, MAX_SHOWN);
