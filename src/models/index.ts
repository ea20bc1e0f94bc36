/** The list of all models; database/connect.ts makes their collections and indexes from it. */
import type { Model } from 'mongoose';
import { ApiKey } from './api-key.model.ts';
import { CatalogueChange } from './catalogue-change.model.ts';
import { Counter } from './counter.model.ts';
import { Product } from './product.model.ts';

export const models: readonly Pick<Model<unknown>, 'createCollection' | 'createIndexes'>[] = [
  ApiKey,
  CatalogueChange,
  Counter,
  Product,
];
