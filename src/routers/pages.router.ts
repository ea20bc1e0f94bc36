/** The shop's pages: complete HTML first, made from the same schemas and services as the API. */
import { createHash } from 'node:crypto';
import { type Response, Router } from 'express';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { allowPublicCache } from '../middleware/public-cache.ts';
import { ProductParams } from '../schemas/product.schema.ts';
import { readPageQuery, readShopQuery } from '../schemas/shop.schema.ts';
import type { CatalogueVersion } from '../services/catalogue-version.ts';
import type { CategoryService } from '../services/category.service.ts';
import type { ProductService } from '../services/product.service.ts';
import { cataloguePage, productPage, realtimePage } from './product-views.ts';

interface PagesRouterDeps {
  config: Pick<Config, 'currency'>;
  products: ProductService;
  categories: CategoryService;
  version: CatalogueVersion;
}

const CARDS = 12;
const ROWS = 20;

export function pagesRouter({ config: { currency }, products, categories, version }: PagesRouterDeps): Router {
  const router = Router();

  router.get('/', async (req, res) => {
    const asked = readShopQuery(req.query, currency);
    const { from: minPrice, to: maxPrice, ...rest } = asked.query;
    const sequence = await version.current();
    const page = await products.list({ ...rest, minPrice, maxPrice, status: true, limit: CARDS, facets: true });
    res.status(statusOf(asked.faults, page));
    renderPublic(res, sequence, 'pages/products/index', cataloguePage({ asked, page, sequence, currency }));
  });

  router.get('/products/:pid', async (req, res) => {
    const params = ProductParams.safeParse(req.params);
    if (!params.success) throw new AppError('NOT_FOUND', 'There is no product at this address.');
    const sequence = await version.current();
    const product = await products.get(params.data.pid, req.actor);
    const [trail, related] = await Promise.all([categories.trail(product.categoryPath), products.related(product)]);
    const model = productPage({ product, trail, related, sequence });
    if (product.draft) return res.set('Cache-Control', 'private, no-store').render('pages/products/show', model);
    renderPublic(res, sequence, 'pages/products/show', model);
  });

  router.get('/realtimeproducts', async (req, res) => {
    const { query, faults } = readPageQuery(req.query);
    // Read before the list: a change in between is then asked for again, and never missed.
    const sequence = await version.current();
    const page = await products.list({ page: query.page, limit: ROWS, sort: '-createdAt' });
    res.status(statusOf(faults, page));
    renderPublic(res, sequence, 'pages/realtimeproducts/index', realtimePage(page, sequence, currency, faults));
  });

  return router;
}

/** The page is useful in each case; the status tells programs what people read on it. */
function statusOf(faults: object, { page, pages }: { page: number; pages: number }): number {
  if (Object.keys(faults).length > 0) return 422;
  return page > Math.max(pages, 1) ? 404 : 200;
}

/** Renders a page that is the same for every visitor without cookies; with one it may show their cart's count. */
function renderPublic(res: Response, version: number, view: string, model: object): void {
  res.render(view, model, (error, html) => {
    if (error) return res.req.next?.(error);
    allowPublicCache(res, version);
    if (res.req.headers.cookie) res.setHeader('Cache-Control', 'private, no-cache');
    res.setHeader('ETag', `"${createHash('sha1').update(html).digest('base64url')}"`);
    res.send(html);
  });
}
