/** Names, slugs and paths of categories, as products and addresses use them. */
import type { ClientSession } from 'mongoose';
import { runAgain } from '../database/transaction.ts';
import { Category, type StoredCategory } from '../models/category.model.ts';
import { foldText } from './search-terms.ts';

/** What others may choose, too. */
const MAX_SLUG = 60;

/** Words for an address: `Café & Té` becomes `cafe-te`. */
const slugOf = (name: string) =>
  foldText(name)
    .replace(/[^a-z\d]+/g, '-')
    .slice(0, MAX_SLUG)
    .replace(/^-|-$/g, '') || 'category';

/** A path and those above it, from the top: `a/b` gives `a` and `a/b`. */
export function pathsOf(path: string): string[] {
  const slugs = path.split('/');
  return slugs.map((_slug, i) => slugs.slice(0, i + 1).join('/'));
}

export const pathBelow = (parent: Pick<StoredCategory, 'path'> | null, slug: string) =>
  parent ? `${parent.path}/${slug}` : slug;

/** A slug that is free below this parent: the name's own, or with a number behind it. */
export async function freeSlug(
  name: string,
  parent: Pick<StoredCategory, 'path'> | null,
  session: ClientSession | null,
): Promise<string> {
  const slug = slugOf(name);
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? slug : `${slug}-${number}`;
    const path = pathBelow(parent, candidate);
    const isTaken = await Category.exists({ $or: [{ path }, { 'former.path': path }] }).session(session);
    if (!isTaken) return candidate;
  }
}

/** The category with this name. When there is none, it is made: below the one named `under`, otherwise at the top. */
export async function categoryNamed(
  name: string,
  session: ClientSession | null,
  under?: string,
): Promise<StoredCategory> {
  // Written, not only read: who renames or removes it in the same moment is in the way then.
  const known = await Category.findOneAndUpdate({ name }, { $inc: { placed: 1 } }, { session }).lean();
  if (known) return known;
  const above = under === undefined ? null : await categoryNamed(under, session);
  const slug = await freeSlug(name, above, session);
  const fields = { name, slug, path: pathBelow(above, slug), parent: above?._id ?? null, position: 0 };
  const [made] = await Category.create([fields], { session }).catch(runAgain);
  return { ...fields, _id: (made as NonNullable<typeof made>)._id };
}

/** The path of the category that a reader means, by its name or its path; an unknown one stays as it is. */
export async function pathOf(text: string): Promise<string> {
  const found = await Category.find({ $or: [{ name: text }, { path: text }] }).lean();
  return (found.find(({ name }) => name === text) ?? found[0])?.path ?? text;
}

/** What a product keeps of its category. */
export const inCategory = ({ name, path }: StoredCategory) => ({ category: name, categoryPaths: pathsOf(path) });

/** Each category before those below it; among sisters by position, then by name. */
export function inTreeOrder(categories: readonly StoredCategory[]): StoredCategory[] {
  const sisters = new Map<string, StoredCategory[]>();
  for (const category of categories) {
    const parent = category.parent?.toHexString() ?? '';
    sisters.set(parent, [...(sisters.get(parent) ?? []), category]);
  }
  const below = (parent: string): StoredCategory[] =>
    (sisters.get(parent) ?? [])
      .sort((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1))
      .flatMap((category) => [category, ...below(category._id.toHexString())]);
  return below('');
}
