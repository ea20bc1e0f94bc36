/** /admin/products: the catalogue for staff. What two of them change of one product at once is merged field by field. */
import { type Request, type Response, Router } from 'express';
import type { Actor } from '../actor.ts';
import { AppError, invalidInput, type Problem, toProblem } from '../errors.ts';
import { uploadedPaths } from '../middleware/upload-images.ts';
import { parseInput, parseRequest } from '../schemas/parse-request.ts';
import {
  ArrangeImages,
  ChangeStock,
  CreateProduct,
  ImageParams,
  ListMovements,
  ListProducts,
  ProductParams,
  UpdateProduct,
} from '../schemas/product.schema.ts';
import type { CategoryService } from '../services/category.service.ts';
import type { ImageService } from '../services/image.service.ts';
import type { ProductService } from '../services/product.service.ts';
import { only, orShow, showAdmin, textsOf, withoutEmpty } from './admin-page.ts';
import { type Fields, faultsOf, fieldsOf, inputOf, merge, type ProductDto } from './admin-product-form.ts';
import { blank, productFormView, productListView } from './admin-product-views.ts';

interface AdminProductsRouterDeps {
  products: ProductService;
  categories: Pick<CategoryService, 'list'>;
  images: ImageService;
  config: { currency: string };
}

const mayWrite = only('products:write');
const TRIES = 5;
const MAX_RELATED = 12;
const MOVEMENTS = '10';

