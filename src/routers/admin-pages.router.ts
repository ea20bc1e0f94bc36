/** /admin: what staff see and change. Everybody else is told that there is nothing. */
import { type Request, type Response, Router } from 'express';
import type { Problem } from '../errors.ts';
import { permissions, roles } from '../permissions.ts';
import { ApiKeyForm, ApiKeyParams } from '../schemas/api-key.schema.ts';
import { ListAudit } from '../schemas/audit.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { ListUsers, ManageUserForm, RemoveTwoStepForm, UserParams } from '../schemas/user.schema.ts';
import type { ApiKeyService } from '../services/api-key.service.ts';
import type { AuditService } from '../services/audit.service.ts';
import type { TwoStepService } from '../services/two-step.service.ts';
import type { UserService } from '../services/user.service.ts';
import { only, orShow, sectionsFor, showAdmin, textsOf, withoutEmpty } from './admin-page.ts';
import { pageLinks } from './page-links.ts';

interface AdminPagesRouterDeps {
  apiKeys: ApiKeyService;
  audit: AuditService;
  twoStep: Pick<TwoStepService, 'remove' | 'withFactor'>;
  users: UserService;
}

export function adminPagesRouter({ apiKeys, audit, twoStep, users }: AdminPagesRouterDeps): Router {
  const router = Router();

  router.get('/admin', (req, res) => {
    if (req.actor.needsTwoStep) return res.redirect(303, '/profile/two-step');
    res.redirect(303, sectionsFor(req)[0]?.href ?? '/login?next=/admin');
  });

  const showUsers = async (req: Request, res: Response, problem?: Problem) => {
    const query = ListUsers.safeParse(withoutEmpty(req.query)).data ?? ListUsers.parse({});
    const page = await users.list(req.actor, query);
    const withFactor = await twoStep.withFactor(
      req.actor,
      page.items.map(({ id }) => id),
    );
    const search = new URLSearchParams({ ...(query.q && { q: query.q }), ...(query.role && { role: query.role }) });
    showAdmin(req, res, problem, 'users', {
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

  // A page that shows a refusal has the address of its form; asked for again, that is the list.
  router.get('/admin/users/:uid', only('users:write'), (_req, res) => res.redirect(303, '/admin/users'));

  router.get('/admin/users/:uid/two-step', only('users:write'), async (req, res) => {
    const { params } = parseRequest(req, { params: UserParams });
    const { id, name, email, version } = await users.get(req.actor, params.uid);
    showAdmin(req, res, undefined, 'remove-two-step', { title: 'Remove the second step', id, name, email, version });
  });
  router.post('/admin/users/:uid/two-step', only('users:write'), async (req, res) => {
    const { params, body } = parseRequest(req, { params: UserParams, body: RemoveTwoStepForm });
    await orShow(showUsers, req, res, async () => {
      await twoStep.remove(req.actor, params.uid, body.version);
      res.redirect(303, `/admin/users#user-${params.uid}`);
    });
  });

  const showKeys = async (req: Request, res: Response, problem?: Problem, key?: string) => {
    const typed = problem ? textsOf(req) : {};
    const ticked = problem ? [req.body?.permissions].flat() : [];
    showAdmin(req, res, problem, 'keys', {
      title: 'API keys',
      keys: await apiKeys.list(req.actor),
      key,
      name: typed.name?.slice(0, 60),
      days: typed.days?.slice(0, 9) ?? 90,
      permissions: req.actor.permissions.map((name) => ({
        name,
        description: permissions[name],
        chosen: ticked.includes(name),
      })),
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
  router.get('/admin/keys/:kid/end', only('keys:write'), (_req, res) => res.redirect(303, '/admin/keys'));
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
    showAdmin(req, res, undefined, 'audit', {
      title: 'Changes',
      entries: items.map(({ changes, ...entry }) => ({ ...entry, changes: Object.entries(changes).map(changeView) })),
      isFiltered: search.size > 0,
      older: next && `/admin/audit?${search}&after=${next}`,
    });
  });

  return router;
}

const rolesWith = (chosen: string | undefined) => roles.map((role) => ({ role, chosen: role === chosen }));

const MAX_SHOWN = 200;

const changeView = ([field, { before, after }]: [string, { before: unknown; after: unknown }]) => ({
  field,
  before: before === null ? '' : shown(before),
  after: shown(after),
});

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, MAX_SHOWN);
