/** Gives a new shop something to show. */
import { system } from '../actor.ts';
import type { DemoProduct } from '../demo/catalogue.ts';
import { AppError } from '../errors.ts';
import type { NewProduct, ProductService } from './product.service.ts';

const PICTURE_SIDE = 800;

interface DemoDataServiceDeps {
  products: Pick<ProductService, 'fillNewCatalogue'>;
  catalogue: readonly DemoProduct[];
}

export class DemoDataService {
  readonly #products: Pick<ProductService, 'fillNewCatalogue'>;
  readonly #catalogue: readonly DemoProduct[];

  constructor({ products, catalogue }: DemoDataServiceDeps) {
    this.#products = products;
    this.#catalogue = catalogue;
  }

  /**
   * Fills a catalogue that has never held a product. Demo products that were deleted do not come back.
   * @returns how many products were added
   */
  async seed(): Promise<number> {
    // The shop shows the newest first: the last one made opens the shop window.
    const products = this.#catalogue.map(toNewProduct).reverse();
    try {
      return (await this.#products.fillNewCatalogue(system, products)).length;
    } catch (error) {
      if (error instanceof AppError && error.code === 'CODE_TAKEN') return 0;
      throw error;
    }
  }
}

function toNewProduct({ picture, ...fields }: DemoProduct): NewProduct {
  const url = `/img/demo/${picture}`;
  const size = { width: PICTURE_SIDE, height: PICTURE_SIDE };
  const image = { id: picture.replace(/\.\w+$/, ''), url, thumbnail: url, ...size, alt: '' };
  const plain = { options: [], variants: [], draft: false, listPrice: null, related: [] };
  return { ...plain, ...fields, status: true, thumbnails: [url], images: [image] };
}
