/**
 * The transactional outbox: what has happened is written in the transaction of the change, and told to each consumer
 * after it, at least once, whatever dies in between. Several processes may relay on one database: a claim with a lease
 * says who works on what.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientSession, Types } from 'mongoose';
import type { Logger } from 'pino';
import type { Writes } from '../database/writes.ts';
import type { ShopEvent, ShopEvents } from '../events.ts';
import { OutboxEvent, type OutboxRecord } from '../models/outbox-event.model.ts';
import { randomToken } from './random-token.ts';

export type { ShopEvent, ShopEvents };

/** An event as a consumer gets it. A repeat has the same id. */
export type StoredEvent = ShopEvent & { id: string; at: Date };

/** Who wants to know of what has happened. */
export interface Consumer {
  readonly name: string;
  readonly types: readonly (keyof ShopEvents)[];
  /** The most events for one call; 1 unless told. When a call for several fails, each is tried alone. */
  readonly batch?: number;
  /** The most calls at the same time; 1 unless told. */
  readonly atOnce?: number;
  /** How long to wait before each try after the first; after the last one an event is given up. */
  readonly retryAfterMs?: readonly number[];
  /** Rejects to get the same events again, later. */
  handle(events: readonly StoredEvent[]): Promise<void>;
  /** Told of an event that is given up, before that is written: again when it rejects. */
  giveUp?(event: StoredEvent, fault: string): Promise<void>;
}

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];
/** Three days together. */
const RETRY_AFTER_MS = [
  ...[SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE],
  ...[2, 5, 8, 12, 20, 24].map((hours) => hours * HOUR),
];
const PAGE = 200;
const STOP_LIMIT_MS = 3000;
/** Before a look at what is new, and at what more there was than could be begun. */
const [PAUSE_MS, SHORT_PAUSE_MS] = [50, 10];

interface OutboxDeps {
  log: Pick<Logger, 'error' | 'warn'>;
  /** How often to look for what other processes have left. */
  pollMs?: number;
  /** After how long without a sign of life a claim ends. */
  leaseMs?: number;
}

interface Lane {
  consumer: Consumer;
  running: Set<Promise<void>>;
}

/** Documents that this process works on. */
interface Claimed {
  claim: string;
  docs: OutboxRecord[];
}

export class Outbox {
  readonly #log: OutboxDeps['log'];
  readonly #pollMs: number;
  readonly #leaseMs: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #awaited = new WeakSet<ClientSession>();
  readonly #claims = new Map<string, Types.ObjectId[]>();
  /** What was done and is not written as such yet. */
  #done: Types.ObjectId[] = [];
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #isWanted = false;
  #isBehind = false;

  constructor({ log, pollMs = 1000, leaseMs = 30_000 }: OutboxDeps) {
    this.#log = log;
    this.#pollMs = pollMs;
    this.#leaseMs = leaseMs;
  }

