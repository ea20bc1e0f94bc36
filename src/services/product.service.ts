/** The catalogue: products as the public and the staff see them, and every change of one. */
import { LRUCache } from 'lru-cache';
import { Types } from 'mongoose';
import { type Actor, authorize, visitor } from '../actor.ts';
import {
  Product,
  type ProductDocument,
  type ProductDto,
  type ProductImage,
  toProductDto,
} from '../models/product.model.ts';
import type { Page } from '../schemas/common.schema.ts';
import type {
  ChangeStock,
  CreateProduct,
  ListMovements,
  ListProducts,
  ReplaceProduct,
  UpdateProduct,
  UpdateVariant,
} from '../schemas/product.schema.ts';
import type { CatalogueIndex } from './catalogue-index.ts';
import { type CatalogueChangeList, changesAfter, hasHistory } from './catalogue-log.ts';
import type { CatalogueVersion } from './catalogue-version.ts';
import type { CatalogueWriter } from './catalogue-writer.ts';
import { pathOf } from './category-tree.ts';
import { expectVersion } from './expect-version.ts';
import { type Facets, toFacets } from './product-facets.ts';
import { PUBLIC_FIELDS, toFilter, toSort } from './product-query.ts';
import { changeProduct, noSuchProduct, type StoredChange, storeProduct, writeProducts } from './product-store.ts';
import { expectDerived, toVariants, withStock, withVariant } from './product-variants.ts';
import { movementsOf, type StockMovementPage } from './stock.ts';

interface ProductServiceDeps {
  catalogue: CatalogueWriter;
  version: CatalogueVersion;
  index: CatalogueIndex;
  /** The currency of products that name none. */
  currency: string;
}

/** A page of products; `corrected` are the words that were looked for in place of those that were typed. */
export type ProductList = Page<ProductDto> & { facets?: Facets; corrected?: string };

/** A product to be made, with pictures that exist already. */
export type NewProduct = CreateProduct & {
  id?: string;
  images: ProductImage[];
  /** Of a reduced one, as it is known from elsewhere. */
  lowestPriceBefore?: number;
  /** The name of the category above its own, when that is new. */
  under?: string;
};

export class ProductService {
  readonly #catalogue: CatalogueWriter;
  readonly #version: CatalogueVersion;
  readonly #index: CatalogueIndex;
  readonly #currency: string;
  /** Products that carts hold, each valid for one version; not used while the version is not known in memory. */
  readonly #recent = new LRUCache<string, { version: number; product: ProductDto }>({ max: 1000 });

  constructor({ catalogue, version, index, currency }: ProductServiceDeps) {
    this.#catalogue = catalogue;
    this.#version = version;
    this.#index = index;
    this.#currency = currency;
  }

  /** @throws AppError UNAUTHENTICATED, FORBIDDEN for drafts */
  async list(query: ListProducts, actor: Actor = visitor): Promise<ProductList> {
    const path = query.category === undefined ? undefined : await pathOf(query.category);
    if (query.draft) return this.#drafts(query, path, actor);
    const { ids, total, counts, corrected } = await this.#index.search({ ...query, path });
    const [docs, facets] = await Promise.all([
      Product.find({ _id: { $in: ids }, listed: true }, PUBLIC_FIELDS).lean(),
      counts && toFacets(counts, path),
    ]);
    const products = new Map(docs.map(toProductDto).map((product) => [product.id, product]));
    const items = ids.flatMap((id) => products.get(id) ?? []);
    return { ...pageOf(items, total, query), ...(facets && { facets }), ...(corrected !== undefined && { corrected }) };
  }

  /** A draft only for those who may change it. @throws AppError NOT_FOUND */
  async get(id: string, actor: Actor = visitor): Promise<ProductDto> {
    const shown = actor.permissions.includes('products:write') ? { deleted: false } : { listed: true };
    const doc = await Product.findOne({ _id: id, ...shown }, PUBLIC_FIELDS).lean();
    if (!doc) throw noSuchProduct();
    return toProductDto(doc);
  }

  /** Those that go with a product and are shown to the public, in its order. */
  async related({ related }: Pick<ProductDto, 'related'>): Promise<ProductDto[]> {
    const products = new Map((await this.getMany(related)).map((product) => [product.id, product]));
    return related.flatMap((id) => products.get(id) ?? []).filter(({ draft }) => !draft);
  }

  /** The products with these ids that are not deleted, drafts too, in no particular order. */
  async getMany(ids: readonly string[]): Promise<ProductDto[]> {
    const version = this.#version.known;
    const known = ids.flatMap((id) => {
      const entry = this.#recent.get(id);
      return entry?.version === version ? [entry.product] : [];
    });
    if (known.length === ids.length) return known;
    const docs = await Product.find({ _id: { $in: ids }, deleted: false }, PUBLIC_FIELDS).lean();
    const products = docs.map(toProductDto);
    if (version !== null) for (const product of products) this.#recent.set(product.id, { version, product });
    return products;
  }

  /** @throws AppError INVALID_INPUT, CODE_TAKEN */
  async create(actor: Actor, input: CreateProduct): Promise<ProductDto> {
    authorize(actor, 'products:write');
    const [product] = await writeProducts(this.#catalogue, async (_session, writes) => [
      await storeProduct(actor, null, this.#make({ ...input, images: [] }), writes),
    ]);
    return product as ProductDto;
  }

