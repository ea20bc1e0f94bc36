/**
 * Carts. A change reads the cart, applies the rules of cart-lines.ts, and writes it only if nobody else has in the
 * meantime, otherwise again from the start: of parallel changes none is lost.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientSession } from 'mongoose';
import { inTransaction, isDuplicateKey, upserting } from '../database/transaction.ts';
import { AppError, invalidInput, nullIfNotFound } from '../errors.ts';
import {
  Cart,
  type CartDto,
  type CartFields,
  type CartMerge,
  type CartShipping,
  type CheckoutCart,
  toCartDto,
} from '../models/cart.model.ts';
import { type ProductDto, type Unit, unitOf } from '../models/product.model.ts';
import type { CartItemInput, ChooseShipping } from '../schemas/cart.schema.ts';
import { deliveredTo, type ShopRules } from '../shop-rules.ts';
import {
  type CartLines,
  mergeLines,
  noLines,
  quantityOf,
  type UnitId,
  withoutUnit,
  withQuantity,
} from './cart-lines.ts';
import { priceCart, toCheckoutCart } from './cart-pricing.ts';
import {
  type AccountKey,
  type CartChange,
  type CartKey,
  type CartRecord,
  find,
  findAlsoClosed,
  type GuestKey,
  hashOf,
  heldBy,
  nextExpiry,
  write,
} from './cart-store.ts';
import { quoteCoupon } from './coupon-uses.ts';
import { expectVersion } from './expect-version.ts';
import { inTransactionOnce, type Once, type OnceKey } from './idempotency.ts';
import type { ProductService } from './product.service.ts';
import { Turns } from './turns.ts';

const ATTEMPTS = 50;
/** How long a login's effect on the cart is news. */
const NEWS_MS = 30 * 60 * 1000;

export type { AccountKey, CartDto, CartKey, CartMerge, CheckoutCart, GuestKey };

interface CartServiceDeps {
  products: Pick<ProductService, 'getMany'>;
  /** What an empty cart is shown in, and delivery is paid in. */
  currency: string;
  rules: ShopRules;
  /** Makes the secrets of carts that are created under an idempotency key, so that none is stored for a repeat. */
  guestSecret: string;
}

export interface HeldCart {
  cart: CartDto;
  key: CartKey;
  /** It is the answer of an earlier request with the same idempotency key. */
  replayed: boolean;
}

const nothingMerged: CartMerge = { merged: [], reduced: [], leftOut: [] };

type Catalogue = ReadonlyMap<string, ProductDto>;
type Edit = (cart: CartRecord, catalogue: Catalogue) => CartChange;

/** Every method that takes a key throws AppError NOT_FOUND when it fits no cart, or one that has expired. */
export class CartService {
  readonly #products: Pick<ProductService, 'getMany'>;
  readonly #shop: { currency: string; rules: ShopRules };
  readonly #guestSecret: string;
  readonly #turns = new Turns();

  constructor({ products, currency, rules, guestSecret }: CartServiceDeps) {
    this.#products = products;
    this.#shop = { currency, rules };
    this.#guestSecret = guestSecret;
  }

