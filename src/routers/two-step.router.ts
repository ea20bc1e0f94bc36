/** /api/auth/two-step: a second step for the login of the person who asks. */
import { Router } from 'express';
import { expectUser } from '../actor.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { EnableTwoStep, ProveTwoStep } from '../schemas/two-step.schema.ts';
import type { TwoStepService } from '../services/two-step.service.ts';

export function twoStepRouter({ twoStep }: { twoStep: TwoStepService }): Router {
  const router = Router();

  router
    .route('/')
    .get(async (req, res) => {
      res.json(await twoStep.state(req.actor));
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/setup')
    .post((req, res) => {
      res.json(twoStep.begin(req.actor));
    })
    .all(allowOnly('POST'));

  router
    .route('/enable')
    .post(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: EnableTwoStep });
      res.json({ recoveryCodes: await twoStep.enable(req.actor, body, loginOrigin(req)) });
    })
    .all(allowOnly('POST'));

  router
    .route('/disable')
    .post(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: ProveTwoStep });
      await twoStep.disable(req.actor, body, loginOrigin(req));
      res.status(204).end();
    })
    .all(allowOnly('POST'));

  router
    .route('/recovery-codes')
    .post(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: ProveTwoStep });
      res.json({ recoveryCodes: await twoStep.renewRecoveryCodes(req.actor, body, loginOrigin(req)) });
    })
    .all(allowOnly('POST'));

  return router;
}
