/** /api/users: people and their accounts. */
import { type Response, Router } from 'express';
import { expectUser } from '../actor.ts';
import type { Config } from '../config.ts';
import { logOutBrowser } from '../middleware/browser-session.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import { requirePermission } from '../middleware/require-permission.ts';
import { withUploadedImages } from '../middleware/upload-images.ts';
import { EraseAccount } from '../schemas/auth.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { EditUser, ListUsers, ManageUser, UserParams } from '../schemas/user.schema.ts';
import type { AvatarService } from '../services/avatar.service.ts';
import type { PersonalDataService } from '../services/personal-data.service.ts';
import type { TwoStepService } from '../services/two-step.service.ts';
import type { UserDto, UserService } from '../services/user.service.ts';
import { sendJsonStream } from './json-stream.ts';
import { setPageLinks } from './pagination.ts';
import { ifMatch } from './versions.ts';

interface UsersRouterDeps {
  avatars: AvatarService;
  personalData: PersonalDataService;
  twoStep: Pick<TwoStepService, 'remove'>;
  users: UserService;
  config: Pick<Config, 'uploadsDir'>;
}

export function usersRouter({ avatars, personalData, twoStep, users, config }: UsersRouterDeps): Router {
  const router = Router();

  router
    .route('/profile')
    .get(async (req, res) => {
      sendUser(res, await users.profile(req.actor));
    })
    .delete(async (req, res) => {
      const { id } = expectUser(req.actor);
      const { body } = parseRequest(req, { body: EraseAccount });
      await personalData.erase(req.actor, body, loginOrigin(req).address, ifMatch(req));
      if (req.session.actor?.id === id) await logOutBrowser(req, res);
      res.status(204).end();
    })
    .all(allowOnly('GET', 'HEAD', 'DELETE'));

  router
    .route('/edit')
    .patch(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: EditUser });
      sendUser(res, await users.edit(req.actor, body, ifMatch(req)));
    })
    .all(allowOnly('PATCH'));

  router
    .route('/avatar')
    .post(async (req, res) => {
      expectUser(req.actor);
      const set = ([path = '']: string[]) => avatars.set(req.actor, path, ifMatch(req));
      sendUser(res, await withUploadedImages(req, res, config.uploadsDir, set, 1));
    })
    .delete(async (req, res) => {
      await avatars.remove(req.actor, ifMatch(req));
      res.status(204).end();
    })
    .all(allowOnly('POST', 'DELETE'));

  router
    .route('/export')
    .get(async (req, res) => {
      const data = await personalData.export(req.actor);
      res.setHeader('Cache-Control', 'private, no-store').attachment('feira-personal-data.json');
      await sendJsonStream(res, data);
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/')
    .get(requirePermission('users:read'), async (req, res) => {
      const { query } = parseRequest(req, { query: ListUsers });
      const page = await users.list(req.actor, query);
      setPageLinks(req, res, page);
      res.setHeader('Cache-Control', 'private, no-store').json(page);
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/:uid')
    .get(requirePermission('users:read'), async (req, res) => {
      const { params } = parseRequest(req, { params: UserParams });
      sendUser(res, await users.get(req.actor, params.uid));
    })
    .patch(requirePermission('users:write'), async (req, res) => {
      const { params, body } = parseRequest(req, { params: UserParams, body: ManageUser });
      sendUser(res, await users.manage(req.actor, params.uid, body, ifMatch(req)));
    })
    .all(allowOnly('GET', 'HEAD', 'PATCH'));

  router
    .route('/:uid/two-step')
    .delete(requirePermission('users:write'), async (req, res) => {
      const { params } = parseRequest(req, { params: UserParams });
      await twoStep.remove(req.actor, params.uid, ifMatch(req));
      res.status(204).end();
    })
    .all(allowOnly('DELETE'));

  return router;
}

/** The tag tells whose version it is: `/profile` is everybody's address, and two people may come by one browser. */
function sendUser(res: Response, user: UserDto): void {
  res.setHeader('Cache-Control', 'private, no-cache').setHeader('ETag', `"${user.version}-${user.id}"`).json(user);
}
