/** The tree of categories. Products follow what happens to theirs. */
import type { ClientSession } from 'mongoose';
import { type Actor, authorize, system, visitor } from '../actor.ts';
import { isDuplicateKey } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import { Category, type CategoryDto, type StoredCategory, toCategoryDto } from '../models/category.model.ts';
import { Product, toProductDto } from '../models/product.model.ts';
import type { CreateCategory, UpdateCategory } from '../schemas/category.schema.ts';
import { recordStaffWrites } from './audit.service.ts';
import type { CatalogueWriter } from './catalogue-writer.ts';
import { freeSlug, inTreeOrder, pathBelow, pathsOf } from './category-tree.ts';
import { storeProduct } from './product-store.ts';

const MAX_DEPTH = 6;
/** Products in one transaction. */
const BATCH = 50;

type Former = Pick<StoredCategory, 'name' | 'path'>;

export class CategoryService {
  readonly #catalogue: CatalogueWriter;

  constructor({ catalogue }: { catalogue: CatalogueWriter }) {
    this.#catalogue = catalogue;
  }

  /**
   * Each with all below it right behind it. @param empty also those without a product for sale
   * @throws AppError UNAUTHENTICATED, FORBIDDEN for the empty ones
   */
  async list({ empty = false }: { empty?: boolean | undefined } = {}, actor: Actor = visitor): Promise<CategoryDto[]> {
    if (empty) authorize(actor, 'products:write');
    const [categories, counts] = await Promise.all([
      Category.find().lean(),
      Product.aggregate<{ _id: string; count: number }>([
        { $match: { listed: true, status: true } },
        { $group: { _id: '$category', count: { $sum: 1 } } },
      ]),
    ]);
    const pathOfName = new Map(categories.map(({ name, path }) => [name, path]));
    const totals = new Map<string, number>();
    for (const { _id: name, count } of counts)
      for (const path of pathsOf(pathOfName.get(name) ?? '')) totals.set(path, (totals.get(path) ?? 0) + count);
    return inTreeOrder(categories)
      .map((category) => toCategoryDto(category, totals.get(category.path) ?? 0))
      .filter(({ count }) => empty || count > 0);
  }

  /** A category and those above it, from the top. */
  async trail(path: string): Promise<Former[]> {
    const categories = await Category.find({ path: { $in: pathsOf(path) } }, { _id: 0, name: 1, path: 1 }).lean();
    return categories.sort((a, b) => a.path.length - b.path.length);
  }

