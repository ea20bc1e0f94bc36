/**
 * Carts. A change reads the cart, applies the rules of cart-lines.ts, and writes it only if nobody else has in the
 * meantime, otherwise again from the start: of parallel changes none is lost.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Types } from 'mongoose';
import { AppError, nullIfNotFound } from '../errors.ts';
import { Cart, type CartDto, type CartFields, toCartDto } from '../models/cart.model.ts';
import type { ProductDto } from '../models/product.model.ts';
import type { CartItemInput } from '../schemas/cart.schema.ts';
import { type CartLines, noLines, quantityOf, withoutProduct, withQuantity } from './cart-lines.ts';
import { priceLines } from './cart-totals.ts';
import type { ProductService } from './product.service.ts';

const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
const ATTEMPTS = 50;

/** Who holds a cart shows this; the id alone opens nothing. */
export interface CartKey {
  id: string;
  secret: string;
}

interface CartServiceDeps {
  products: Pick<ProductService, 'getMany'>;
  /** What an empty cart is shown in. */
  currency: string;
}

export interface HeldCart {
  cart: CartDto;
  key: CartKey;
}

type CartRecord = CartFields & { _id: Types.ObjectId };
type Catalogue = ReadonlyMap<string, ProductDto>;

/** Every method that takes a key throws AppError NOT_FOUND when it fits no cart, or one that has expired. */
export class CartService {
  readonly #products: Pick<ProductService, 'getMany'>;
  readonly #currency: string;
  /** The last change of each cart that is being changed. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor({ products, currency }: CartServiceDeps) {
    this.#products = products;
    this.#currency = currency;
  }

  /** Makes a cart and the key to it, which is told this once. @throws as `replaceItems` does */
  async create(items: readonly CartItemInput[] = []): Promise<HeldCart> {
    const catalogue = await this.#read(items.map((item) => item.productId));
    const secret = randomBytes(32).toString('base64url');
    const lines = linesFor(items, catalogue);
    const doc = await Cart.create({ ...lines, secretHash: hashOf(secret), expiresAt: nextExpiry() });
    const cart = this.#toDto(doc, catalogue);
    return { cart, key: { id: cart.id, secret } };
  }

  async get(key: CartKey): Promise<CartDto> {
    const doc = await find(key);
    return this.#toDto(doc, await this.#read(productIds(doc)));
  }

  /** Units in the cart; null when the key fits none. Cheaper than `get`. */
  async countUnits(key: CartKey): Promise<number | null> {
    const doc = await Cart.findOne(heldBy(key), { items: 1 }).lean();
    return doc ? doc.items.reduce((sum, line) => sum + line.quantity, 0) : null;
  }

