/** Counts the HTTP requests that are being answered, so that a stop can wait for them and not for open sockets. */
import type { RequestListener } from 'node:http';

export class RunningRequests {
  #count = 0;
  #onZero: () => void = () => {};

  /** The same listener, counted. */
  counted(listener: RequestListener): RequestListener {
    return (req, res) => {
      this.#count += 1;
      res.once('close', () => {
        this.#count -= 1;
        if (this.#count === 0) this.#onZero();
      });
      listener(req, res);
    };
  }

  /** Resolves when none is running, at the latest after `limitMs`. */
  finished(limitMs: number): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#onZero = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