  /** Events happen with the transaction of `writes`, or not at all. To be called after `start`. */
  add(writes: Writes, ...events: ShopEvent[]): void {
    const at = new Date();
    const docs = events.flatMap(({ type, data }) => {
      const event = new Types.ObjectId();
      const wanting = [...this.#lanes.values()].filter(({ consumer }) => consumer.types.includes(type));
      return wanting.map(({ consumer }) => ({ event, consumer: consumer.name, type, data, at, dueAt: at, tries: 0 }));
    });
    if (docs.length === 0) return;
    writes.insert(OutboxEvent, docs);
    const { session } = writes;
    // The work of a transaction may run several times in one session.
    if (this.#awaited.has(session)) return;
    this.#awaited.add(session);
    session.once('ended', () => this.wake());
  }

  /** Looks for events now. */
  wake(): void {
    this.#isWanted = true;
    if (this.#timer) this.#looking ??= this.#look();
  }

  start(consumers: readonly Consumer[]): void {
    for (const consumer of consumers) this.#lanes.set(consumer.name, { consumer, running: new Set() });
    this.#timer = setInterval(() => this.wake(), this.#pollMs).unref();
    this.wake();
  }

  /** Takes nothing new and lets what runs end, some seconds at most; others may then take the rest at once. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    await atMost(STOP_LIMIT_MS, this.#ended());
    const left = this.#leave().catch((error) =>
      this.#log.warn({ err: error }, 'what the outbox has claimed could not be left to others; its claims run out'),
    );
    await atMost(STOP_LIMIT_MS, left);
  }

  async #ended(): Promise<void> {
    await this.#looking;
    await Promise.all([...this.#lanes.values()].flatMap((lane) => [...lane.running]));
  }

  async #leave(): Promise<void> {
    const [ids, left] = [[...this.#claims.values()].flat(), [...this.#claims.keys()]];
    this.#claims.clear();
    await this.#writeDone();
    if (left.length === 0) return;
    await OutboxEvent.updateMany({ _id: { $in: ids }, claim: { $in: left } }, { $set: { dueAt: new Date() } });
  }

  async #look(): Promise<void> {
    while (this.#isWanted && this.#timer) {
      // More for each look rather than more looks; and a request ends before its consequences begin.
      await delay(this.#isBehind ? SHORT_PAUSE_MS : PAUSE_MS);
      if (!this.#timer) break;
      this.#isWanted = false;
      this.#isBehind = false;
      try {
        await this.#writeDone();
        await this.#takeDue();
      } catch (error) {
        this.#log.error({ err: error }, 'the outbox could not be read; it is tried again');
      }
    }
    // In the same turn as the question above: no wake is lost.
    this.#looking = null;
  }

  async #takeDue(lanes = [...this.#lanes.values()]): Promise<void> {
    const free = lanes.filter((lane) => places(lane) > 0);
    const consumer = { $in: free.map((lane) => lane.consumer.name) };
    if (free.length === 0) return;
    const due = await OutboxEvent.find({ consumer, dueAt: { $lte: new Date() } })
      .sort({ dueAt: 1 })
      .limit(PAGE)
      .lean();
    const ownOf = ({ consumer }: Lane) => due.filter((doc) => doc.consumer === consumer.name);
    const work = free.flatMap((lane) => {
      const batches = inBatches(ownOf(lane), lane.consumer.batch ?? 1);
      if (batches.length > places(lane)) this.#isBehind = true;
      return batches.slice(0, places(lane)).map((docs) => ({ lane, docs }));
    });
    await this.#claim(work);
    if (due.length < PAGE) return;
    this.#isWanted = true;
    // One consumer's many may hide another's few, which do not wait for them.
    await this.#takeDue(free.filter((lane) => ownOf(lane).length === 0));
  }

  /** Runs of `work` what nobody else has taken in this moment. */
  async #claim(work: readonly { lane: Lane; docs: OutboxRecord[] }[]): Promise<void> {
    if (work.length === 0) return;
    const now = Date.now();
    const claims = work.map((one) => ({ ...one, claim: randomToken(), ids: one.docs.map(idOf) }));
    const { modifiedCount } = await OutboxEvent.bulkWrite(
      claims.map(({ claim, ids }) => ({
        updateMany: {
          filter: { _id: { $in: ids }, dueAt: { $lte: new Date(now) } },
          update: { $set: { claim, dueAt: new Date(now + this.#leaseMs) }, $inc: { tries: 1 } },
        },
      })),
    );
    const areAll = modifiedCount === claims.flatMap(({ ids }) => ids).length;
    for (const { lane, claim, docs, ids } of claims) {
      const won = areAll ? ids : (await OutboxEvent.find({ _id: { $in: ids }, claim }, { _id: 1 }).lean()).map(idOf);
      this.#run(lane, { claim, docs: docs.filter(({ _id }) => won.some((id) => id.equals(_id))) });
    }
  }

  #run(lane: Lane, claimed: Claimed): void {
    const { claim, docs } = claimed;
    if (docs.length === 0) return;
    const ids = docs.map(idOf);
    this.#claims.set(claim, ids);
    const renewal = setInterval(() => {
      if (!this.#claims.has(claim)) return;
      const dueAt = new Date(Date.now() + this.#leaseMs);
      OutboxEvent.updateMany({ _id: { $in: ids }, claim }, { $set: { dueAt } }).catch((error) =>
        this.#log.warn({ err: error }, 'a claim of the outbox could not be renewed'),
      );
    }, this.#leaseMs / 3).unref();
    const work = this.#handle(lane.consumer, claimed)
      .catch((error) => this.#log.error({ err: error }, 'the outbox could not be written; its claim runs out'))
      .finally(() => {
        clearInterval(renewal);
        this.#claims.delete(claim);
        lane.running.delete(work);
        this.wake();
      });
    lane.running.add(work);
  }

  async #handle(consumer: Consumer, { claim, docs }: Claimed): Promise<void> {
    const failure = await consumer.handle(docs.map(toStoredEvent)).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    if (!failure) this.#done.push(...docs.map(idOf));
    else if (docs.length > 1) {
      for (const doc of docs) await this.#handle(consumer, { claim, docs: [doc] });
    } else {
      for (const doc of docs) await this.#putOff(consumer, claim, doc, failure.error);
    }
  }

  /** All that has been done since the last time, at once. */
  async #writeDone(): Promise<void> {
    const ids = this.#done;
    if (ids.length === 0) return;
    this.#done = [];
    try {
      const $set = { doneAt: new Date() };
      await OutboxEvent.updateMany({ _id: { $in: ids } }, { $set, $unset: { dueAt: '', claim: '' } });
    } catch (error) {
      this.#done.push(...ids);
      throw error;
    }
  }

  async #putOff(consumer: Consumer, claim: string, doc: OutboxRecord, error: unknown): Promise<void> {
    const wait = (consumer.retryAfterMs ?? RETRY_AFTER_MS)[doc.tries];
    const fault = String(error instanceof Error ? error.message : error).slice(0, 300);
    const what = { event: doc.event.toHexString(), type: doc.type, consumer: consumer.name };
    if (wait === undefined) this.#log.error({ err: error, ...what }, 'an event was given up');
    else this.#log.warn({ err: error, ...what }, 'an event will be tried again');
    if (wait === undefined) await consumer.giveUp?.(toStoredEvent(doc), fault);
    const now = Date.now();
    await OutboxEvent.updateOne(
      { _id: doc._id, claim },
      wait === undefined
        ? { $set: { givenUpAt: new Date(now), fault }, $unset: { dueAt: '', claim: '' } }
        : { $set: { dueAt: new Date(now + jittered(wait)), fault }, $unset: { claim: '' } },
    );
  }
}

const atMost = (ms: number, work: Promise<unknown>) => Promise.race([work, delay(ms, undefined, { ref: false })]);

const idOf = ({ _id }: { _id: Types.ObjectId }) => _id;

const places = ({ consumer, running }: Lane) => (consumer.atOnce ?? 1) - running.size;

/** Half of it to all of it: what failed together does not come back together. */
const jittered = (ms: number) => Math.ceil(ms * (1 - Math.random() / 2));

const inBatches = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

// What was stored is what `add` was given.
const toStoredEvent = ({ event, type, data, at }: OutboxRecord) =>
  ({ id: event.toHexString(), type, data, at }) as StoredEvent;
