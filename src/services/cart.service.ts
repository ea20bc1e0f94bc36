/** Carts: opening them, and every change of their lines, their coupon and their delivery. */
import { createHmac, randomBytes } from 'node:crypto';
import { isDuplicateKey } from '../database/transaction.ts';
import { AppError, invalidInput, nullIfNotFound } from '../errors.ts';
import { Cart, type CartDto } from '../models/cart.model.ts';
import type { CartItemInput, ChooseShipping } from '../schemas/cart.schema.ts';
import { deliveredTo } from '../shop-rules.ts';
import { inCatalogue, noLines, type UnitId, withItems, withoutUnit, withQuantity } from './cart-lines.ts';
import { type CartShop, expectOffered, priceCart, productsOf } from './cart-pricing.ts';
import {
  type AccountKey,
  type CartKey,
  changeCart,
  type Edit,
  find,
  type GuestKey,
  heldBy,
  insertCart,
  toPricedDto,
} from './cart-store.ts';
import { findCoupon, quoteCoupon } from './coupon-uses.ts';
import type { Once, OnceKey } from './idempotency.ts';
import type { LoginLimits } from './login-limits.ts';

export type { CartDto, CartKey, GuestKey };

interface CartServiceDeps {
  shop: CartShop;
  limits: Pick<LoginLimits, 'coupon'>;
  /** Makes the secrets of carts that are created under an idempotency key, so that none is stored for a repeat. */
  guestSecret: string;
}

type Items = readonly CartItemInput[];

export interface HeldCart {
  cart: CartDto;
  key: CartKey;
  /** It is the answer of an earlier request with the same idempotency key. */
  replayed: boolean;
}

/** Every method that takes a key throws AppError NOT_FOUND when it fits no cart, or one that has expired. */
export class CartService {
  readonly #shop: CartShop;
  readonly #limits: Pick<LoginLimits, 'coupon'>;
  readonly #guestSecret: string;

  constructor({ shop, limits, guestSecret }: CartServiceDeps) {
    this.#shop = shop;
    this.#limits = limits;
    this.#guestSecret = guestSecret;
  }

  /** Makes a guest's cart and the key to it, which is told this once. @throws as `replaceItems` does */
  async create(items: Items = [], once: OnceKey | null = null): Promise<HeldCart & { key: GuestKey }> {
    const secret = once ? this.#secretUnder(once) : randomBytes(32).toString('base64url');
    const { result: cart, replayed } = await insertCart(this.#shop, { secret }, items, once);
    return { cart, key: { id: cart.id, secret }, replayed };
  }

  /**
   * Opens the account's one cart and adds to what is there.
   * @returns `created` when there was none
   * @throws as `addItems` does
   */
  async open(
    { owner }: AccountKey,
    items: Items = [],
    once: OnceKey | null = null,
  ): Promise<Omit<HeldCart, 'key'> & { created: boolean }> {
    const add = async () => {
      if (items.length === 0) return { cart: await this.get({ owner }), created: false, replayed: false };
      const { result: cart, replayed } = await this.addItems({ owner }, items, undefined, once);
      // No addition leaves a first version: then the repeat is one of the creation.
      return { cart, created: replayed && cart.version === 1, replayed };
    };
    const opened = await add().catch(nullIfNotFound);
    if (opened) return opened;
    try {
      const { result: cart, replayed } = await insertCart(this.#shop, { owner }, items, once);
      return { cart, created: true, replayed };
    } catch (error) {
      // It was opened by another request in the meantime.
      if (isDuplicateKey(error)) return add();
      throw error;
    }
  }

  async get(key: CartKey): Promise<CartDto> {
    return toPricedDto(this.#shop, await find(key));
  }

  /** Units in the cart; null when the key fits none. Cheaper than `get`. */
  async countUnits(key: CartKey): Promise<number | null> {
    const doc = await Cart.findOne(heldBy(key), { items: 1 }).lean();
    return doc ? doc.items.reduce((sum, line) => sum + line.quantity, 0) : null;
  }

  /** Adds up with what is there. @throws AppError NOT_FOUND, VERSION_MISMATCH, and as `withQuantity` */
  addItems(key: CartKey, items: Items, ifVersion?: number, once: OnceKey | null = null): Promise<Once<CartDto>> {
    return changeCart(this.#shop, { key, ifVersion, needed: items, once }, (lines, catalogue) =>
      withItems(lines, items, catalogue),
    );
  }

  /**
   * Adds to the caller's own cart, and makes one when there is none, or none any more: the first addition needs no
   * step before it. @throws AppError as `addItems` does, NOT_FOUND only for the product
   */
  async addToOwn(
    key: CartKey | null,
    item: CartItemInput,
    ifVersion?: number,
    once: OnceKey | null = null,
  ): Promise<HeldCart> {
    const added = key && (await this.addItems(key, [item], ifVersion, once).catch(nullIfNotFound));
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
    return this.#change(key, ifVersion, [item], (lines, catalogue) =>
      withQuantity(lines, inCatalogue(catalogue, item), item.quantity),
    );
  }

  /** @throws AppError NOT_FOUND also when the product is not in the cart, VERSION_MISMATCH */
  removeItem(key: CartKey, unit: UnitId, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [], (lines) => withoutUnit(lines, unit));
  }

  /** All lines new; a product that occurs twice becomes one line. @throws AppError NOT_FOUND and as `withQuantity` */
  replaceItems(key: CartKey, items: Items, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, items, (_lines, catalogue) => withItems(noLines, items, catalogue));
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH */
  empty(key: CartKey, ifVersion?: number): Promise<CartDto> {
    return this.#change(key, ifVersion, [], () => noLines);
  }

  /**
   * @param address where the request comes from, for the limit of guesses
   * @throws AppError NOT_FOUND, VERSION_MISMATCH, COUPON_NOT_VALID for the cart as it is, TOO_MANY_REQUESTS
   */
  async setCoupon(key: CartKey, code: string, address: string, ifVersion?: number): Promise<CartDto> {
    const { totals, currency } = await this.get(key);
    const now = new Date();
    const found = await this.#limits.coupon(address, () => findCoupon(code, now));
    const coupon = quoteCoupon(found, { subtotal: totals.subtotal, currency, now });
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
    const { shipping } = await priceCart(cart, await productsOf(this.#shop, cart.items), this.#shop, wanted);
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

  #secretUnder(once: OnceKey): string {
    return createHmac('sha256', this.#guestSecret).update(once.id).digest('base64url');
  }

  async #change(key: CartKey, ifVersion: number | undefined, needed: Items, edit: Edit): Promise<CartDto> {
    const { result } = await changeCart(this.#shop, { key, ifVersion, needed, once: null }, edit);
    return result;
  }
}
