/** /admin/coupons: what the shop gives away. Times are UTC, as everywhere on the pages of staff. */
import { type Request, type Response, Router } from 'express';
import { type Problem, problemText } from '../errors.ts';
import { VersionForm } from '../schemas/common.schema.ts';
import { CouponParams, CreateCoupon, ListCoupons, UpdateCoupon } from '../schemas/coupon.schema.ts';
import { parseInput, parseRequest } from '../schemas/parse-request.ts';
import type { CouponDto, CouponService } from '../services/coupon.service.ts';
import { only, orShow, showAdmin, textsOf, withoutEmpty } from './admin-page.ts';
import { countFault, moneyText, moneyTyped, sumFault } from './money-text.ts';

interface AdminCouponsRouterDeps {
  coupons: CouponService;
  config: { currency: string };
}

type Texts = Record<string, string>;

const KINDS = [
  ['percentage', 'A percentage of the goods'],
  ['fixed', 'A sum of money'],
  ['free-shipping', 'Free delivery'],
] as const;
const mayWrite = only('coupons:write');

export function adminCouponsRouter({ coupons, config }: AdminCouponsRouterDeps): Router {
  const router = Router();

  router.get('/admin/coupons', mayWrite, async (req, res) => {
    const query = ListCoupons.safeParse(withoutEmpty(req.query)).data ?? ListCoupons.parse({});
    const { items, next } = await coupons.list(req.actor, query);
    showAdmin(req, res, undefined, 'coupons', {
      title: 'Coupons',
      coupons: items.map((coupon) => ({ ...coupon, state: stateOf(coupon), percent: coupon.value / 100 })),
      older: next && `/admin/coupons?after=${next}`,
    });
  });

  const showForm = async (req: Request, res: Response, problem?: Problem) => {
    const coupon = req.params.kid === undefined ? null : await coupons.get(req.actor, idOf(req));
    const { version: _version, ...typed }: Texts = problem ? textsOf(req) : {};
    const fields: Texts = { kind: 'percentage', ...(coupon && couponTexts(coupon)), ...typed };
    const faults = faultsOf(problem, fields);
    const isBeside = 'version' in faults || Object.keys(faults).length === 0;

    showAdmin(req, res, problem, 'coupon', {
      title: coupon ? `Coupon ${coupon.code}` : 'New coupon',
      coupon,
      state: coupon && stateOf(coupon),
      fields,
      faults,
      problem: problem && isBeside && problemText(problem),
      kinds: KINDS.map(([value, text]) => ({ value, text, chosen: value === fields.kind })),
      valueLabel: coupon ? (coupon.kind === 'fixed' ? 'Sum' : 'Percent') : 'Percent or sum',
      hasValue: coupon?.kind !== 'free-shipping',
      currency: coupon?.currency ?? config.currency,
    });
  };

  router.get('/admin/coupons/new', mayWrite, (req, res) => showForm(req, res));
  router.post('/admin/coupons/new', mayWrite, (req, res) =>
    orShow(showForm, req, res, async () => {
      const { code = '', kind = '', ...texts } = textsOf(req);
      const input = inputOf(texts, kind, config.currency);
      await coupons.create(req.actor, parseInput(CreateCoupon, { code, kind, ...input }));
      res.redirect(303, '/admin/coupons');
    }),
  );
  router.get('/admin/coupons/:kid', mayWrite, (req, res) => showForm(req, res));
  router.post('/admin/coupons/:kid', mayWrite, (req, res) =>
    orShow(showForm, req, res, async () => {
      const { version, ...texts } = textsOf(req);
      const coupon = await coupons.get(req.actor, idOf(req));
      const input = inputOf(texts, coupon.kind, coupon.currency ?? config.currency);
      // A time is shown without its seconds: what was not touched stays as it is.
      const now: Texts = couponTexts(coupon);
      const changed = Object.fromEntries(Object.entries(input).filter(([name]) => texts[name] !== now[name]));
      const ifVersion = parseInput(VersionForm, { version }).version;
      if (Object.keys(changed).length > 0)
        await coupons.update(req.actor, coupon.id, parseInput(UpdateCoupon, changed), ifVersion);
      res.redirect(303, '/admin/coupons');
    }),
  );
  router.post('/admin/coupons/:kid/end', mayWrite, (req, res) =>
    orShow(showForm, req, res, async () => {
      await coupons.end(req.actor, idOf(req), parseInput(VersionForm, { version: req.body?.version }).version);
      res.redirect(303, '/admin/coupons');
    }),
  );
  // A page that shows a refusal has the address of its form.
  router.get('/admin/coupons/:kid/end', mayWrite, (req, res) => res.redirect(303, `/admin/coupons/${req.params.kid}`));

  return router;
}

/** @throws AppError INVALID_ID */
const idOf = (req: Request) => parseRequest(req, { params: CouponParams }).params.kid;

function stateOf({ startsAt, endsAt, maxUses, used }: CouponDto) {
  const now = new Date().toISOString();
  if (endsAt && endsAt <= now) return { name: 'over', text: 'over' };
  if (maxUses !== null && used >= maxUses) return { name: 'over', text: 'used up' };
  return startsAt && startsAt > now ? { name: 'soon', text: 'soon' } : { name: 'on', text: 'on' };
}

/** What is wrong, by the names of the form's fields, in the words of the form. */
function faultsOf(problem: Problem | undefined, fields: Texts): Texts {
  const inWords = (name: string, detail: string) => {
    if (name === 'value' && fields.kind === 'percentage') return 'must be a number from 0.01 to 100';
    if (name === 'value' || name === 'minimum') return sumFault(detail, fields[name]);
    return name.startsWith('max') ? countFault(detail, fields[name]) : detail;
  };
  const faults = problem?.errors?.map(({ pointer, detail }) => [pointer.slice(2), detail] as const) ?? [];
  return Object.fromEntries(faults.map(([name, detail]) => [name, inWords(name, detail)]));
}

/** A coupon as the form has it. */
function couponTexts({ kind, value, minimum, currency, startsAt, endsAt, maxUses, maxPerCustomer }: CouponDto) {
  return {
    kind,
    value: kind === 'fixed' && currency ? moneyText(value, currency) : String(value / 100),
    minimum: minimum > 0 && currency ? moneyText(minimum, currency) : '',
    startsAt: startsAt?.slice(0, 16) ?? '',
    endsAt: endsAt?.slice(0, 16) ?? '',
    maxUses: maxUses?.toString() ?? '',
    maxPerCustomer: maxPerCustomer?.toString() ?? '',
  };
}

/** What a form asks for, not yet judged. */
function inputOf(texts: Texts, kind: string, currency: string): Record<string, unknown> {
  const { value = '', minimum = '', startsAt, endsAt, maxUses, maxPerCustomer } = texts;
  const time = (text = '') => (/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(text) ? `${text}:00Z` : text || null);
  const count = (text = '') => (/^\d{1,9}$/.test(text) ? Number(text) : text || null);
  return {
    // Percent have two digits behind the point, as euros have.
    ...(kind !== 'free-shipping' && { value: moneyTyped(value, kind === 'percentage' ? 'EUR' : currency) }),
    minimum: minimum === '' ? 0 : moneyTyped(minimum, currency),
    ...{ startsAt: time(startsAt), endsAt: time(endsAt) },
    ...{ maxUses: count(maxUses), maxPerCustomer: count(maxPerCustomer) },
  };
}
