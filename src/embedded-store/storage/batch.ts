import type { Layer } from './layer.ts';

/** Changes that one flush makes durable, and those who wait for it. */
export interface Batch {
  layers: Layer[];
  /** How many wait for it. */
  writers: number;
  done: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

export function newBatch(): Batch {
  let resolve = (): void => {};
  let reject: (error: Error) => void = () => {};
  const done = new Promise<void>((onDone, onFail) => {
    resolve = onDone;
    reject = onFail;
  });
  done.catch(() => {}); // a batch without waiting writers may fail unseen
  return { layers: [], writers: 0, done, resolve, reject };
}
