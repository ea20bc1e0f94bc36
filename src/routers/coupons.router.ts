/** /api/coupons: what staff give away. */
import { type Response, Router } from 'express';
import { allowOnly } from '../middleware/error-handler.ts';
import { requirePermission } from '../middleware/require-permission.ts';
import { CouponParams, CreateCoupon, ListCoupons, UpdateCoupon } from '../schemas/coupon.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { CouponDto, CouponService } from '../services/coupon.service.ts';
import { ifMatch } from './versions.ts';

export function couponsRouter({ coupons }: { coupons: CouponService }): Router {
  const router = Router();
  router.use(requirePermission('coupons:write'), (_req, res, next) => {
    res.setHeader('Cache-Control', 'private, no-cache');
    next();
  });

  router
    .route('/')
    .get(async (req, res) => {
      const { query } = parseRequest(req, { query: ListCoupons });
      res.json(await coupons.list(req.actor, query));
    })
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: CreateCoupon });
      const coupon = await coupons.create(req.actor, body);
      res.status(201).location(`/api/coupons/${coupon.id}`);
      sendCoupon(res, coupon);
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/:kid')
    .get(async (req, res) => {
      const { params } = parseRequest(req, { params: CouponParams });
      const coupon = await coupons.get(req.actor, params.kid);
      sendCoupon(res, coupon);
    })
    .patch(async (req, res) => {
      const { params, body } = parseRequest(req, { params: CouponParams, body: UpdateCoupon });
      sendCoupon(res, await coupons.update(req.actor, params.kid, body, ifMatch(req)));
    })
    .delete(async (req, res) => {
      const { params } = parseRequest(req, { params: CouponParams });
      await coupons.end(req.actor, params.kid, ifMatch(req));
      res.status(204).end();
    })
    .all(allowOnly('GET', 'HEAD', 'PATCH', 'DELETE'));

  return router;
}

/** Uses change what is shown, and not the version that a change depends on. */
const sendCoupon = (res: Response, coupon: CouponDto) =>
  res.setHeader('ETag', `"${coupon.version}-${coupon.used}"`).json(coupon);
