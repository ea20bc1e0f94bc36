/** The endpoints of outgoing webhooks, what was sent to them, and sending it again. */
import { randomBytes } from 'node:crypto';
import type { ClientSession } from 'mongoose';
import { type Actor, authorize } from '../actor.ts';
import { inTransaction } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import { nextNumber } from '../models/counter.model.ts';
import { toWebhookDeliveryDto, WebhookDelivery, type WebhookDeliveryDto } from '../models/webhook-delivery.model.ts';
import {
  toWebhookEndpointDto,
  WebhookEndpoint,
  type WebhookEndpointDto,
  type WebhookEndpointRecord,
} from '../models/webhook-endpoint.model.ts';
import type { ChangeWebhook, CreateWebhook, ListDeliveries } from '../schemas/webhook.schema.ts';
import { recordStaffWrites } from './audit.service.ts';
import { expectVersion } from './expect-version.ts';
import type { Outbox } from './outbox.ts';
import { seal } from './sealing.ts';
import { nextTries } from './webhook-next-tries.ts';
import { mayBePublic } from './webhook-request.ts';

const MAX_ENDPOINTS = 20;
/** How long a secret signs after it was replaced. */
const OVERLAP_MS = 24 * 60 * 60 * 1000;

interface WebhookServiceDeps {
  outbox: Outbox;
  /** Seals the secrets. */
  key: Buffer;
  httpsOnly: boolean;
  allowPrivate: boolean;
}

export type WebhookWithSecret = WebhookEndpointDto & { secret: string };

export class WebhookService {
  readonly #deps: WebhookServiceDeps;

  constructor(deps: WebhookServiceDeps) {
    this.#deps = deps;
  }

  /** @throws AppError UNAUTHENTICATED, FORBIDDEN, as every method here */
  async list(actor: Actor): Promise<WebhookEndpointDto[]> {
    authorize(actor, 'webhooks:write');
    return (await WebhookEndpoint.find().sort({ _id: 1 }).lean()).map(toWebhookEndpointDto);
  }

  /** @throws AppError NOT_FOUND */
  async get(actor: Actor, id: string): Promise<WebhookEndpointDto> {
    authorize(actor, 'webhooks:write');
    const doc = await WebhookEndpoint.findById(id).lean();
    if (!doc) throw notFound();
    return toWebhookEndpointDto(doc);
  }

