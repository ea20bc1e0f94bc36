/** Waiting for events with a time limit, so that no test sleeps. */

const LIMIT_MS = 5000;

interface Emitter {
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
}

/** The next payload of `event` that `matches`. Start waiting before you cause it. */
export function nextEvent<T>(
  source: unknown,
  event: string,
  matches: (payload: T) => boolean = () => true,
): Promise<T> {
  const emitter = source as Emitter;
  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      emitter.off(event, listener as never);
    };
    const listener = (payload: T) => {
      if (!matches(payload)) return;
      finish();
      resolve(payload);
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`No fitting event ${event} within ${LIMIT_MS} ms.`));
    }, LIMIT_MS);
    emitter.on(event, listener as never);
  });
}
