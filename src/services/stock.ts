/** Stock: every change is conditional, and leaves a movement that says what caused it. */
import type { ClientSession } from 'mongoose';

/** Units of one product or variant. */
export interface StockLine {
  productId: string;
  variantId: string | null;
  quantity: number;
  /** The price at which they are bought; another one in the catalogue refuses the take. */
  price?: number;
}

/** A change of a unit's stock: above 0 for what came. */
export interface StockChange {
  productId: string;
  variantId: string | null;
  change: number;
}

/**
 * Takes units out of what can be bought, all or none; lines of one unit are summed.
 * @throws AppError OUT_OF_STOCK with `productId`, `variantId` and what is `available`
 */
export function takeStock(_session: ClientSession, _lines: readonly StockLine[], _cause: string): Promise<void> {
  throw new Error('not yet');
}

/** Puts units back, also of products that are not for sale any more. */
export function returnStock(_session: ClientSession, _lines: readonly StockLine[], _cause: string): Promise<void> {
  throw new Error('not yet');
}

/** Writes one movement for each unit that changed. The stock itself is the caller's to write, in the same transaction. */
export function recordMovements(
  _session: ClientSession,
  _changes: readonly StockChange[],
  _cause: string,
): Promise<void> {
  throw new Error('not yet');
}
