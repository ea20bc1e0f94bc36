/** The catalogue. Each change is one transaction with its number in the sequence of the catalogue's changes. */
import { LRUCache } from 'lru-cache';
import type { ClientSession, QueryFilter } from 'mongoose';
import pLimit from 'p-limit';
import { type Actor, authorize } from '../actor.ts';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import type { ChangeType } from '../models/catalogue-change.model.ts';
import {
  Product,
  type ProductDocument,
  type ProductDto,
  type ProductFields,
  type ProductImage,
  toProductDto,
} from '../models/product.model.ts';
import type { Page } from '../schemas/common.schema.ts';
import type { CreateProduct, ListProducts, ReplaceProduct, UpdateProduct } from '../schemas/product.schema.ts';
import { recordStaffWrites, type StaffWrite } from './audit.service.ts';
import { type CatalogueChangeList, changesAfter, hasHistory, record } from './catalogue-log.ts';
import type { CatalogueVersion } from './catalogue-version.ts';
import { derivedFields } from './product-fields.ts';
import { PUBLIC_FIELDS, toFilter, toSort } from './product-query.ts';

const MAX_PICTURES = 20;

interface ProductServiceDeps {
  bus: EventBus;
  version: CatalogueVersion;
  /** The currency of products that name none. */
  currency: string;
}

/** A product to be made, with pictures that exist already. */
export type NewProduct = CreateProduct & { images: ProductImage[] };

export interface Category {
  name: string;
  count: number;
}

/** A product as it is written, and as it was; null when it is new. */
interface Changed {
  before: ProductDto | null;
  product: ProductDocument;
}

export class ProductService {
  readonly #bus: EventBus;
  readonly #version: CatalogueVersion;
  readonly #currency: string;
  /** One change at a time in this process, so that events leave in the order of their numbers. */
  readonly #oneAtATime = pLimit(1);
  /** Totals by version and filter: a count costs more than the page that it stands on. */
  readonly #totals = new LRUCache<string, number>({ max: 1000 });
  /** Products that carts hold, each valid for one version; not used while the version is not known in memory. */
  readonly #recent = new LRUCache<string, { version: number; product: ProductDto }>({ max: 1000 });

  constructor({ bus, version, currency }: ProductServiceDeps) {
    this.#bus = bus;
    this.#version = version;
    this.#currency = currency;
  }

  async list(query: ListProducts): Promise<Page<ProductDto>> {
    const { page, limit, sort } = query;
    const filter = toFilter(query);
    const [docs, total] = await Promise.all([
      Product.find(filter, PUBLIC_FIELDS)
        .sort(toSort(sort))
        .skip((page - 1) * limit)
        .limit(limit)
        .lean(),
      this.#count(filter),
    ]);
    return { items: docs.map(toProductDto), total, page, limit, pages: Math.ceil(total / limit) };
  }

  /** @throws AppError NOT_FOUND */
  async get(id: string): Promise<ProductDto> {
    const doc = await Product.findOne({ _id: id, deleted: false }, PUBLIC_FIELDS).lean();
    if (!doc) throw notFound();
    return toProductDto(doc);
  }

  /** The products with these ids that are not deleted, in no particular order. */
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

  /** Categories of the products for sale, by name. */
  async categories(): Promise<Category[]> {
    return Product.aggregate<Category>([
      { $match: { deleted: false, status: true } },
      { $group: { _id: '$category', count: { $sum: 1 } } },
      { $sort: { _id: 1 } },
      { $project: { _id: 0, name: '$_id', count: 1 } },
    ]);
  }

