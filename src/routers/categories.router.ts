/** /api/categories: the tree of categories; reads are open, writes need the permission. */
import { Router } from 'express';
import { allowOnly } from '../middleware/error-handler.ts';
import { allowPublicCache } from '../middleware/public-cache.ts';
import { requirePermission } from '../middleware/require-permission.ts';
import { CategoryParams, CreateCategory, ListCategories, UpdateCategory } from '../schemas/category.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { CatalogueVersion } from '../services/catalogue-version.ts';
import type { CategoryService } from '../services/category.service.ts';

interface CategoriesRouterDeps {
  categories: CategoryService;
  version: CatalogueVersion;
}

const mayWrite = requirePermission('products:write');

export function categoriesRouter({ categories, version }: CategoriesRouterDeps): Router {
  const router = Router();

  router
    .route('/')
    .get(async (req, res) => {
      const { query } = parseRequest(req, { query: ListCategories });
      const current = await version.current();
      const items = await categories.list(query, req.actor);
      if (query.empty) return void res.setHeader('Cache-Control', 'no-store').json({ items });
      allowPublicCache(res, current);
      res.setHeader('ETag', `"c${current}"`).json({ items });
    })
    .post(mayWrite, async (req, res) => {
      const { body } = parseRequest(req, { body: CreateCategory });
      const category = await categories.create(req.actor, body);
      res.status(201).location(`/api/categories/${category.id}`).json(category);
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/:gid')
    .patch(mayWrite, async (req, res) => {
      const { params, body } = parseRequest(req, { params: CategoryParams, body: UpdateCategory });
      res.json(await categories.update(req.actor, params.gid, body));
    })
    .delete(mayWrite, async (req, res) => {
      const { params } = parseRequest(req, { params: CategoryParams });
      await categories.remove(req.actor, params.gid);
      res.status(204).end();
    })
    .all(allowOnly('PATCH', 'DELETE'));

  return router;
}
