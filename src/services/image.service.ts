/** The pictures of products: from files that a stranger has sent to addresses in the catalogue. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import { type Actor, authorize } from '../actor.ts';
import type { FileStorage } from '../adapters/storage/file-storage.ts';
import { AppError } from '../errors.ts';
import type { ProductDto, ProductImage } from '../models/product.model.ts';
import type { EncodedPicture } from './encode-picture.ts';
import { encodePicture } from './picture-encoder.ts';
import type { ProductService } from './product.service.ts';

const FOLDER = 'products';

interface ImageServiceDeps {
  storage: FileStorage;
  products: Pick<ProductService, 'addImages' | 'removeImage'>;
}

interface StoredImages {
  images: ProductImage[];
  /** The names in the storage. */
  names: string[];
}

export class ImageService {
  readonly #storage: FileStorage;
  readonly #products: Pick<ProductService, 'addImages' | 'removeImage'>;

  constructor({ storage, products }: ImageServiceDeps) {
    this.#storage = storage;
    this.#products = products;
  }

  /**
   * Adds pictures to a product: all of them, or none.
   * @param sources paths of files as they were sent; what is made of them on the way lies next to them.
   * @throws AppError UNSUPPORTED_MEDIA_TYPE, UNREADABLE_PICTURE, and what ProductService.addImages throws.
   */
  async addToProduct(actor: Actor, id: string, sources: readonly string[], ifVersion?: number): Promise<ProductDto> {
    authorize(actor, 'products:write');
    const pictures = await encodeAll(sources);
    const { images, names } = await this.#store(pictures);
    try {
      return await this.#products.addImages(actor, id, images, ifVersion);
    } catch (error) {
      // Only a refusal is certain. After a lost connection the product may have them: better a file too many.
      if (error instanceof AppError) await this.#removeAll(names);
      throw error;
    }
  }

  /** Takes a picture from a product, then its files. @throws AppError NOT_FOUND, VERSION_MISMATCH */
  async removeFromProduct(actor: Actor, params: { pid: string; iid: string }, ifVersion?: number): Promise<ProductDto> {
    const { product, image } = await this.#products.removeImage(actor, params, ifVersion);
    // Pictures may lie elsewhere, as those of the demo do.
    const own = [image.url, image.thumbnail]
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
