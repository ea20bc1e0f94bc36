/** Random secrets of the shop itself, made at the first start and shared by all its processes. */
import { model, Schema } from 'mongoose';

const secretSchema = new Schema(
  {
    /** What it is for. */
    _id: { type: String, required: true },
    value: { type: String, required: true },
  },
  { versionKey: false, id: false },
);

export const Secret = model('Secret', secretSchema, 'secrets');
