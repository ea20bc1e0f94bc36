/** Runs what has to be done again and again: each job at its own pace, never twice at a time in this process. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

const STOP_LIMIT_MS = 3000;

/** Must stand to be run again after it has failed half way, and to be run by other processes at the same moment. */
export interface Job {
  readonly name: string;
  readonly everyMs: number;
  run(): Promise<void>;
}

export class JobRunner {
  readonly #log: Pick<Logger, 'error'>;
  readonly #stopping = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor({ log }: { log: Pick<Logger, 'error'> }) {
    this.#log = log;
  }

  start(jobs: readonly Job[]): void {
    this.#running = Promise.all(jobs.map((job) => this.#repeat(job)));
  }

  /** Starts nothing any more, and waits for what runs, some seconds at most. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.race([this.#running, delay(STOP_LIMIT_MS, undefined, { ref: false })]);
  }

  async #repeat(job: Job): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await delay(job.everyMs, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      await job.run().catch((err) => this.#log.error({ err, job: job.name }, 'a job has failed; it runs again'));
    }
  }
}
