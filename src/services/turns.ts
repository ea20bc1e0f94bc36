import { AppError } from '../errors.ts';

/** After so long work is not begun any more: whoever wants it is better told than kept waiting. */
const LIMIT_MS = 15_000;

/** Work of one name waits for the work of that name before it, in this process. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Resolves or rejects as `work` does, which starts when its turn has come.
   * @throws AppError UNAVAILABLE when that is too late, as when the database hangs
   */
  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const until = performance.now() + LIMIT_MS;
    const begin = () => {
      if (performance.now() > until) throw new AppError('UNAVAILABLE', 'Too much is waiting before this. Try again.');
      return work();
    };
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(begin, begin);
    this.#last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    }
  }
}
