/** A category of the catalogue, in a tree. Products keep its name and its path. */
import { model, Schema, type Types } from 'mongoose';

export interface CategoryFields {
  /** Unique, so that the `category` text of a product names one. */
  name: string;
  slug: string;
  /** The slugs from the top to here: `kitchen/mugs`. */
  path: string;
  parent: Types.ObjectId | null;
  /** Among those with the same parent. */
  position: number;
  /** How often a product was put into it. */
  placed?: number;
  /** What it was before the last change, until its products have followed. */
  former?: { name: string; path: string } | null;
}

export type StoredCategory = CategoryFields & { _id: Types.ObjectId };

const categorySchema = new Schema<CategoryFields>(
  {
    name: { type: String, required: true },
    slug: { type: String, required: true },
    path: { type: String, required: true },
    parent: { type: Schema.Types.ObjectId, ref: 'Category', default: null },
    position: { type: Number, required: true, default: 0 },
    placed: { type: Number, default: 0 },
    former: { type: Schema.Types.Mixed, default: null },
  },
  { versionKey: false, id: false },
);
categorySchema.index({ name: 1 }, { unique: true });
categorySchema.index({ path: 1 }, { unique: true });

export const Category = model('Category', categorySchema, 'categories');

/** What leaves the server of a category. */
export interface CategoryDto {
  id: string;
  name: string;
  slug: string;
  path: string;
  parent: string | null;
  position: number;
  /** Products for sale in it and below it. */
  count: number;
}

export function toCategoryDto(doc: StoredCategory, count: number): CategoryDto {
  return {
    id: doc._id.toHexString(),
    name: doc.name,
    slug: doc.slug,
    path: doc.path,
    parent: doc.parent?.toHexString() ?? null,
    position: doc.position,
    count,
  };
}
