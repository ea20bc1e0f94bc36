/** Events of payment providers that have taken effect, so that none does twice. */
import { model, Schema } from 'mongoose';

/** Longer than any provider sends an event again. */
const KEPT_SECONDS = 90 * 24 * 60 * 60;

interface PaymentEventFields {
  /** `<provider>:<event id>` */
  _id: string;
  at: Date;
}

const paymentEventSchema = new Schema<PaymentEventFields>(
  { _id: { type: String, required: true }, at: { type: Date, required: true } },
  { versionKey: false, id: false },
);
paymentEventSchema.index({ at: 1 }, { expireAfterSeconds: KEPT_SECONDS });

export const PaymentEvent = model('PaymentEvent', paymentEventSchema, 'payment_events');
