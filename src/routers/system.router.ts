/** For those who run the shop: is it alive, is it ready, and what does a refusal mean. */
import { Router } from 'express';
import { AppError } from '../errors.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { problemKinds, problemType } from '../problem-codes.ts';

interface SystemRouterDeps {
  /** Rejects when the database does not answer. */
  ping: () => Promise<void>;
  isStopping: () => boolean;
}

export function systemRouter({ ping, isStopping }: SystemRouterDeps): Router {
  const router = Router();

  router
    .route('/healthz')
    .get((_req, res) => {
      res.setHeader('Cache-Control', 'no-store').json({ status: 'ok' });
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/readyz')
    .get(async (_req, res) => {
      if (isStopping()) throw new AppError('UNAVAILABLE', 'The shop is stopping.');
      await ping().catch(() => {
        throw new AppError('UNAVAILABLE', 'The database does not answer.');
      });
      res.setHeader('Cache-Control', 'no-store').json({ status: 'ready' });
    })
    .all(allowOnly('GET', 'HEAD'));

  return router;
}

/** The pages that the `type` of every problem document points to. */
export function problemsRouter(): Router {
  const problems = Object.entries(problemKinds).map(([code, kind]) => ({
    code,
    path: problemType(code as keyof typeof problemKinds),
    ...kind,
  }));
  const router = Router();
  router.get('/', (_req, res) => res.render('pages/problems/index', { title: 'Problems', problems }));
  router.get('/:slug', (req, res) => {
    const problem = problems.find(({ path }) => path === `/problems/${req.params.slug}`);
    if (!problem) throw new AppError('NOT_FOUND', 'There is no problem with this name.');
    res.render('pages/problems/show', { title: problem.title, problem });
  });
  return router;
}