  /** @throws AppError CODE_TAKEN */
  create(actor: Actor, input: CreateProduct): Promise<ProductDto> {
    authorize(actor, 'products:write');
    return this.#commit(actor, 'created', async (session) => ({
      before: null,
      product: await this.#newProduct({ ...input, images: [] }).save({ session }),
    }));
  }

  /**
   * Creates all of them in a catalogue that has never held a product; in any other it does nothing. When several
   * instances do this at the same moment, one of them succeeds.
   * @returns those that were created
   * @throws AppError CODE_TAKEN when another instance was faster
   */
  fillNewCatalogue(actor: Actor, inputs: readonly NewProduct[]): Promise<ProductDto[]> {
    authorize(actor, 'products:write');
    return this.#commitAll(actor, 'created', async (session) => {
      if (await hasHistory(session)) return [];
      const products = await Product.insertMany(
        inputs.map((input) => this.#newProduct(input)),
        { session },
      );
      return products.map((product) => ({ before: null, product }));
    });
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, CODE_TAKEN */
  replace(actor: Actor, id: string, input: ReplaceProduct, ifVersion?: number): Promise<ProductDto> {
    const { thumbnails, ...fields } = { currency: this.#currency, ...input };
    return this.#change(actor, 'updated', id, ifVersion, () => ({ ...fields, ...(thumbnails && { thumbnails }) }));
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, CODE_TAKEN */
  update(actor: Actor, id: string, input: UpdateProduct, ifVersion?: number): Promise<ProductDto> {
    return this.#change(actor, 'updated', id, ifVersion, () => input);
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH */
  async remove(actor: Actor, id: string, ifVersion?: number): Promise<void> {
    await this.#change(actor, 'deleted', id, ifVersion, () => ({ deleted: true }));
  }

  /**
   * What a change would be refused for at the moment, asked before work is spent on it.
   * @throws AppError UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VERSION_MISMATCH
   */
  async expectChangeable(actor: Actor, id: string, ifVersion?: number): Promise<void> {
    authorize(actor, 'products:write');
    const { version } = await this.get(id);
    expectVersion(version, ifVersion);
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, LIMIT_REACHED with more than 20 pictures */
  addImages(actor: Actor, id: string, images: readonly ProductImage[], ifVersion?: number): Promise<ProductDto> {
    return this.#change(actor, 'updated', id, ifVersion, (product) => {
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
    await this.#tell('updated', async (session) => {
      const docs = await Product.find({ _id: { $in: ids }, deleted: false, draft: { $ne: true } }, PUBLIC_FIELDS)
        .session(session)
        .lean();
      return docs.map(toProductDto);
    });
  }

  /** What has changed after the change with the number `since`, oldest first. */
  async changesSince(since: number): Promise<CatalogueChangeList> {
    return changesAfter(since, await this.#version.current());
  }

  async #count(filter: QueryFilter<ProductFields>): Promise<number> {
    const key = `${await this.#version.current()} ${JSON.stringify(filter)}`;
    const known = this.#totals.get(key);
    if (known !== undefined) return known;
    const total = await Product.countDocuments(filter);
    this.#totals.set(key, total);
    return total;
  }

  async #change(
    actor: Actor,
    type: ChangeType,
    id: string,
    ifVersion: number | undefined,
    fieldsOf: (product: ProductDocument) => Partial<ProductFields>,
  ): Promise<ProductDto> {
    authorize(actor, 'products:write');
    return this.#commit(actor, type, async (session) => {
      const product = await Product.findOne({ _id: id, deleted: false }).session(session);
      if (!product) throw notFound();
      expectVersion(product.version, ifVersion);
      const before = toProductDto(product);
      product.set({ ...fieldsOf(product), version: product.version + 1 });
      product.set(derivedFields(product));
      return { before, product: await product.save({ session }) };
    });
  }

  #newProduct(input: NewProduct): ProductDocument {
    const fields = { currency: this.#currency, variants: [], draft: false, deleted: false, ...input };
    return new Product({ ...fields, ...derivedFields(fields) });
  }

  async #commit(
    actor: Actor,
    type: ChangeType,
    change: (session: ClientSession) => Promise<Changed>,
  ): Promise<ProductDto> {
    const products = await this.#commitAll(actor, type, async (session) => [await change(session)]);
    return products[0] as ProductDto;
  }

  /** Runs the change in a transaction with its entries in the catalogue's sequence and the record, then tells of each. */
  #commitAll(
    actor: Actor,
    type: ChangeType,
    change: (session: ClientSession) => Promise<Changed[]>,
  ): Promise<ProductDto[]> {
    return this.#tell(type, async (session) => {
      const changed = await change(session);
      await recordStaffWrites(
        actor,
        changed.map((one) => toStaffWrite(type, one)),
        session,
      );
      return changed.map(({ product }) => toProductDto(product));
    });
  }

  /** Does the work in a transaction with the catalogue's sequence, then tells of the products that it returns. */
  #tell(type: ChangeType, work: (session: ClientSession) => Promise<ProductDto[]>): Promise<ProductDto[]> {
    return this.#oneAtATime(async () => {
      try {
        const events = await inTransaction(async (session) => record(type, await work(session), session));
        for (const event of events) {
          this.#version.advanceTo(event.sequence);
          this.#bus.publish(`product.${type}`, event);
        }
        return events.map((event) => event.product);
      } catch (error) {
        if (isDuplicateKey(error)) throw new AppError('CODE_TAKEN', 'Another product has this code.');
        if (!(error instanceof AppError)) this.#version.forget();
        throw error;
      }
    });
  }
}

function toStaffWrite(type: ChangeType, { before, product }: Changed): StaffWrite {
  const after = toProductDto(product);
  return { action: `product.${type}`, targetId: after.id, before, after: type === 'deleted' ? null : after };
}

const notFound = () => new AppError('NOT_FOUND', 'There is no product with this id.');

function expectVersion(version: number, ifVersion: number | undefined): void {
  if (ifVersion !== undefined && ifVersion !== version)
    throw new AppError('VERSION_MISMATCH', `The product is at version ${version}.`);
}
