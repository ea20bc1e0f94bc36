/** Products as the pages of staff show them: small plain objects for the views. */
import type { Request } from 'express';
import type { Page } from '../schemas/common.schema.ts';
import type { CategoryService } from '../services/category.service.ts';
import type { ProductService } from '../services/product.service.ts';
import { withoutEmpty } from './admin-page.ts';
import { type Fields, labelOf, type ProductDto } from './admin-product-form.ts';
import { pageLinks } from './page-links.ts';
import { PLACEHOLDER } from './product-views.ts';

type Categories = Awaited<ReturnType<CategoryService['list']>>;
type Movements = Awaited<ReturnType<ProductService['movements']>>;

export function productListView(
  { query }: Request,
  { items, page, pages, total }: Page<ProductDto>,
  names: Categories,
) {
  const { page: _page, ...typed } = withoutEmpty(query) as Record<string, string>;
  return {
    title: 'Products',
    typed,
    total,
    categories: names.map(({ path, name }) => ({ path, name, chosen: typed.category === path })),
    products: items.map((product) => ({ ...product, picture: product.thumbnails[0] ?? PLACEHOLDER })),
    links: pageLinks(
      page,
      pages,
      (number) => `/admin/products?${new URLSearchParams({ ...typed, page: String(number) })}`,
    ),
  };
}

/** What a new product is made from. */
export const blank = (currency: string): ProductDto => ({
  ...{ id: '', code: '', title: '', description: '', price: 0, currency, stock: 0, status: true, category: '' },
  ...{ categoryPath: '', thumbnails: [], images: [], options: [], variants: [], draft: true, listPrice: null },
  ...{ lowestPrice30Days: null, related: [], version: 0, createdAt: '', updatedAt: '' },
});

interface ProductFormView {
  req: Request;
  product: ProductDto;
  /** The texts of the product as it is. */
  now: Fields;
  names: Categories;
  history: Movements | null;
  isNew: boolean;
  /** What is in the form instead of `now`. */
  fields?: Fields;
  boxes?: Fields;
  conflicts?: string[];
  theirs?: string[];
  faults?: Fields;
}

export function productFormView({ req, product, now, names, history, isNew, ...typed }: ProductFormView) {
  const { fields = isNew ? { ...now, price: '' } : now, boxes = {}, conflicts = [], faults = {} } = typed;
  const merged = typeof req.query.merged === 'string' ? req.query.merged.split(' ') : (typed.theirs ?? []);
  const labels = (list: string[]) =>
    list
      .filter((name) => name in now)
      .map((name) => labelOf(name, product))
      .join('; ');
  const own = req.method === 'POST' ? (req.body ?? {}) : {};
  return {
    title: isNew ? 'New product' : product.title,
    scripts: isNew ? [] : ['admin-product'],
    product,
    isNew,
    fields,
    faults,
    base: JSON.stringify(now),
    saved: req.query.saved === '1' && req.method === 'GET',
    merged: labels(merged),
    conflicts: conflicts.map((name) => ({
      name,
      label: labelOf(name, product),
      theirs: shown(now[name]),
      mine: shown(fields[name]),
    })),
    categories: names,
    options: [0, 1, 2].map((i) => ({
      i,
      number: i + 1,
      name: fields[`option-${i}-name`],
      values: fields[`option-${i}-values`],
      fault: faults[`option-${i}-name`] ?? faults[`option-${i}-values`],
    })),
    hasOptions: Object.entries(fields).some(([name, text]) => name.startsWith('option-') && text !== ''),
    combine: boxes.combine === 'on' || product.variants.length === 0,
    variants: product.variants.map(({ id, values, stock }) => ({
      ...{
        id,
        stock,
        text: values.join(', '),
        code: fields[`variant-${id}-code`],
        price: fields[`variant-${id}-price`],
      },
      pictures: product.images.map((image, n) => ({
        id: image.id,
        n: n + 1,
        chosen: fields[`variant-${id}-picture`] === image.id,
      })),
      removed: boxes[`remove-${id}`] === 'on',
      fault: ['code', 'price', 'picture', 'values'].map((part) => faults[`variant-${id}-${part}`]).find(Boolean),
    })),
    pictures: product.images.map((image, n) => ({ ...image, n: n + 1 })),
    picturesElsewhere: product.images.length === 0 && product.thumbnails.length > 0,
    own: { ...own, counted: own.how === 'counted' },
    movements: history?.items.map((one) => ({ ...one, ...causeOf(one, product) })),
    olderMovements: history?.next && `/admin/products/${product.id}?movements=${history.next}#stock`,
  };
}

const shown = (text = '') => (text === 'on' ? 'Yes' : text === '' ? 'Nothing' : text);

const CAUSES: Fields = {
  order: 'Sold',
  cancel: 'Order cancelled',
  refund: 'Came back',
  staff: 'Staff',
  reopen: 'Sold',
};

function causeOf({ cause, variantId, change }: Movements['items'][number], { variants }: ProductDto) {
  const [kind = '', id = ''] = cause.split(':');
  return {
    text: CAUSES[kind] ?? kind,
    order: ['order', 'cancel'].includes(kind) && id,
    variant: variants.find((one) => one.id === variantId)?.values.join(', '),
    signed: change > 0 ? `+${change}` : `−${-change}`,
  };
}
