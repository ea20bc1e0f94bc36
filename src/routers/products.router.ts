/** /api/products and /api/categories: reads are open, writes need a key. */
import { Router } from 'express';
import type { Config } from '../config.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { allowPublicCache } from '../middleware/public-cache.ts';
import { requirePermission } from '../middleware/require-permission.ts';
import { withUploadedImages } from '../middleware/upload-images.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import {
  ArrangeImages,
  ChangeStock,
  CreateProduct,
  ImageParams,
  ListMovements,
  ListProducts,
  ProductParams,
  ReplaceProduct,
  UpdateProduct,
  UpdateVariant,
  VariantParams,
} from '../schemas/product.schema.ts';
import type { CatalogueVersion } from '../services/catalogue-version.ts';
import type { ImageService } from '../services/image.service.ts';
import type { ProductService } from '../services/product.service.ts';
import { setPageLinks } from './pagination.ts';
import { ifMatch, sendVersioned } from './versions.ts';

interface ProductsRouterDeps {
  products: ProductService;
  version: CatalogueVersion;
}

const mayWrite = requirePermission('products:write');

export function productsRouter({
  products,
  images,
  version,
  config,
}: ProductsRouterDeps & { images: ImageService; config: Pick<Config, 'uploadsDir'> }): Router {
  const router = Router();

  router
    .route('/')
    .get(async (req, res) => {
      const { query } = parseRequest(req, { query: ListProducts });
      const current = await version.current();
      const page = await products.list(query, req.actor);
      setPageLinks(req, res, page);
      if (query.draft) return void res.setHeader('Cache-Control', 'no-store').json(page);
      allowPublicCache(res, current);
      res.setHeader('ETag', `"c${current}"`).json(page);
    })
    .post(mayWrite, async (req, res) => {
      const { body } = parseRequest(req, { body: CreateProduct });
      const product = await products.create(req.actor, body);
      res.status(201).location(`/api/products/${product.id}`);
      sendVersioned(res, product);
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/:pid')
    .get(async (req, res) => {
      const { params } = parseRequest(req, { params: ProductParams });
      const current = await version.current();
      const product = await products.get(params.pid, req.actor);
      if (product.draft) res.setHeader('Cache-Control', 'private, no-cache');
      else allowPublicCache(res, current);
      sendVersioned(res, product);
    })
    .put(mayWrite, async (req, res) => {
      const { params, body } = parseRequest(req, { params: ProductParams, body: ReplaceProduct });
      sendVersioned(res, await products.replace(req.actor, params.pid, body, ifMatch(req)));
    })
    .patch(mayWrite, async (req, res) => {
      const { params, body } = parseRequest(req, { params: ProductParams, body: UpdateProduct });
      sendVersioned(res, await products.update(req.actor, params.pid, body, ifMatch(req)));
    })
    .delete(mayWrite, async (req, res) => {
      const { params } = parseRequest(req, { params: ProductParams });
      await products.remove(req.actor, params.pid, ifMatch(req));
      res.status(204).end();
    })
    .all(allowOnly('GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'));

  router
    .route('/:pid/variants/:vid')
    .patch(mayWrite, async (req, res) => {
      const { params, body } = parseRequest(req, { params: VariantParams, body: UpdateVariant });
      sendVersioned(res, await products.updateVariant(req.actor, params, body, ifMatch(req)));
    })
    .all(allowOnly('PATCH'));

  router
    .route('/:pid/stock')
    .get(mayWrite, async (req, res) => {
      const { params, query } = parseRequest(req, { params: ProductParams, query: ListMovements });
      res.setHeader('Cache-Control', 'private, no-store').json(await products.movements(req.actor, params.pid, query));
    })
    .post(mayWrite, async (req, res) => {
      const { params, body } = parseRequest(req, { params: ProductParams, body: ChangeStock });
      sendVersioned(res, await products.changeStock(req.actor, params.pid, body, ifMatch(req)));
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/:pid/images')
    .put(mayWrite, async (req, res) => {
      const { params, body } = parseRequest(req, { params: ProductParams, body: ArrangeImages });
      sendVersioned(res, await images.arrange(req.actor, params.pid, body, ifMatch(req)));
    })
    .all(allowOnly('PUT'));

  router
    .route('/:pid/images/:iid')
    .delete(mayWrite, async (req, res) => {
      const { params } = parseRequest(req, { params: ImageParams });
      sendVersioned(res, await images.removeFromProduct(req.actor, params, ifMatch(req)));
    })
    .all(allowOnly('DELETE'));

  router
    .route('/:pid/upload')
    .post(mayWrite, async (req, res) => {
      const { params } = parseRequest(req, { params: ProductParams });
      const ifVersion = ifMatch(req);
      // Before the body is read: nobody's pictures are taken in to be refused then.
      await products.expectChangeable(req.actor, params.pid, ifVersion);
      const product = await withUploadedImages(req, res, config.uploadsDir, (paths) =>
        images.addToProduct(req.actor, params.pid, paths, ifVersion),
      );
      sendVersioned(res, product);
    })
    .all(allowOnly('POST'));

  return router;
}
