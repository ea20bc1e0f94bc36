/** The catalogue: products as the public and the staff see them, and every change of one. */
import { LRUCache } from 'lru-cache';
import { type ClientSession, Types } from 'mongoose';
import { type Actor, authorize, visitor } from '../actor.ts';
import { isDuplicateKey } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import {
  Product,
  type ProductDocument,
  type ProductDto,
  type ProductFields,
  type ProductImage,
  toProductDto,
} from '../models/product.model.ts';
import type { Page } from '../schemas/common.schema.ts';
import type {
  ArrangeImages,
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
import { type StoredChange, storeProduct } from './product-store.ts';
import { expectDerived, toVariants } from './product-variants.ts';
import { movementsOf, type StockMovementPage } from './stock.ts';

const MAX_PICTURES = 20;
const MAX_STOCK = 1_000_000;

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
    if (!doc) throw notFound();
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
    const [product] = await this.#write(async (session) => [
      await storeProduct(actor, null, this.#make({ ...input, images: [] }), session),
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
    return this.#write(async (session) => {
      if (await hasHistory(session)) return [];
      const stored: StoredChange[] = [];
      for (const { under, ...input } of inputs)
        stored.push(await storeProduct(actor, null, this.#make(input), session, { under }));
      return stored;
    });
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT, CODE_TAKEN */
  replace(actor: Actor, id: string, input: ReplaceProduct, ifVersion?: number): Promise<ProductDto> {
    const { thumbnails, variants, ...fields } = { currency: this.#currency, ...input };
    return this.#change(actor, id, ifVersion, (product) => {
      const known = toVariants(product.variants, variants);
      expectDerived(input, { variants: known });
      return { ...fields, variants: known, ...(thumbnails && { thumbnails }) };
    });
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT, CODE_TAKEN */
  update(actor: Actor, id: string, { variants, ...input }: UpdateProduct, ifVersion?: number): Promise<ProductDto> {
    return this.#change(actor, id, ifVersion, (product) => {
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
    return this.#change(actor, pid, ifVersion, (product) => {
      const { variants } = toProductDto(product);
      if (!variants.some(({ id }) => id === vid)) throw new AppError('NOT_FOUND', 'The product has no such variant.');
      return { variants: variants.map((one) => (one.id === vid ? { ...one, ...input } : one)) };
    });
  }

  /** For what came, went or was counted. @throws AppError NOT_FOUND, OUT_OF_STOCK when fewer are there, INVALID_INPUT */
  changeStock(actor: Actor, id: string, { change = 0, counted, reason, variantId }: ChangeStock): Promise<ProductDto> {
    const changed = (stock: number) => {
      const after = counted ?? stock + change;
      if (after < 0) throw new AppError('OUT_OF_STOCK', `There are only ${stock}.`, { available: stock });
      if (after > MAX_STOCK) throw invalidInput([{ pointer: '#/change', detail: `must leave at most ${MAX_STOCK}` }]);
      return after;
    };
    return this.#change(
      actor,
      id,
      undefined,
      (product) => {
        const { variants, stock } = toProductDto(product);
        if (variantId === null && variants.length === 0) return { stock: changed(stock) };
        if (!variants.some((one) => one.id === variantId))
          throw invalidInput([{ pointer: '#/variantId', detail: 'must be one of the variants' }]);
        return {
          variants: variants.map((one) => (one.id === variantId ? { ...one, stock: changed(one.stock) } : one)),
        };
      },
      reason,
    );
  }

  /** Every change of its stock, the newest first. @throws AppError NOT_FOUND */
  async movements(actor: Actor, id: string, query: ListMovements): Promise<StockMovementPage> {
    await this.expectChangeable(actor, id);
    return movementsOf(id, query);
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH */
  async remove(actor: Actor, id: string, ifVersion?: number): Promise<void> {
    await this.#change(actor, id, ifVersion, () => ({ deleted: true }));
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

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, LIMIT_REACHED with more than 20 pictures */
  addImages(actor: Actor, id: string, images: readonly ProductImage[], ifVersion?: number): Promise<ProductDto> {
    return this.#change(actor, id, ifVersion, (product) => {
      if (Math.max(product.images.length, product.thumbnails.length) + images.length > MAX_PICTURES)
        throw new AppError('LIMIT_REACHED', `A product has at most ${MAX_PICTURES} pictures.`, { limit: MAX_PICTURES });
      return {
        images: [...product.images, ...images],
        thumbnails: [...product.thumbnails, ...images.map((image) => image.thumbnail)],
      };
    });
  }

  /**
   * Tells everyone of products that have changed by something else than a write of staff, such as a sale, as they are
   * now. Those that are not shown to the public are left out.
   */
  async announce(ids: readonly string[]): Promise<void> {
    await this.#write(async (session) => {
      const docs = await Product.find({ _id: { $in: ids }, listed: true }, PUBLIC_FIELDS)
        .session(session)
        .lean();
      return docs.map(toProductDto).map((product) => ({ product, told: { type: 'updated', product } }));
    });
  }

  /**
   * Puts the pictures into this order, with these words for those who do not see them.
   * @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT unless each picture is named once
   */
  arrangeImages(actor: Actor, id: string, order: ArrangeImages, ifVersion?: number): Promise<ProductDto> {
    return this.#change(actor, id, ifVersion, (product) => {
      const { images, thumbnails } = toProductDto(product);
      const arranged = order.flatMap(({ id, alt }) => {
        const image = images.find((one) => one.id === id);
        return image ? [{ ...image, alt }] : [];
      });
      if (arranged.length !== images.length || new Set(arranged.map((image) => image.id)).size !== images.length)
        throw invalidInput([{ pointer: '#', detail: 'must name each picture of the product once' }]);
      const small = arranged.map(({ thumbnail }) => thumbnail);
      return { images: arranged, thumbnails: [...small, ...thumbnails.filter((url) => !small.includes(url))] };
    });
  }

  /** @returns the product without the picture, and the picture @throws AppError NOT_FOUND, VERSION_MISMATCH */
  async removeImage(
    actor: Actor,
    { pid, iid }: { pid: string; iid: string },
    ifVersion?: number,
  ): Promise<{ product: ProductDto; image: ProductImage }> {
    let removed: ProductImage | undefined;
    const product = await this.#change(actor, pid, ifVersion, (before) => {
      const { images, thumbnails, variants } = toProductDto(before);
      removed = images.find(({ id }) => id === iid);
      if (!removed) throw new AppError('NOT_FOUND', 'The product has no such picture.');
      return {
        images: images.filter(({ id }) => id !== iid),
        thumbnails: thumbnails.filter((url) => url !== removed?.thumbnail),
        variants: variants.map((one) => (one.picture === iid ? { ...one, picture: null } : one)),
      };
    });
    return { product, image: removed as ProductImage };
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

  async #change(
    actor: Actor,
    id: string,
    ifVersion: number | undefined,
    fieldsOf: (product: ProductDocument) => Partial<ProductFields>,
    reason?: string,
  ): Promise<ProductDto> {
    authorize(actor, 'products:write');
    const [changed] = await this.#write(async (session) => {
      const product = await Product.findOne({ _id: id, deleted: false }).session(session);
      if (!product) throw notFound();
      expectVersion('product', product.version, ifVersion);
      const before = toProductDto(product);
      product.set(fieldsOf(product));
      return [await storeProduct(actor, before, product, session, { reason })];
    });
    return changed as ProductDto;
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

  async #write(work: (session: ClientSession) => Promise<StoredChange[]>): Promise<ProductDto[]> {
    try {
      return await this.#catalogue.write(async (session) => {
        const stored = await work(session);
        return { result: stored.map((one) => one.product), changes: stored.flatMap(({ told }) => told ?? []) };
      });
    } catch (error) {
      if (isDuplicateKey(error)) throw new AppError('CODE_TAKEN', 'Another product or variant has this code.');
      throw error;
    }
  }
}

const pageOf = (items: ProductDto[], total: number, { page, limit }: ListProducts): Page<ProductDto> => ({
  ...{ items, total, page, limit },
  pages: Math.ceil(total / limit),
});

const notFound = () => new AppError('NOT_FOUND', 'There is no product with this id.');
