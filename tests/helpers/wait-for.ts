/** Waiting for events with a time limit, so that no test sleeps. */

const LIMIT_MS = 10_000;

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

/** Resolves as soon as `holds` is true; for what no event tells of. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`It did not come true within ${LIMIT_MS} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
