/** The shop's pages: complete HTML first, made from the same schemas and services as the API. */
import { createHash } from 'node:crypto';
import { type Response, Router } from 'express';
import { allowPublicCache } from '../middleware/public-cache.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { ProductParams } from '../schemas/product.schema.ts';
import type { CatalogueVersion } from '../services/catalogue-version.ts';
import type { ProductService } from '../services/product.service.ts';

interface PagesRouterDeps {
  products: ProductService;
  version: CatalogueVersion;
}

const PAGE_SIZE = 12;

export function pagesRouter({ products, version }: PagesRouterDeps): Router {
  const router = Router();

  router.get('/', async (_req, res) => {
    const current = await version.current();
    const page = await products.list({ page: 1, limit: PAGE_SIZE, sort: '-createdAt', status: true });
    renderPublic(res, current, 'pages/products/index', { title: 'Feira', page });
  });

  router.get('/products/:pid', async (req, res) => {
    const { params } = parseRequest(req, { params: ProductParams });
    const current = await version.current();
    const product = await products.get(params.pid);
    renderPublic(res, current, 'pages/products/show', { title: product.title, product });
  });

  return router;
}

/** Renders a page that is the same for every visitor without cookies. */
function renderPublic(res: Response, version: number, view: string, model: object): void {
  res.render(view, model, (error, html) => {
    if (error) return res.req.next?.(error);
    allowPublicCache(res, version);
    res.setHeader('ETag', `"${createHash('sha1').update(html).digest('base64url')}"`);
    res.send(html);
  });
}