  /** Adds up with what is there. @throws AppError NOT_FOUND, VERSION_MISMATCH, and as `withQuantity` */
  addItem(key: CartKey, { productId, quantity }: CartItemInput, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [productId], (lines, catalogue) =>
      withQuantity(lines, inCatalogue(catalogue, productId), quantityOf(lines, productId) + quantity),
    );
  }

  /**
   * Adds to the visitor's own cart, and makes one when there is none, or none any more: the first addition needs no
   * step before it. @throws AppError as `addItem` does, NOT_FOUND only for the product
   */
  async addToOwn(key: CartKey | null, item: CartItemInput, ifVersion?: number): Promise<HeldCart> {
    const cart = key && (await this.addItem(key, item, ifVersion).catch(nullIfNotFound));
    if (cart) return { cart, key };
    if (ifVersion !== undefined) throw new AppError('VERSION_MISMATCH', 'There is no cart yet.');
    return this.create([item]);
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, and as `withQuantity` */
  setItem(key: CartKey, { productId, quantity }: CartItemInput, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [productId], (lines, catalogue) =>
      withQuantity(lines, inCatalogue(catalogue, productId), quantity),
    );
  }

  /** @throws AppError NOT_FOUND also when the product is not in the cart, VERSION_MISMATCH */
  removeItem(key: CartKey, productId: string, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [], (lines) => withoutProduct(lines, productId));
  }

  /** All lines new; a product that occurs twice becomes one line. @throws AppError NOT_FOUND and as `withQuantity` */
  replaceItems(key: CartKey, items: readonly CartItemInput[], ifVersion?: number): Promise<CartDto> {
    const ids = items.map((item) => item.productId);
    return this.#change(key, ifVersion, ids, (_lines, catalogue) => linesFor(items, catalogue));
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH */
  empty(key: CartKey, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [], () => noLines);
  }

  /** @param needed the products that `edit` asks the catalogue for */
  #change(
    key: CartKey,
    ifVersion: number | undefined,
    needed: readonly string[],
    edit: (lines: CartLines, catalogue: Catalogue) => CartLines,
  ): Promise<CartDto> {
    return this.#inTurn(key, () => this.#compareAndSet(key, ifVersion, needed, edit));
  }

  /** Changes of one cart in this process wait for each other; against other processes the version guards. */
  async #inTurn<T>({ id, secret }: CartKey, work: () => Promise<T>): Promise<T> {
    // With the secret, so that nobody can keep the holder waiting.
    const name = `${id}.${secret}`;
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work, work);
    this.#turns.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }

  async #compareAndSet(
    key: CartKey,
    ifVersion: number | undefined,
    needed: readonly string[],
    edit: (lines: CartLines, catalogue: Catalogue) => CartLines,
  ): Promise<CartDto> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const [before, known] = await Promise.all([find(key), this.#read(needed)]);
      if (ifVersion !== undefined && ifVersion !== before.version)
        throw new AppError('VERSION_MISMATCH', `The cart is at version ${before.version}.`);
      const lines = edit(before, known);
      const [after, others] = await Promise.all([
        replaceLines(before, lines),
        this.#read(productIds(lines).filter((id) => !known.has(id))),
      ]);
      if (after) return this.#toDto(after, new Map([...known, ...others]));
      await delay(Math.random() * attempt);
    }
    throw new AppError('CONCURRENT_CHANGE', 'The cart is being changed by many requests at once.');
  }

  async #read(ids: readonly string[]): Promise<Catalogue> {
    const products = await this.#products.getMany([...new Set(ids)]);
    return new Map(products.map((product) => [product.id, product]));
  }

  #toDto(doc: CartRecord, catalogue: Catalogue): CartDto {
    const priced = priceLines(doc.items, catalogue, doc.currency ?? this.#currency);
    return toCartDto(doc, priced, this.#currency);
  }
}

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const nextExpiry = () => new Date(Date.now() + KEPT_MS);
const productIds = ({ items }: CartLines) => items.map((line) => line.productId.toHexString());

/** Ownership is part of the query: without the right secret there is no such cart. */
const heldBy = ({ id, secret }: CartKey) => ({ _id: id, secretHash: hashOf(secret), expiresAt: { $gt: new Date() } });

async function find(key: CartKey): Promise<CartRecord> {
  const doc = await Cart.findOne(heldBy(key)).lean();
  if (!doc) throw new AppError('NOT_FOUND', 'There is no such cart, or it is not yours.');
  return doc;
}

/** @returns null when the cart has changed since `before` was read; nothing is written then. */
function replaceLines(before: CartRecord, { items, currency }: CartLines): Promise<CartRecord | null> {
  return Cart.findOneAndUpdate(
    { _id: before._id, version: before.version },
    { $set: { items, currency, expiresAt: nextExpiry() }, $inc: { version: 1 } },
    { returnDocument: 'after' },
  ).lean();
}

function linesFor(items: readonly CartItemInput[], catalogue: Catalogue): CartLines {
  return items.reduce(
    (lines, { productId, quantity }) =>
      withQuantity(lines, inCatalogue(catalogue, productId), quantityOf(lines, productId) + quantity),
    noLines,
  );
}

function inCatalogue(catalogue: Catalogue, productId: string): ProductDto {
  const product = catalogue.get(productId);
  if (!product) throw new AppError('NOT_FOUND', 'There is no product with this id.', { productId });
  return product;
}