  /** @throws AppError INVALID_INPUT, NAME_TAKEN */
  create(actor: Actor, { slug, parent, ...input }: CreateCategory): Promise<CategoryDto> {
    authorize(actor, 'products:write');
    return this.#write(async (session) => {
      const above = await findParent(parent, session);
      const ownSlug = slug ?? (await freeSlug(input.name, above, session));
      const path = pathBelow(above, ownSlug);
      await expectLeft(path, session);
      const [made] = await Category.create([{ ...input, slug: ownSlug, path, parent: above?._id ?? null }], {
        session,
      });
      const category = toCategoryDto((made as NonNullable<typeof made>).toObject(), 0);
      await recordStaffWrites(
        actor,
        [{ action: 'category.created', targetId: category.id, before: null, after: category }],
        session,
      );
      return category;
    });
  }

  /**
   * Renames or moves a category. When it resolves, its products have followed; after a crash in between they do at the
   * next start. @throws AppError NOT_FOUND, INVALID_INPUT, NAME_TAKEN, CONCURRENT_CHANGE while they follow another change
   */
  async update(actor: Actor, id: string, input: UpdateCategory): Promise<CategoryDto> {
    authorize(actor, 'products:write');
    await this.#write(async (session) => {
      const before = await findCategory(id, session);
      if (before.former) throw new AppError('CONCURRENT_CHANGE', 'Its products still follow the change before.');
      const above = await findParent(input.parent === undefined ? before.parent : input.parent, session, before);
      const after = { ...before, ...input, parent: above?._id ?? null };
      after.path = pathBelow(above, after.slug);
      if (after.path !== before.path) {
        await expectLeft(after.path, session);
        await moveBelow(before.path, after.path, session);
      }
      const isSame = after.name === before.name && after.path === before.path;
      const former = isSame ? null : { name: before.name, path: before.path };
      await Category.updateOne({ _id: id }, { $set: { ...after, former } }, { session });
      const [was, is] = [toCategoryDto(before, 0), toCategoryDto(after, 0)];
      await recordStaffWrites(actor, [{ action: 'category.updated', targetId: id, before: was, after: is }], session);
    });
    await this.followAll();
    const after = (await this.list({ empty: true }, actor)).find((category) => category.id === id);
    if (!after) throw notFound();
    return after;
  }

  /** @throws AppError NOT_FOUND, CATEGORY_NOT_EMPTY */
  async remove(actor: Actor, id: string): Promise<void> {
    authorize(actor, 'products:write');
    await this.#write(async (session) => {
      const category = await findCategory(id, session);
      // Those that still follow a change have the name before it.
      const names = [category.name, ...(category.former ? [category.former.name] : [])];
      const isUsed =
        (await Category.exists({ parent: id }).session(session)) ??
        (await Product.exists({ deleted: false, category: { $in: names } }).session(session));
      if (isUsed) throw new AppError('CATEGORY_NOT_EMPTY', `${category.name} still has products or categories in it.`);
      await Category.deleteOne({ _id: id }, { session });
      const before = toCategoryDto(category, 0);
      await recordStaffWrites(actor, [{ action: 'category.deleted', targetId: id, before, after: null }], session);
    });
  }

  /** Lets products follow every change of a category that they have not followed to the end. */
  async followAll(): Promise<void> {
    for (const category of await Category.find({ former: { $ne: null } }).lean()) {
      while (await this.#followSome(category));
      await Category.updateOne({ _id: category._id, former: category.former }, { $set: { former: null } });
    }
  }

  /** @returns false when all have followed */
  #followSome({ name, path, former }: StoredCategory): Promise<boolean> {
    const behind = [
      ...(former && former.name !== name ? [{ category: former.name }] : []),
      ...(former && former.path !== path ? [{ categoryPaths: former.path }] : []),
    ];
    return this.#catalogue.write(async (session, writes) => {
      const products = await Product.find({ deleted: false, $or: behind }).limit(BATCH).session(session);
      const changes = [];
      for (const product of products) {
        const before = toProductDto(product);
        // Without paths, the category is looked up again.
        product.set({ categoryPaths: [], ...(product.category === former?.name && { category: name }) });
        changes.push((await storeProduct(system, before, product, writes)).told ?? []);
      }
      return { result: products.length > 0, changes: changes.flat() };
    });
  }

  async #write<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
    try {
      return await this.#catalogue.write(async (session) => ({
        result: await work(session),
        changes: [],
        elsewhere: true,
      }));
    } catch (error) {
      if (isDuplicateKey(error)) throw new AppError('NAME_TAKEN', 'Another category has this name or this address.');
      throw error;
    }
  }
}

const notFound = () => new AppError('NOT_FOUND', 'There is no category with this id.');

async function findCategory(id: string, session: ClientSession): Promise<StoredCategory> {
  const category = await Category.findById(id).session(session).lean();
  if (!category) throw notFound();
  return category;
}

/** Nobody takes an address that products have yet to leave. @throws AppError NAME_TAKEN */
async function expectLeft(path: string, session: ClientSession): Promise<void> {
  if (await Category.exists({ 'former.path': path }).session(session))
    throw new AppError('NAME_TAKEN', 'Products are still leaving the category that had this address.');
}

/** @param moved must not come to be below itself @throws AppError INVALID_INPUT */
async function findParent(id: unknown, session: ClientSession, moved?: StoredCategory): Promise<StoredCategory | null> {
  if (id === null) return null;
  const parent = await Category.findById(id).session(session).lean();
  const refuse = (detail: string) => invalidInput([{ pointer: '#/parent', detail }]);
  if (!parent) throw refuse('must be the id of a category');
  if (moved && pathsOf(parent.path).includes(moved.path)) throw refuse('must not be the category itself or below it');
  // Where it is, it may stay.
  const levels = moved?.parent?.equals(parent._id) ? 0 : await levelsOf(moved, session);
  if (pathsOf(parent.path).length > MAX_DEPTH - levels)
    throw refuse(`must be at most ${MAX_DEPTH - levels} levels deep`);
  return parent;
}

/** How many levels it takes with those below it; a new one takes one. */
async function levelsOf(category: StoredCategory | undefined, session: ClientSession): Promise<number> {
  if (!category) return 1;
  const below = await Category.find({ path: { $regex: `^${category.path}/` } })
    .session(session)
    .lean();
  const depths = [category, ...below].map(({ path }) => pathsOf(path).length);
  return Math.max(...depths) - pathsOf(category.path).length + 1;
}

/** Gives those below a category their new paths. */
async function moveBelow(from: string, to: string, session: ClientSession): Promise<void> {
  const below = await Category.find({ path: { $regex: `^${from}/` } })
    .session(session)
    .lean();
  for (const { _id, path } of below)
    await Category.updateOne({ _id }, { $set: { path: to + path.slice(from.length) } }, { session });
}
