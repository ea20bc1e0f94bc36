/** /profile/two-step: where a person gives their login a second step, or takes it away. Comes after the profile's pages. */
import { type Request, type Response, Router } from 'express';
import { encodeQR } from 'qr';
import { type Problem, toProblem } from '../errors.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { EnableTwoStep, ProveTwoStep } from '../schemas/two-step.schema.ts';
import type { TwoStepService, TwoStepSetup } from '../services/two-step.service.ts';
import { code, password } from './auth-pages.router.ts';
import { type FormField, filledFields, formPage, problemBeside } from './form-page.ts';

const PATH = '/profile/two-step';
const SETUP: FormField = { name: 'setup', label: '', type: 'hidden' };
const CODE_OF_APP = { ...code, label: 'Code that the app shows', hint: 'Six digits.' };
const toTwoStep = { href: PATH, text: 'Back' };

export function twoStepPagesRouter({ twoStep }: { twoStep: TwoStepService }): Router {
  const router = Router();

  router.get(PATH, async (req, res) => {
    const state = await twoStep.state(req.actor);
    if (!state.enabled) return showSetup(res, twoStep.begin(req.actor), !!req.actor.needsTwoStep);
    res.setHeader('Cache-Control', 'private, no-store');
    res.render('pages/account/two-step', { title: 'Two-step login', styles: ['account'], ...state });
  });

  router.post(PATH, async (req, res) => {
    try {
      const { body } = parseRequest(req, { body: EnableTwoStep });
      showCodes(res, 'Two-step login is on', await twoStep.enable(req.actor, body, loginOrigin(req)));
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) throw error;
      showSetup(res, resumeOrBegin(twoStep, req), !!req.actor.needsTwoStep, problem);
    }
  });

  formPage(
    router,
    `${PATH}/codes`,
    {
      title: 'New recovery codes',
      intro: 'The old ones are worth nothing from then on.',
      fields: [code, password],
      button: 'Make new codes',
      links: [toTwoStep],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: ProveTwoStep });
      showCodes(res, 'Your new recovery codes', await twoStep.renewRecoveryCodes(req.actor, body, loginOrigin(req)));
    },
  );

  formPage(
    router,
    `${PATH}/off`,
    {
      title: 'Switch two-step login off',
      intro: 'From then on your password alone opens your account.',
      fields: [code, password],
      button: 'Switch it off',
      links: [toTwoStep],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: ProveTwoStep });
      await twoStep.disable(req.actor, body, loginOrigin(req));
      res.redirect(303, '/profile');
    },
  );

  return router;
}

/** The app has the secret already when the code or the password was wrong. */
function resumeOrBegin(twoStep: TwoStepService, req: Request): TwoStepSetup {
  try {
    return twoStep.resume(req.actor, String(req.body.setup));
  } catch {
    return twoStep.begin(req.actor);
  }
}

function showSetup(res: Response, { secret, uri, setup }: TwoStepSetup, isRequired: boolean, problem?: Problem): void {
  const fields = filledFields([SETUP, CODE_OF_APP, password], { setup }, problem);
  res.status(problem?.status ?? 200).setHeader('Cache-Control', 'private, no-store');
  res.render('pages/account/two-step-setup', {
    title: 'Two-step login',
    styles: ['account'],
    isRequired,
    qr: `data:image/svg+xml,${encodeURIComponent(encodeQR(uri, 'svg'))}`,
    secret: secret.replace(/.{4}(?=.)/g, (part) => `${part} `),
    fields,
    problem: problemBeside(fields, problem),
  });
}

/** In the answer itself: they are nowhere to be read again. */
function showCodes(res: Response, title: string, codes: readonly string[]): void {
  res.setHeader('Cache-Control', 'private, no-store');
  res.render('pages/account/recovery-codes', { title, codes, styles: ['account'] });
}
