/** The number of the last change of the catalogue: the version of everything that is derived from products. */
import { lastNumber } from '../models/counter.model.ts';

export const CATALOGUE = 'catalogue';

/**
 * Known in memory while this process is the only one that writes, otherwise read from the database each time: what
 * was built for one version may be served only while that version is the current one.
 */
export class CatalogueVersion {
  readonly #exclusive: boolean;
  #known: number | null = null;

  constructor({ exclusive }: { exclusive: boolean }) {
    this.#exclusive = exclusive;
  }

  current(): number | Promise<number> {
    return this.#known ?? this.#read();
  }

  /** The current one where it is known without asking the database; null otherwise. */
  get known(): number | null {
    return this.#known;
  }

  /** To be called after a change has committed and before it is answered. */
  advanceTo(sequence: number): void {
    if (this.#exclusive && (this.#known === null || sequence > this.#known)) this.#known = sequence;
  }

  /** To be called when it is not known whether a change has committed. */
  forget(): void {
    this.#known = null;
  }

  async #read(): Promise<number> {
    const sequence = await lastNumber(CATALOGUE);
    this.advanceTo(sequence);
    return sequence;
  }
}