  /** Makes a guest's cart and the key to it, which is told this once. @throws as `replaceItems` does */
  async create(
    items: readonly CartItemInput[] = [],
    once: OnceKey | null = null,
  ): Promise<HeldCart & { key: GuestKey }> {
    const secret = once ? this.#secretUnder(once) : randomBytes(32).toString('base64url');
    const holder = () => ({ secretHash: hashOf(secret), expiresAt: nextExpiry() });
    const { result: cart, replayed } = await doOnce(once, (session) => this.#create(holder(), items, session));
    return { cart, key: { id: cart.id, secret }, replayed };
  }

  /**
   * Opens the account's one cart and adds to what is there.
   * @returns `created` when there was none
   * @throws as `addItem` does
   */
  async open(
    { owner }: AccountKey,
    items: readonly CartItemInput[] = [],
    once: OnceKey | null = null,
  ): Promise<Omit<HeldCart, 'key'> & { created: boolean }> {
    const add = async () => {
      if (items.length === 0) return { cart: await this.get({ owner }), created: false, replayed: false };
      const { result: cart, replayed } = await this.#add({ owner }, items, undefined, once);
      // No addition leaves a first version: then the repeat is one of the creation.
      return { cart, created: replayed && cart.version === 1, replayed };
    };
    const opened = await add().catch(nullIfNotFound);
    if (opened) return opened;
    try {
      const { result: cart, replayed } = await doOnce(once, (session) => this.#create({ owner }, items, session));
      return { cart, created: true, replayed };
    } catch (error) {
      // It was opened by another request in the meantime.
      if (isDuplicateKey(error)) return add();
      throw error;
    }
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
  addItem(key: CartKey, item: CartItemInput, ifVersion?: number, once: OnceKey | null = null): Promise<Once<CartDto>> {
    return this.#add(key, [item], ifVersion, once);
  }

  /**
   * Adds to the caller's own cart, and makes one when there is none, or none any more: the first addition needs no
   * step before it. @throws AppError as `addItem` does, NOT_FOUND only for the product
   */
  async addToOwn(
    key: CartKey | null,
    item: CartItemInput,
    ifVersion?: number,
    once: OnceKey | null = null,
  ): Promise<HeldCart> {
    const added = key && (await this.addItem(key, item, ifVersion, once).catch(nullIfNotFound));
    if (added) {
      const { result: cart, replayed } = added;
      // The request that this one repeats may have found the cart gone, and made another one.
      const isOther = once && 'secret' in key && key.id !== cart.id;
      return { cart, key: isOther ? { id: cart.id, secret: this.#secretUnder(once) } : key, replayed };
    }
    if (ifVersion !== undefined) throw new AppError('VERSION_MISMATCH', 'There is no cart yet.');
    return key && 'owner' in key ? { ...(await this.open(key, [item], once)), key } : this.create([item], once);
  }

  /** @throws AppError NOT_FOUND, INVALID_INPUT, VERSION_MISMATCH, and as `withQuantity` */
  setItem(key: CartKey, item: CartItemInput, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [item.productId], (lines, catalogue) =>
      withQuantity(lines, inCatalogue(catalogue, item), item.quantity),
    );
  }

  /** @throws AppError NOT_FOUND also when the product is not in the cart, VERSION_MISMATCH */
  removeItem(key: CartKey, unit: UnitId, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [], (lines) => withoutUnit(lines, unit));
  }

  /** All lines new; a product that occurs twice becomes one line. @throws AppError NOT_FOUND and as `withQuantity` */
  replaceItems(key: CartKey, items: readonly CartItemInput[], ifVersion?: number): Promise<CartDto> {
    const ids = items.map((item) => item.productId);
    return this.#change(key, ifVersion, ids, (_lines, catalogue) => withItems(noLines, items, catalogue));
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH */
  empty(key: CartKey, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [], () => noLines);
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, COUPON_NOT_VALID for the cart as it is */
  async setCoupon(key: CartKey, code: string, ifVersion?: number): Promise<CartDto> {
    const { totals, currency } = await this.get(key);
    const coupon = await quoteCoupon(code, { subtotal: totals.subtotal, currency, now: new Date() });
    return this.#change(key, ifVersion, [], () => ({ coupon: coupon.code }));
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH */
  removeCoupon(key: CartKey, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [], () => ({ coupon: null }));
  }

  /**
   * Chooses where to and how; the cheapest way when none is named.
   * @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT for a country or a method that is not offered
   */
  async setShipping(key: CartKey, { country, region, method }: ChooseShipping, ifVersion?: number): Promise<CartDto> {
    const cart = await find(key);
    const wanted = { country, region, method: method ?? '' };
    const { shipping } = await priceCart(cart, await this.#read(productIds(cart)), this.#shop, wanted);
    if (!shipping?.method) throw invalidInput([{ pointer: '#/country', detail: 'is not one that we deliver to' }]);
    if (method !== undefined) expectOffered(method, shipping.method.id, '#/method');
    const chosen = { ...wanted, method: shipping.method.id };
    return this.#change(key, ifVersion, [], () => ({ shipping: chosen }));
  }

  /** The countries that the shop delivers to, and whether a tax differs within one of them. */
  destinations(): { countries: readonly string[]; regional: boolean } {
    const { rules } = this.#shop;
    return { countries: deliveredTo(rules), regional: rules.taxes.some(({ region }) => region) };
  }

  /**
   * Brings a guest's cart into the one of the account that they log in to. The guest's cart is gone in the same moment,
   * so that nothing comes twice, however often or from however many places somebody logs in.
   * @param guest shows the cart; one that is not there any more brings nothing
   */
  mergeAtLogin(owner: string, { id, secret }: { id?: string | undefined; secret: string }): Promise<CartMerge> {
    const merge = () =>
      inTransaction(async (session) => {
        const guest = await Cart.findOneAndDelete(heldBy({ id, secret }), { session }).lean();
        if (!guest || guest.items.length === 0) return nothingMerged;
        // A write at first, so that nobody else changes the cart until the commit.
        const own = await Cart.findOneAndUpdate(
          { owner },
          { $setOnInsert: linesOf(noLines), $inc: { version: 1 } },
          { session, upsert: true, returnDocument: 'after', setDefaultsOnInsert: false },
        ).lean();
        const { lines, report } = mergeLines(own, guest, await this.#read(productIds(guest)));
        const chosen = { coupon: own.coupon ?? guest.coupon ?? null, shipping: own.shipping ?? guest.shipping ?? null };
        const lastMerge = { ...report, at: new Date() };
        await Cart.updateOne({ _id: own._id }, { $set: { ...linesOf(lines), ...chosen, lastMerge } }, { session });
        return report;
      });
    return this.#inTurn({ owner }, () => upserting(merge));
  }

  /** What the last login has brought, for half an hour or until the cart changes; null when that is nothing. */
  async lastMerge({ owner }: AccountKey): Promise<CartMerge | null> {
    const since = new Date(Date.now() - NEWS_MS);
    const doc = await Cart.findOne({ owner, 'lastMerge.at': { $gt: since } }, { lastMerge: 1 }).lean();
    return doc?.lastMerge ?? null;
  }

  /**
   * The cart as it can be bought now, delivered as asked; of one that was checked out before, its order.
   * @throws AppError NOT_FOUND, CART_EMPTY, INVALID_INPUT at `#/shippingMethod` when it is not offered there
   */
  async readForCheckout(key: CartKey, delivery: CartShipping): Promise<CheckoutCart | { order: string }> {
    const doc = await findAlsoClosed(key);
    if (doc.order) return { order: doc.order.toHexString() };
    if (doc.items.length === 0) throw new AppError('CART_EMPTY', 'There is nothing in the cart.');
    const parts = await priceCart(doc, await this.#read(productIds(doc)), this.#shop, delivery);
    const method = parts.shipping?.method;
    expectOffered(delivery.method, method?.id, '#/shippingMethod');
    return toCheckoutCart(doc, parts, {
      currency: doc.currency ?? this.#shop.currency,
      shipping: { method: delivery.method, title: method?.title ?? '', price: parts.totals.shipping },
    });
  }

  async #create(
    holder: Pick<CartFields, 'secretHash' | 'expiresAt'> | { owner: string },
    items: readonly CartItemInput[],
    session: ClientSession | null,
  ): Promise<CartDto> {
    const catalogue = await this.#read(items.map((item) => item.productId));
    const doc = await new Cart({ ...withItems(noLines, items, catalogue), ...holder }).save({ session });
    return this.#toDto(doc, catalogue);
  }

  #add(
    key: CartKey,
    items: readonly CartItemInput[],
    ifVersion: number | undefined,
    once: OnceKey | null,
  ): Promise<Once<CartDto>> {
    const ids = items.map((item) => item.productId);
    const edit: Edit = (lines, catalogue) => withItems(lines, items, catalogue);
    return this.#inTurn(key, () => doOnce(once, (session) => this.#compareAndSet(key, ifVersion, ids, edit, session)));
  }

  #secretUnder(once: OnceKey): string {
    return createHmac('sha256', this.#guestSecret).update(once.id).digest('base64url');
  }

  /** @param needed the products that `edit` asks the catalogue for */
  #change(key: CartKey, ifVersion: number | undefined, needed: readonly string[], edit: Edit): Promise<CartDto> {
    return this.#inTurn(key, () => this.#compareAndSet(key, ifVersion, needed, edit, null));
  }

  /** Changes of one cart in this process wait for each other; against other processes the version guards. */
  #inTurn<T>(key: CartKey, work: () => Promise<T>): Promise<T> {
    // With the secret, so that nobody can keep the holder waiting.
    return this.#turns.take('owner' in key ? key.owner : `${key.id}.${key.secret}`, work);
  }

  async #compareAndSet(
    key: CartKey,
    ifVersion: number | undefined,
    needed: readonly string[],
    edit: Edit,
    session: ClientSession | null,
  ): Promise<CartDto> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const [before, known] = await Promise.all([find(key, session), this.#read(needed)]);
      expectVersion('cart', before.version, ifVersion);
      const change = edit(before, known);
      const [after, others] = await Promise.all([
        write(before, change, session),
        this.#read(productIds({ ...before, ...change }).filter((id) => !known.has(id))),
      ]);
      if (after) return this.#toDto(after, new Map([...known, ...others]));
      await delay(Math.random() * attempt);
    }
    throw new AppError('CONCURRENT_CHANGE', 'The cart is being changed by many requests at once.');
  }

  async #read(ids: readonly string[]): Promise<Catalogue> {
    const products = await this.#products.getMany([...new Set(ids)]);
    // Drafts are hidden: a product that has become one is as good as gone.
    return new Map(products.filter(({ draft }) => !draft).map((product) => [product.id, product]));
  }

  async #toDto(doc: CartRecord, catalogue: Catalogue): Promise<CartDto> {
    return toCartDto(doc, await priceCart(doc, catalogue, this.#shop), this.#shop.currency);
  }
}

/** With a key, in a transaction that keeps the answer; without, `work` is one write and needs none. */
async function doOnce<T>(once: OnceKey | null, work: (session: ClientSession | null) => Promise<T>): Promise<Once<T>> {
  return once ? inTransactionOnce(once, work) : { result: await work(null), replayed: false };
}

const productIds = ({ items }: CartLines) => items.map((line) => line.productId.toHexString());

const linesOf = ({ items, currency }: CartLines) => ({ items, currency });

/** The lines with these added up. @throws AppError NOT_FOUND for a product, INVALID_INPUT, and as `withQuantity` does */
function withItems(lines: CartLines, items: readonly CartItemInput[], catalogue: Catalogue): CartLines {
  return items.reduce(
    (sum, item) => withQuantity(sum, inCatalogue(catalogue, item), quantityOf(sum, item) + item.quantity),
    linesOf(lines),
  );
}

function inCatalogue(catalogue: Catalogue, { productId, variantId }: UnitId): Unit {
  const product = catalogue.get(productId);
  if (!product) throw new AppError('NOT_FOUND', 'There is no product with this id.', { productId });
  const unit = unitOf(product, variantId);
  if (!unit) throw invalidInput([{ pointer: '#/variantId', detail: 'must be one of the variants of the product' }]);
  return unit;
}

/** @throws AppError INVALID_INPUT when the chosen way of delivery is not the one that is offered instead */
function expectOffered(chosen: string, offered: string | undefined, pointer: string): void {
  if (chosen !== offered) throw invalidInput([{ pointer, detail: 'is not a way of delivery that is offered there' }]);
}