  /** The secret is told this once. @throws AppError INVALID_INPUT, LIMIT_REACHED */
  async create(actor: Actor, { url, types }: CreateWebhook): Promise<WebhookWithSecret> {
    authorize(actor, 'webhooks:write');
    this.#checkUrl(url);
    const secret = newSecret();
    const endpoint = new WebhookEndpoint({ url, types });
    endpoint.secret = this.#sealed(endpoint._id.toHexString(), secret);
    return inTransaction(async (session) => {
      // A number, so that those who make one in the same moment are counted one after the other.
      await nextNumber('webhooks', session);
      if ((await WebhookEndpoint.countDocuments().session(session)) >= MAX_ENDPOINTS)
        throw new AppError('LIMIT_REACHED', `There are at most ${MAX_ENDPOINTS} webhooks.`, { limit: MAX_ENDPOINTS });
      const [doc] = await WebhookEndpoint.insertMany([endpoint.toObject()], { session });
      if (!doc) throw new Error('The database returned no webhook.');
      const after = toWebhookEndpointDto(doc.toObject());
      await recordStaffWrites(actor, [{ action: 'webhook.created', targetId: after.id, before: null, after }], session);
      return { ...after, secret };
    });
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT */
  async change(
    actor: Actor,
    id: string,
    { enabled, ...fields }: ChangeWebhook,
    ifVersion?: number,
  ): Promise<WebhookEndpointDto> {
    if (fields.url) this.#checkUrl(fields.url);
    return this.#write(actor, 'webhook.changed', id, ifVersion, () => ({
      ...fields,
      ...(enabled !== undefined && { disabled: enabled ? null : 'staff' }),
    }));
  }

  /** A new secret, told this once. The one before also signs for a day. @throws AppError NOT_FOUND, VERSION_MISMATCH */
  async rotate(actor: Actor, id: string, ifVersion?: number): Promise<WebhookWithSecret> {
    const secret = newSecret();
    const endpoint = await this.#write(actor, 'webhook.rotated', id, ifVersion, (doc) => ({
      secret: this.#sealed(id, secret),
      previous: doc.secret,
      previousUntil: new Date(Date.now() + OVERLAP_MS),
    }));
    return { ...endpoint, secret };
  }

  /** @throws AppError NOT_FOUND, VERSION_MISMATCH */
  async remove(actor: Actor, id: string, ifVersion?: number): Promise<void> {
    authorize(actor, 'webhooks:write');
    await inTransaction(async (session) => {
      const doc = await WebhookEndpoint.findByIdAndDelete(id, { session }).lean();
      if (!doc) throw notFound();
      expectVersion('webhook', doc.version, ifVersion);
      await WebhookDelivery.deleteMany({ endpoint: id }, { session });
      const before = toWebhookEndpointDto(doc);
      await recordStaffWrites(actor, [{ action: 'webhook.deleted', targetId: id, before, after: null }], session);
    });
  }

  /** What was sent to an endpoint, the newest first. @throws AppError NOT_FOUND */
  async deliveries(actor: Actor, id: string, { after, limit }: ListDeliveries) {
    await this.get(actor, id);
    const docs = await WebhookDelivery.find({ endpoint: id, ...(after && { _id: { $lt: after } }) })
      .sort({ _id: -1 })
      .limit(limit + 1)
      .lean();
    const tries = await nextTries(docs);
    const items = docs.slice(0, limit).map((doc) => toWebhookDeliveryDto(doc, tries.get(doc._id.toHexString())));
    return { items, next: docs.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** Sends it once more, as the same message. @throws AppError NOT_FOUND */
  async replay(actor: Actor, id: string, deliveryId: string): Promise<WebhookDeliveryDto> {
    await this.get(actor, id);
    return inTransaction(async (session, writes) => {
      const doc = await WebhookDelivery.findOneAndUpdate(
        { _id: deliveryId, endpoint: id },
        { $set: { state: 'waiting' } },
        { session, returnDocument: 'after' },
      ).lean();
      if (!doc) throw new AppError('NOT_FOUND', 'This webhook has no delivery with this id.');
      this.#deps.outbox.add(writes, { type: 'webhook.delivery_wanted', data: { deliveryId } });
      const after = toWebhookDeliveryDto(doc, new Date());
      await recordStaffWrites(
        actor,
        [{ action: 'webhook.replayed', targetId: id, before: null, after: { deliveryId } }],
        session,
      );
      return after;
    });
  }

  #write(
    actor: Actor,
    action: string,
    id: string,
    ifVersion: number | undefined,
    fieldsOf: (doc: WebhookEndpointRecord) => object,
  ): Promise<WebhookEndpointDto> {
    authorize(actor, 'webhooks:write');
    return inTransaction(async (session: ClientSession) => {
      const doc = await WebhookEndpoint.findById(id).session(session);
      if (!doc) throw notFound();
      expectVersion('webhook', doc.version, ifVersion);
      const before = toWebhookEndpointDto(doc.toObject());
      doc.set({ ...fieldsOf(doc.toObject()), version: doc.version + 1 });
      const after = toWebhookEndpointDto((await doc.save({ session })).toObject());
      await recordStaffWrites(actor, [{ action, targetId: id, before, after }], session);
      return after;
    });
  }

  /** Names are judged by their addresses when something is sent. */
  #checkUrl(url: string): void {
    const { httpsOnly, allowPrivate } = this.#deps;
    if (httpsOnly && !url.startsWith('https:'))
      throw invalidInput([{ pointer: '#/url', detail: 'must begin with https://' }]);
    if (!allowPrivate && !mayBePublic(url))
      throw invalidInput([{ pointer: '#/url', detail: 'must be an address of the public internet' }]);
  }

  #sealed = (id: string, secret: string) => seal(this.#deps.key, secret, sealedFor(id));
}

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
/** What a secret is sealed for. */
export const sealedFor = (endpointId: string) => `webhook ${endpointId}`;
const notFound = () => new AppError('NOT_FOUND', 'There is no webhook with this id.');
