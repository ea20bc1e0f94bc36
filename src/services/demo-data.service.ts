/** Gives a new shop something to show. */
import { Types } from 'mongoose';
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
    const ids = new Map(this.#catalogue.map(({ code }) => [code, new Types.ObjectId().toHexString()]));
    const products = this.#catalogue.map((product) => toNewProduct(product, ids)).reverse();
    try {
      return (await this.#products.fillNewCatalogue(system, products)).length;
    } catch (error) {
      if (error instanceof AppError && error.code === 'CODE_TAKEN') return 0;
      throw error;
    }
  }
}

/** @param ids of all products of the demo, by code */
function toNewProduct(demo: DemoProduct, ids: ReadonlyMap<string, string>): NewProduct {
  const { picture, choice, reduced, related = [], price, stock, ...fields } = demo;
  const url = `/img/demo/${picture}`;
  const size = { width: PICTURE_SIDE, height: PICTURE_SIDE };
  const image = { id: picture.replace(/\.\w+$/, ''), url, thumbnail: url, ...size, alt: '' };
  return {
    ...fields,
    ...(choice ? choices(demo.code, choice) : { price, stock, options: [], variants: [] }),
    ...{ status: true, draft: false, listPrice: null, ...reduced },
    id: ids.get(demo.code) as string,
    related: related.flatMap((code) => ids.get(code) ?? []),
    thumbnails: [url],
    images: [image],
  };
}

const choices = (code: string, { name, variants }: NonNullable<DemoProduct['choice']>) => ({
  options: [{ name, values: variants.map(({ value }) => value) }],
  variants: variants.map(({ value, ...rest }, i) => ({
    ...rest,
    code: `${code}-${i + 1}`,
    values: [value],
    picture: null,
  })),
});
