/** The pictures of products: uploaded as files that a stranger has sent, arranged, and removed with their files. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { type Actor, authorize } from '../actor.ts';
import type { FileStorage } from '../adapters/storage/file-storage.ts';
import { AppError, invalidInput } from '../errors.ts';
import type { ProductDto, ProductImage } from '../models/product.model.ts';
import type { ArrangeImages } from '../schemas/product.schema.ts';
import type { CatalogueWriter } from './catalogue-writer.ts';
import type { EncodedPicture } from './encode-picture.ts';
import { encodePicture } from './picture-encoder.ts';
import { changeProduct } from './product-store.ts';

const FOLDER = 'products';
const MAX_PICTURES = 20;

interface ImageServiceDeps {
  storage: FileStorage;
  catalogue: CatalogueWriter;
}

interface StoredImages {
  images: ProductImage[];
  /** The names in the storage. */
  names: string[];
}

export class ImageService {
  readonly #storage: FileStorage;
  readonly #catalogue: CatalogueWriter;

  constructor({ storage, catalogue }: ImageServiceDeps) {
    this.#storage = storage;
    this.#catalogue = catalogue;
  }

  /**
   * Adds pictures to a product: all of them, or none.
   * @param sources paths of files as they were sent; what is made of them on the way lies next to them.
   * @throws AppError UNSUPPORTED_MEDIA_TYPE, UNREADABLE_PICTURE, NOT_FOUND, VERSION_MISMATCH, LIMIT_REACHED with more
   * than 20 pictures
   */
  async addToProduct(actor: Actor, id: string, sources: readonly string[], ifVersion?: number): Promise<ProductDto> {
    authorize(actor, 'products:write');
    const pictures = await encodeAll(sources);
    const { images, names } = await this.#store(pictures);
    try {
      return await changeProduct(this.#catalogue, { actor, id, ifVersion }, (product) => withImages(product, images));
    } catch (error) {
      // Only a refusal is certain. After a lost connection the product may have them: better a file too many.
      if (error instanceof AppError) await this.#removeAll(names);
      throw error;
    }
  }

  /**
   * Puts the pictures into this order, with these words for those who do not see them.
   * @throws AppError NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT unless each picture is named once
   */
  arrange(actor: Actor, id: string, order: ArrangeImages, ifVersion?: number): Promise<ProductDto> {
    return changeProduct(this.#catalogue, { actor, id, ifVersion }, (product) => arranged(product, order));
  }

  /** Takes a picture from a product, then its files. @throws AppError NOT_FOUND, VERSION_MISMATCH */
  async removeFromProduct(
    actor: Actor,
    { pid, iid }: { pid: string; iid: string },
    ifVersion?: number,
  ): Promise<ProductDto> {
    let files: string[] = [];
    const product = await changeProduct(this.#catalogue, { actor, id: pid, ifVersion }, (before) => {
      const image = before.images.find(({ id }) => id === iid);
      if (!image) throw new AppError('NOT_FOUND', 'The product has no such picture.');
      files = [image.url, image.thumbnail];
      return withoutImage(before, image);
    });
    // Pictures may lie elsewhere, as those of the demo do.
    const own = files
      .map((url) => ({ url, name: `${FOLDER}/${basename(url)}` }))
      .filter(({ url, name }) => this.#storage.url(name) === url);
    await this.#removeAll(own.map(({ name }) => name));
    return product;
  }

  async #store(pictures: readonly EncodedPicture[]): Promise<StoredImages> {
    const stored: StoredImages = { images: [], names: [] };
    const put = async (name: string, path: string) => {
      stored.names.push(name);
      await this.#storage.put(name, path);
      return this.#storage.url(name);
    };
    try {
      for (const { file, thumbnail, extension, width, height } of pictures) {
        const id = randomBytes(16).toString('hex');
        const url = await put(`${FOLDER}/${id}.${extension}`, file);
        const small = await put(`${FOLDER}/${id}-480.webp`, thumbnail);
        stored.images.push({ id, url, thumbnail: small, width, height, alt: '' });
      }
    } catch (error) {
      await this.#removeAll(stored.names);
      throw error;
    }
    return stored;
  }

  async #removeAll(names: readonly string[]): Promise<void> {
    await Promise.allSettled(names.map((name) => this.#storage.remove(name)));
  }
}

function withImages({ images, thumbnails }: ProductDto, added: readonly ProductImage[]) {
  if (Math.max(images.length, thumbnails.length) + added.length > MAX_PICTURES)
    throw new AppError('LIMIT_REACHED', `A product has at most ${MAX_PICTURES} pictures.`, { limit: MAX_PICTURES });
  return { images: [...images, ...added], thumbnails: [...thumbnails, ...added.map(({ thumbnail }) => thumbnail)] };
}

function arranged({ images, thumbnails }: ProductDto, order: ArrangeImages) {
  const arranged = order.flatMap(({ id, alt }) => {
    const image = images.find((one) => one.id === id);
    return image ? [{ ...image, alt }] : [];
  });
  const named = new Set(arranged.map((image) => image.id));
  if (order.length !== images.length || named.size !== images.length)
    throw invalidInput([{ pointer: '#', detail: 'must name each picture of the product once' }]);
  const small = arranged.map(({ thumbnail }) => thumbnail);
  return { images: arranged, thumbnails: [...small, ...thumbnails.filter((url) => !small.includes(url))] };
}

function withoutImage({ images, thumbnails, variants }: ProductDto, { id, thumbnail }: ProductImage) {
  return {
    images: images.filter((image) => image.id !== id),
    thumbnails: thumbnails.filter((url) => url !== thumbnail),
    variants: variants.map((one) => (one.picture === id ? { ...one, picture: null } : one)),
  };
}

/** One after the other, so that one caller does not hold up the others. */
async function encodeAll(sources: readonly string[]): Promise<EncodedPicture[]> {
  const pictures: EncodedPicture[] = [];
  for (const [i, source] of sources.entries()) {
    try {
      pictures.push(await encodePicture(source));
    } catch (error) {
      if (!(error instanceof AppError) || sources.length === 1) throw error;
      throw new AppError(error.code, `Picture ${i + 1} of ${sources.length}: ${error.message}`);
    }
  }
  return pictures;
}