export function adminProductsRouter({ products, categories, images, config }: AdminProductsRouterDeps): Router {
  const router = Router();

  router.get('/admin/products', mayWrite, async (req, res) => {
    const { data, error } = ListProducts.safeParse(withoutEmpty(req.query));
    const query = data ?? ListProducts.parse({});
    const [page, names] = await Promise.all([
      products.list(query, req.actor),
      categories.list({ empty: true }, req.actor),
    ]);
    showAdmin(req, res, undefined, 'products', {
      ...productListView(req, page, names),
      problem: error && 'These filters do not fit together, so all products are shown.',
    });
  });

  /** The form with what was typed and what is wrong with it, or as the product is now. */
  type Typed = { fields?: Fields; boxes?: Fields; conflicts?: string[]; theirs?: string[]; faults?: Fields };
  const showForm = async (req: Request, res: Response, problem?: Problem, typed: Typed = {}, known?: ProductDto) => {
    const isNew = req.params.pid === undefined;
    const product = known ?? (isNew ? blank(config.currency) : await products.get(idOf(req), req.actor));
    const movements = ListMovements.catch({ limit: Number(MOVEMENTS) }).parse({
      after: req.query.movements,
      limit: MOVEMENTS,
    });
    const [names, related, history] = await Promise.all([
      categories.list({ empty: true }, req.actor),
      codesOf(product),
      isNew ? null : products.movements(req.actor, product.id, movements),
    ]);
    const now = fieldsOf(product, related);
    showAdmin(req, res, problem, 'product', {
      ...productFormView({ req, product, now, names, history, isNew, ...typed }),
      ...(typed.faults &&
        Object.keys(typed.faults).length > 0 && { problem: 'Not saved yet: see what is marked below.' }),
    });
  };

  router.get('/admin/products/new', mayWrite, (req, res) => showForm(req, res));
  router.post('/admin/products/new', mayWrite, async (req, res) => {
    const { stock = '', combine = '', ...texts } = textsOf(req);
    const empty = blank(config.currency);
    const fields = { ...fieldsOf(empty, []), price: '', status: '', draft: '', ...texts };
    const boxes = { combine, stock };
    try {
      const input = await inputOf(fields, empty, {}, { boxes, related: idsFor(req.actor) });
      const own = { stock: /^\d{1,9}$/.test(stock) ? Number(stock) : stock };
      const body = parseInput(CreateProduct, { ...('price' in input && own), ...input });
      const { id } = await products.create(req.actor, body);
      res.redirect(303, `/admin/products/${id}?saved=1`);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) throw error;
      await showForm(req, res, problem, {
        fields: { ...fields, stock },
        boxes,
        faults: faultsOf(problem, fields, empty, boxes),
      });
    }
  });

  router.get('/admin/products/:pid', mayWrite, (req, res) => showForm(req, res));
  router.post('/admin/products/:pid', mayWrite, async (req, res) => {
    const body = textsOf(req);
    for (let left = TRIES; ; left -= 1) {
      const product = await products.get(idOf(req), req.actor);
      const now = fieldsOf(product, await codesOf(product));
      const { fields, conflicts, theirs } = merge(baseOf(body), body, now);
      try {
        if (conflicts.length > 0) {
          const problem = toProblem(
            new AppError('CONCURRENT_CHANGE', 'Somebody else has changed the same as you: choose what it shall be.'),
          );
          return await showForm(req, res, problem, { fields, boxes: body, conflicts, theirs }, product);
        }
        const input = await inputOf(fields, product, now, { boxes: body, related: idsFor(req.actor) });
        if (Object.keys(input).length > 0)
          await products.update(req.actor, product.id, parseInput(UpdateProduct, input), product.version);
        return res.redirect(
          303,
          `/admin/products/${product.id}?${new URLSearchParams({ saved: '1', merged: theirs.join(' ') })}`,
        );
      } catch (error) {
        const problem = toProblem(error);
        // Sold or changed in this moment: the same again with what it is now.
        if (problem.code === 'VERSION_MISMATCH' && left > 1) continue;
        if (problem.status >= 500) throw error;
        const faults = faultsOf(problem, fields, product, body);
        return await showForm(req, res, problem, { fields, boxes: body, theirs, faults }, product);
      }
    }
  });

  /** Another form of a product's page. @param work returns where it leads on the page */
  const form = (path: string, work: (req: Request, pid: string) => Promise<string>) =>
    router.post(`/admin/products/:pid/${path}`, mayWrite, (req, res) =>
      orShow(showForm, req, res, async () => {
        res.redirect(303, await work(req, idOf(req)));
      }),
    );
  form('stock', async (req, pid) => {
    const { how, units = '', ...body } = withoutEmpty(textsOf(req)) as Fields;
    if (!/^[+-]?\d{1,7}$/.test(units)) throw invalidInput([{ pointer: '#/units', detail: 'must be a whole number' }]);
    const count = Number(units);
    await products.changeStock(
      req.actor,
      pid,
      parseInput(ChangeStock, { ...body, [how === 'counted' ? 'counted' : 'change']: count }),
    );
    return `/admin/products/${pid}#stock`;
  });
  form('pictures', async (req, pid) => {
    await images.addToProduct(req.actor, pid, uploadedPaths(req));
    return `/admin/products/${pid}#pictures`;
  });
  form('pictures/arrange', async (req, pid) => {
    const { images: known } = await products.get(pid, req.actor);
    const texts = textsOf(req);
    const place = ({ id }: { id: string }) => Number(texts[`position-${id}`]) || 0;
    const order = [...known]
      .sort((a, b) => place(a) - place(b))
      .map(({ id }) => ({ id, alt: texts[`alt-${id}`] ?? '' }));
    await images.arrange(req.actor, pid, parseInput(ArrangeImages, order));
    return `/admin/products/${pid}#pictures`;
  });
  form('pictures/:iid/remove', async (req, pid) => {
    await images.removeFromProduct(req.actor, parseRequest(req, { params: ImageParams }).params);
    return `/admin/products/${pid}#pictures`;
  });
  form('delete', async (req, pid) => {
    await products.remove(req.actor, pid);
    return '/admin/products';
  });
  // A page that shows a refusal has the address of its form.
  router.get('/admin/products/:pid/*form', mayWrite, (req, res) => res.redirect(303, `/admin/products/${idOf(req)}`));

  /** Codes of what goes with a product, in its order. */
  async function codesOf({ related }: ProductDto): Promise<string[]> {
    const codes = new Map((await products.getMany(related)).map(({ id, code }) => [id, code]));
    return related.flatMap((id) => codes.get(id) ?? []);
  }

  /** @throws AppError INVALID_INPUT for a code that no product has */
  function idsFor(actor: Actor) {
    const find = async (code: string) => {
      const queries = [
        { q: code, exact: 'true' },
        { q: code, draft: 'true' },
      ];
      const pages = await Promise.all(queries.map((query) => products.list(ListProducts.parse(query), actor)));
      const found = pages.flatMap(({ items }) => items).find((one) => one.code.toLowerCase() === code.toLowerCase());
      if (found) return found.id;
      throw invalidInput([{ pointer: '#/related', detail: `names ${code.slice(0, 64)}, which no product has` }]);
    };
    return (codes: string[]) => Promise.all(codes.slice(0, MAX_RELATED + 1).map(find));
  }

  return router;
}

/** @throws AppError INVALID_ID */
const idOf = ({ params: { pid } }: Request) => {
  const { data } = ProductParams.safeParse({ pid });
  if (!data) throw new AppError('INVALID_ID', 'The address holds an id that is not well-formed.');
  return data.pid;
};

/** The texts that the form was made from. */
function baseOf({ base = '' }: Fields): Fields {
  try {
    return Object.fromEntries(Object.entries(JSON.parse(base)).map(([name, text]) => [name, String(text)]));
  } catch {
    throw new AppError('MALFORMED_REQUEST', 'The form is not whole. Load the page again.');
  }
}
