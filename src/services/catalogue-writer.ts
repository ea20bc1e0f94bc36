/** The one way to write to the catalogue: a transaction with its numbers in the catalogue's sequence, then the news. */
import type { ClientSession } from 'mongoose';
import { inTransaction } from '../database/transaction.ts';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import type { ProductDto } from '../models/product.model.ts';
import { type PublicChange, record } from './catalogue-log.ts';
import { CATALOGUE, type CatalogueVersion } from './catalogue-version.ts';
import { Turns } from './turns.ts';

/** What a transaction has done. */
export interface Written<T> {
  result: T;
  /** What the public is told. */
  changes: readonly PublicChange[];
  /** True when public pages have changed in another way too: they are read anew then. */
  elsewhere?: boolean;
}

export class CatalogueWriter {
  readonly #bus: EventBus;
  readonly #version: CatalogueVersion;
  /** One change at a time in this process, so that events leave in the order of their numbers. */
  readonly #turns = new Turns();

  constructor({ bus, version }: { bus: EventBus; version: CatalogueVersion }) {
    this.#bus = bus;
    this.#version = version;
  }

  /** @param work runs again when another transaction was in its way. @throws as `inTransaction` does */
  write<T>(work: (session: ClientSession, writes: Writes) => Promise<Written<T>>): Promise<T> {
    return this.#turns.take(CATALOGUE, async () => {
      try {
        const { result, last, events } = await inTransaction(async (session, writes) => {
          const { result, changes, elsewhere = false } = await work(session, writes);
          return { result, ...(await record(changes, elsewhere, session)) };
        });
        for (const { type, ...event } of events) {
          this.#version.advanceTo(event.sequence);
          this.#bus.publish(`product.${type}`, event);
        }
        if (last !== null) this.#version.advanceTo(last);
        return result;
      } catch (error) {
        if (!(error instanceof AppError)) this.#version.forget();
        throw error;
      }
    });
  }
}

/** A change as the public sees it: to them a draft does not exist. */
export function publicChange(before: ProductDto | null, after: ProductDto | null): PublicChange | null {
  const was = before && !before.draft ? before : null;
  if (after && !after.draft) return { type: was ? 'updated' : 'created', product: after };
  // Not what has become of it: that is for staff.
  return was && { type: 'deleted', product: { ...was, version: was.version + 1 } };
}
