/** One attempt to get an order paid, stored before its provider is asked. Its id is the provider's key for repeats. */
import { model, Schema, type Types } from 'mongoose';

const ATTEMPT_STATES = ['running', 'pending', 'authorized', 'captured', 'voided', 'declined', 'failed'] as const;

export interface PaymentAttemptFields {
  order: Types.ObjectId;
  /** The order, as long as nobody knows how it ends: an order has one such attempt. */
  open?: Types.ObjectId;
  /** The order's number, for people. */
  number: string;
  provider: string;
  /** In minor units. */
  amount: number;
  currency: string;
  details: Readonly<Record<string, string>>;
  /** `running`: the provider has not answered. `failed`: it never heard of it. */
  state: (typeof ATTEMPT_STATES)[number];
  /** The payment's at its provider. */
  reference: string | null;
  startedAt: Date;
}

export type PaymentAttemptRecord = PaymentAttemptFields & { _id: Types.ObjectId };

const paymentAttemptSchema = new Schema<PaymentAttemptFields>(
  {
    order: { type: Schema.Types.ObjectId, ref: 'Order', required: true },
    open: { type: Schema.Types.ObjectId },
    number: { type: String, required: true },
    provider: { type: String, required: true },
    amount: { type: Number, required: true },
    currency: { type: String, required: true },
    details: { type: Schema.Types.Mixed as never, required: true },
    state: { type: String, enum: ATTEMPT_STATES, required: true },
    reference: { type: String, default: null },
    startedAt: { type: Date, required: true },
  },
  { versionKey: false, id: false, minimize: false },
);
paymentAttemptSchema.index({ open: 1 }, { unique: true, partialFilterExpression: { open: { $exists: true } } });
paymentAttemptSchema.index({ order: 1, _id: -1 });

export const PaymentAttempt = model('PaymentAttempt', paymentAttemptSchema, 'payment_attempts');
