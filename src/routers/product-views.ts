/** Products as the pages show them: small plain objects for the views. */
import type { Page } from '../schemas/common.schema.ts';
import { type ReadQuery, SHOP_SORTS, type ShopQuery } from '../schemas/shop.schema.ts';
import type { CategoryService } from '../services/category.service.ts';
import type { ProductService } from '../services/product.service.ts';
import { pageLinks } from './page-links.ts';

type ProductDto = Awaited<ReturnType<ProductService['get']>>;
type Categories = Awaited<ReturnType<CategoryService['list']>>;

/** Stands for the picture of a product that has none. */
export const PLACEHOLDER = '/img/placeholder.webp';
/** Pictures that are in sight before anyone scrolls. */
const EAGER = 4;

const productView = (product: ProductDto) => ({
  ...product,
  picture: product.thumbnails[0] ?? PLACEHOLDER,
  buyable: product.status && product.stock > 0,
});

/** What a list needs to be kept up to date in the browser, and its items. */
function listView({ items, ...page }: Page<ProductDto>, sequence: number, currency: string) {
  return {
    ...page,
    sequence,
    items: items.map((item, i) => ({ ...productView(item), eager: i < EAGER })),
    // The browser fills it for products that arrive later.
    blank: { picture: PLACEHOLDER, price: 0, currency, stock: 0, status: true, buyable: false },
    ...(page.page > Math.max(page.pages, 1) && { beyond: true }),
  };
}

export function productPage(product: ProductDto, sequence: number) {
  const uploaded = product.images.map(({ url, width, height }) => ({ url, width, height }));
  const named = (product.thumbnails.length > 0 ? product.thumbnails : [PLACEHOLDER]).map((url) => ({
    url,
    width: 800,
    height: 800,
  }));
  const pictures = (uploaded.length > 0 ? uploaded : named).map((picture, i) => ({ ...picture, number: i + 1 }));
  return {
    title: product.title,
    description: product.description.slice(0, 160),
    scripts: ['product', 'cart'],
    sequence,
    product: productView(product),
    pictures,
    gallery: pictures.length > 1,
    categoryHref: shopHref({ category: product.category }),
  };
}

export function realtimePage(page: Page<ProductDto>, sequence: number, currency: string, faults: object) {
  const hrefOf = (number: number) => (number === 1 ? '/realtimeproducts' : `/realtimeproducts?page=${number}`);
  return {
    title: 'RealTimeProducts',
    active: 'realtimeproducts',
    scripts: ['realtimeproducts'],
    faults,
    first: page.page === 1,
    list: listView(page, sequence, currency),
    links: pageLinks(page.page, page.pages, hrefOf),
  };
}

interface Catalogue {
  asked: ReadQuery<ShopQuery>;
  page: Page<ProductDto>;
  categories: Categories;
  sequence: number;
  currency: string;
}

export function cataloguePage({ asked, page, categories, sequence, currency }: Catalogue) {
  const { query, given, accepted, faults } = asked;
  const { page: _page, ...kept } = accepted;
  const { sort: _sort, ...filters } = kept;
  const chips = Object.entries(filters).map(([name, text]) => ({
    name,
    text,
    href: shopHref({ ...kept, [name]: undefined }),
  }));
  return {
    title: query.category ?? (query.q ? `Search: ${query.q}` : 'Feira'),
    description: 'An open-air market on the web: the catalogue with prices and stock as they are now.',
    active: 'home',
    scripts: ['home', 'cart'],
    query,
    given,
    faults,
    list: listView(page, sequence, currency),
    links: pageLinks(page.page, page.pages, (number) => shopHref({ ...kept, page: String(number) })),
    whole: chips.length === 0,
    live: chips.length === 0 && query.sort === '-createdAt' && page.page === 1,
    chips,
    allHref: shopHref({ ...kept, category: undefined }),
    categories: categories.map(({ name, count }) => ({
      name,
      count,
      href: shopHref({ ...kept, category: name }),
      current: name === query.category,
    })),
    sorts: Object.entries(SHOP_SORTS).map(([value, label]) => ({ value, label, current: value === query.sort })),
    currency,
  };
}

/** The address of the catalogue with these filters; a change of filters starts at the first page. */
function shopHref({ page, ...filters }: Record<string, string | undefined>): string {
  const named = { ...filters, page: page === '1' ? undefined : page };
  const given = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length > 0 ? `/?${new URLSearchParams(given)}` : '/';
}