  /**
   * Creates all of them in a catalogue that has never held a product; in any other it does nothing. When several
   * instances do this at the same moment, one of them succeeds.
   * @returns those that were created
   * @throws AppError CODE_TAKEN when another instance was faster
   */
  fillNewCatalogue(actor: Actor, inputs: readonly NewProduct[]): Promise<ProductDto[]> {
    authorize(actor, 'products:write');
    return writeProducts(this.#catalogue, async (session, writes) => {
      if (await hasHistory(session)) return [];
      const stored: StoredChange[] = [];
      for (const { under, ...input } of inputs)
        stored.push(await storeProduct(actor, null, this.#make(input), writes, { under }));
      return stored;
    });
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT, CODE_TAKEN */
  replace(actor: Actor, id: string, input: ReplaceProduct, ifVersion?: number): Promise<ProductDto> {
    const { thumbnails, variants, ...fields } = { currency: this.#currency, ...input };
    return changeProduct(this.#catalogue, { actor, id, ifVersion }, (product) => {
      const known = toVariants(product.variants, variants);
      expectDerived(input, { variants: known });
      return { ...fields, variants: known, ...(thumbnails && { thumbnails }) };
    });
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT, CODE_TAKEN */
  update(actor: Actor, id: string, { variants, ...input }: UpdateProduct, ifVersion?: number): Promise<ProductDto> {
    return changeProduct(this.#catalogue, { actor, id, ifVersion }, (product) => {
      const fields = { ...input, ...(variants && { variants: toVariants(product.variants, variants) }) };
      expectDerived(input, { variants: fields.variants ?? product.variants });
      return fields;
    });
  }

  /** One variant without the others. @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT, CODE_TAKEN */
  updateVariant(
    actor: Actor,
    { pid, vid }: { pid: string; vid: string },
    input: UpdateVariant,
    ifVersion?: number,
  ): Promise<ProductDto> {
    return changeProduct(this.#catalogue, { actor, id: pid, ifVersion }, (product) => withVariant(product, vid, input));
  }

  /**
   * For what came, went or was counted.
   * @throws AppError NOT_FOUND, VERSION_MISMATCH, OUT_OF_STOCK when fewer are there, INVALID_INPUT
   */
  changeStock(actor: Actor, id: string, { reason, ...change }: ChangeStock, ifVersion?: number): Promise<ProductDto> {
    return changeProduct(this.#catalogue, { actor, id, ifVersion, reason }, (product) => withStock(product, change));
  }

  /** Every change of its stock, the newest first. @throws AppError NOT_FOUND */
  async movements(actor: Actor, id: string, query: ListMovements): Promise<StockMovementPage> {
    await this.expectChangeable(actor, id);
    return movementsOf(id, query);
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH */
  async remove(actor: Actor, id: string, ifVersion?: number): Promise<void> {
    await changeProduct(this.#catalogue, { actor, id, ifVersion }, () => ({ deleted: true }));
  }

  /**
   * What a change would be refused for at the moment, asked before work is spent on it.
   * @throws AppError UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VERSION_MISMATCH
   */
  async expectChangeable(actor: Actor, id: string, ifVersion?: number): Promise<void> {
    authorize(actor, 'products:write');
    const { version } = await this.get(id, actor);
    expectVersion('product', version, ifVersion);
  }

  /**
   * Tells everyone of products that have changed by something else than a write of staff, such as a sale, as they are
   * now. Those that are not shown to the public are left out.
   */
  async announce(ids: readonly string[]): Promise<void> {
    await writeProducts(this.#catalogue, async (session) => {
      const docs = await Product.find({ _id: { $in: ids }, listed: true }, PUBLIC_FIELDS)
        .session(session)
        .lean();
      return docs.map(toProductDto).map((product) => ({ product, told: { type: 'updated', product } }));
    });
  }

  /** What has changed after the change with the number `since`, oldest first. */
  async changesSince(since: number): Promise<CatalogueChangeList> {
    return changesAfter(since, await this.#version.current());
  }

  async #drafts(query: ListProducts, path: string | undefined, actor: Actor): Promise<ProductList> {
    authorize(actor, 'products:write');
    const { page, limit, sort } = query;
    const filter = toFilter(query, path);
    const [docs, total] = await Promise.all([
      Product.find(filter, PUBLIC_FIELDS)
        .sort(toSort(sort))
        .skip((page - 1) * limit)
        .limit(limit)
        .lean(),
      Product.countDocuments(filter),
    ]);
    return pageOf(docs.map(toProductDto), total, query);
  }

  #make({ id, ...input }: NewProduct): ProductDocument {
    const variants = toVariants([], input.variants);
    expectDerived(input, { variants });
    return new Product({
      ...(id && { _id: new Types.ObjectId(id) }),
      ...{ currency: this.#currency, price: 0, stock: 0, ...input, variants },
      ...{ listed: false, titleKey: ' ', categoryPaths: [] },
    });
  }
}

const pageOf = (items: ProductDto[], total: number, { page, limit }: ListProducts): Page<ProductDto> => ({
  ...{ items, total, page, limit },
  pages: Math.ceil(total / limit),
});
