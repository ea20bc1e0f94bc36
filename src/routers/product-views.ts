/** Products as the pages show them: small plain objects for the views. */
import type { Page } from '../schemas/common.schema.ts';
import { type ReadQuery, SHOP_SORTS, type ShopQuery } from '../schemas/shop.schema.ts';
import type { ProductService } from '../services/product.service.ts';
import { pageLinks } from './page-links.ts';

type ProductDto = Awaited<ReturnType<ProductService['get']>>;
type ProductList = Awaited<ReturnType<ProductService['list']>>;
type Facets = NonNullable<ProductList['facets']>;
type Categories = Facets['categories'];

/** Stands for the picture of a product that has none. */
export const PLACEHOLDER = '/img/placeholder.webp';
/** Pictures that are in sight before anyone scrolls. */
const EAGER = 4;

const productView = (product: ProductDto) => ({
  ...product,
  picture: product.thumbnails[0] ?? PLACEHOLDER,
  buyable: product.status && product.stock > 0,
  choosable: product.variants.length > 0,
  from: product.variants.some(({ price }) => price > product.price),
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

interface ProductPage {
  product: ProductDto;
  /** Its category and those above, from the top. */
  trail: { name: string; path: string }[];
  related: ProductDto[];
  sequence: number;
}

export function productPage({ product, trail, related, sequence }: ProductPage) {
  const pictures = picturesOf(product).map((picture, i) => ({ ...picture, number: i + 1 }));
  const view = productView(product);
  const crumbs = trail.map(({ name, path }) => ({ name, href: shopHref({ category: path }) }));
  return {
    title: product.title,
    description: product.description.slice(0, 160),
    scripts: ['product', 'cart'],
    sequence,
    product: view,
    pictures,
    gallery: pictures.length > 1,
    variants: variantViews(product),
    optionNames: product.options.map(({ name }) => name).join(', '),
    reduced: product.lowestPrice30Days !== null,
    related: related.map(productView),
    crumbs,
    categoryHref: crumbs.at(-1)?.href ?? shopHref({ category: product.category }),
  };
}

function picturesOf({ title, images, thumbnails }: ProductDto) {
  if (images.length > 0)
    return images.map(({ id, url, width, height, alt }) => ({ id, url, width, height, alt: alt || title }));
  const urls = thumbnails.length > 0 ? thumbnails : [PLACEHOLDER];
  return urls.map((url) => ({ url, width: 800, height: 800, alt: title }));
}

/** What can be chosen; chosen at first where there is one alone. */
function variantViews({ variants, status, currency }: ProductDto) {
  const buyable = variants.filter(({ stock }) => status && stock > 0);
  return variants.map((variant) => ({
    ...variant,
    currency,
    label: variant.values.join(', '),
    off: !buyable.includes(variant),
    chosen: buyable.length === 1 && buyable[0] === variant,
  }));
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
  page: ProductList;
  sequence: number;
  currency: string;
}

export function cataloguePage({ asked, page: { facets, corrected, ...page }, sequence, currency }: Catalogue) {
  const { query, given, accepted, faults } = asked;
  const { page: _page, ...kept } = accepted;
  const { sort: _sort, exact, ...filters } = kept;
  const categories = facets?.categories ?? [];
  const current =
    categories.find(({ name }) => name === query.category) ?? categories.find(({ path }) => path === query.category);
  const chips = Object.entries(filters).map(([name, text]) => ({
    name,
    text: name === 'category' ? (current?.name ?? text) : name === 'inStock' ? STOCK_WORDS[text] : text,
    href: shopHref({ ...kept, [name]: undefined, exact: name === 'q' ? undefined : exact }),
  }));
  return {
    title: current?.name ?? query.category ?? (query.q ? `Search: ${query.q}` : 'Feira'),
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
    category: current?.name ?? query.category,
    levels: levelsOf(categories, current?.path ?? '').map((level) =>
      level.map(({ name, path, count }) => ({
        name,
        count,
        href: shopHref({ ...kept, category: path }),
        current: path === current?.path,
        open: current?.path.startsWith(`${path}/`),
      })),
    ),
    sorts: Object.entries(SHOP_SORTS).map(([value, label]) => ({ value, label, current: value === query.sort })),
    currency,
    inStock: facets?.availability.inStock ?? 0,
    prices: (facets?.prices ?? []).map((range) => priceView(range, kept, query, currency)),
    ...(corrected !== undefined && { corrected, typedHref: shopHref({ ...kept, exact: 'true' }) }),
  };
}

const STOCK_WORDS: Record<string, string> = { true: 'In stock', false: 'Sold out' };

/** A range of prices as a link; the one that is chosen leads back to all. */
function priceView(
  { min, max, count }: Facets['prices'][number],
  kept: Record<string, string>,
  { from, to }: ShopQuery,
  currency: string,
) {
  const current = from === (min ?? undefined) && to === (max ?? undefined);
  const ends = current ? {} : { from: amountText(min, currency), to: amountText(max, currency) };
  const href = shopHref({ ...kept, from: undefined, to: undefined, ...ends });
  return { min, max, below: max === null ? null : max + 1, count, currency, current, href };
}

/** An amount as the fields for prices take it. */
function amountText(minorUnits: number | null, currency: string): string | undefined {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return minorUnits === null ? undefined : (minorUnits / 10 ** digits).toFixed(digits);
}

/** The categories at the top, and below each one on the way to `path`. */
function levelsOf(categories: Categories, path: string): Categories[] {
  const slugs = path.split('/').filter(Boolean);
  const parents = ['', ...slugs.map((_slug, i) => slugs.slice(0, i + 1).join('/'))];
  return parents
    .map((parent) => categories.filter((one) => one.path.split('/').slice(0, -1).join('/') === parent))
    .filter((level) => level.length > 0);
}

/** The address of the catalogue with these filters; a change of filters starts at the first page. */
function shopHref({ page, ...filters }: Record<string, string | undefined>): string {
  const named = { ...filters, page: page === '1' ? undefined : page };
  const given = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined);
  // The slashes of a category's path need no escape.
  return given.length > 0 ? `/?${new URLSearchParams(given).toString().replaceAll('%2F', '/')}` : '/';
}
