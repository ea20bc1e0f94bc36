/** /api/users: people and their accounts. */
import { type Response, Router } from 'express';
import { expectUser } from '../actor.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { EditUser } from '../schemas/user.schema.ts';
import type { UserDto, UserService } from '../services/user.service.ts';
import { ifMatch, sendVersioned } from './versions.ts';

export function usersRouter({ users }: { users: UserService }): Router {
  const router = Router();

  router
    .route('/profile')
    .get(async (req, res) => {
      sendUser(res, await users.profile(req.actor));
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/edit')
    .patch(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: EditUser });
      sendUser(res, await users.edit(req.actor, body, ifMatch(req)));
    })
    .all(allowOnly('PATCH'));

  return router;
}

function sendUser(res: Response, user: UserDto): void {
  res.setHeader('Cache-Control', 'private, no-cache');
  sendVersioned(res, user);
}
