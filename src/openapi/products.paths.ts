/** The catalogue in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  ArrangeImages,
  ChangeStock,
  CreateProduct,
  ImageParams,
  ListMovements,
  ListProducts,
  MovementListBody,
  ProductBody,
  ProductPage,
  ProductParams,
  ReplaceProduct,
  UpdateProduct,
  UpdateVariant,
  VariantParams,
} from '../schemas/product.schema.ts';
import { byHand, change, empty, json, jsonBody, needsPermission, notModified, read } from './operation.ts';
import { ifMatchHeader, ifNoneMatchHeader } from './parameters.ts';

const products: [string] = ['Products'];
const toWrite = needsPermission('products:write');

const newMug = {
  code: 'MUG-001',
  title: 'Speckled mug',
  description: 'Thrown by hand, holds 300 ml.',
  price: 1999,
  stock: 12,
  category: 'Ceramics',
};

export const productPaths: ZodOpenApiPathsObject = {
  '/api/products': {
    get: read({
      operationId: 'listProducts',
      tags: products,
      summary: 'List products',
      description:
        'A page of the catalogue. Filters combine; `q` finds products that hold all words or their beginnings, ' +
        'whatever the case and accents. When nothing has one of the words, up to 20,000 products, the nearest word is ' +
        'looked for instead and named in `corrected`. With `facets=true` the answer counts what the list can be narrowed by. ' +
        'Drafts are only in the list with `draft=true`. Products that are equal in `sort` keep their order from page to page.',
      requestParams: { query: ListProducts, header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: json(ProductPage, 'A page of products', 'ETag', 'Link'), 304: notModified },
      refusals: ['INVALID_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN'],
    }),
    post: change({
      ...toWrite,
      operationId: 'createProduct',
      tags: products,
      summary: 'Create a product',
      description:
        'Everyone who has a page of the shop open sees it at once, unless it is a draft. A product with variants has ' +
        'their lowest price and the sum of their stock. A category that does not exist yet is made, at the top.',
      requestBody: jsonBody(CreateProduct, newMug),
      answers: { 201: json(ProductBody, 'The product', 'ETag', 'Location') },
      refusals: ['CODE_TAKEN'],
    }),
  },
  '/api/products/{pid}': {
    get: read({
      operationId: 'getProduct',
      tags: products,
      summary: 'Read a product',
      requestParams: { path: ProductParams, header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: json(ProductBody, 'The product', 'ETag'), 304: notModified },
      refusals: ['INVALID_ID', 'NOT_FOUND'],
    }),
    put: change({
      ...toWrite,
      operationId: 'replaceProduct',
      tags: products,
      summary: 'Replace a product',
      description:
        'Every field that you leave out goes back to its default; `thumbnails` stay as they are when left out.',
      requestParams: { path: ProductParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(ReplaceProduct, { ...newMug, price: 1799 }),
      answers: { 200: json(ProductBody, 'The product as it is now', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'CODE_TAKEN', 'VERSION_MISMATCH'],
    }),
    patch: change({
      ...toWrite,
      operationId: 'updateProduct',
      tags: products,
      summary: 'Change some fields of a product',
      requestParams: { path: ProductParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(UpdateProduct, { price: 1499, stock: 8 }),
      answers: { 200: json(ProductBody, 'The product as it is now', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'CODE_TAKEN', 'VERSION_MISMATCH'],
    }),
    delete: change({
      ...toWrite,
      operationId: 'deleteProduct',
      tags: products,
      summary: 'Delete a product',
      description: 'It leaves the catalogue and every list; its code is free again.',
      requestParams: { path: ProductParams, header: z.object({ ...ifMatchHeader }) },
      answers: { 204: empty('It is deleted') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH'],
    }),
  },
  '/api/products/{pid}/variants/{vid}': {
    patch: change({
      ...toWrite,
      operationId: 'updateVariant',
      ...byHand('Fill in vid: the id of one of the variants of the product.'),
      tags: products,
      summary: 'Change code, price, stock or picture of one variant',
      description: 'The other variants stay as they are. All of them at once: the member `variants` of the product.',
      requestParams: { path: VariantParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(UpdateVariant, { stock: 8 }),
      answers: { 200: json(ProductBody, 'The product as it is now', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'CODE_TAKEN', 'VERSION_MISMATCH'],
    }),
  },
  '/api/products/{pid}/stock': {
    get: read({
      ...toWrite,
      operationId: 'listStockMovements',
      tags: products,
      summary: 'Every change of the stock of a product',
      description: 'The newest first, each with its cause: orders, cancellations, refunds and staff.',
      requestParams: { path: ProductParams, query: ListMovements },
      answers: { 200: json(MovementListBody, 'A page of movements') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'INVALID_INPUT'],
    }),
    post: change({
      ...toWrite,
      operationId: 'changeStock',
      tags: products,
      summary: 'Add units to the stock of a product, take some away, or say how many were counted',
      description: 'What is sold in the same moment is not lost: `change` counts from the stock of now.',
      requestParams: { path: ProductParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(ChangeStock, { change: 20, reason: 'Delivery' }),
      answers: { 200: json(ProductBody, 'The product as it is now', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'OUT_OF_STOCK', 'VERSION_MISMATCH'],
    }),
  },
  '/api/products/{pid}/images': {
    put: change({
      ...toWrite,
      operationId: 'arrangePictures',
      ...byHand('Put in the ids of the pictures of the product.'),
      tags: products,
      summary: 'Put the pictures of a product into order, and describe them',
      description: 'Names each picture once. The first one stands for the product in lists.',
      requestParams: { path: ProductParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(ArrangeImages, [{ id: '0f9c5b1d', alt: 'A blue mug on a table' }]),
      answers: { 200: json(ProductBody, 'The product as it is now', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH'],
    }),
  },
  '/api/products/{pid}/images/{iid}': {
    delete: change({
      ...toWrite,
      operationId: 'deletePicture',
      ...byHand('Fill in iid: the id of one of the pictures of the product.'),
      tags: products,
      summary: 'Take a picture from a product',
      requestParams: { path: ImageParams, header: z.object({ ...ifMatchHeader }) },
      answers: { 200: json(ProductBody, 'The product without it', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH'],
    }),
  },
  '/api/products/{pid}/upload': {
    post: change({
      ...toWrite,
      operationId: 'uploadPictures',
      ...byHand('Choose a picture in the body first.'),
      tags: products,
      summary: 'Add pictures to a product',
      description:
        'JPEG, PNG, WebP, AVIF or GIF, told apart by their content. They are written anew without metadata and added ' +
        'to `images` and `thumbnails`: all of them, or none when one is refused.',
      requestParams: { path: ProductParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: {
        required: true,
        content: {
          'multipart/form-data': {
            schema: z.object({
              file: z
                .array(z.string().meta({ format: 'binary' }))
                .min(1)
                .max(10)
                .meta({ description: 'The pictures, each a part with the name `file`, at most 10 MB each' }),
            }),
          },
        },
      },
      answers: { 200: json(ProductBody, 'The product with its pictures', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH', 'LIMIT_REACHED', 'UNREADABLE_PICTURE'],
    }),
  },
};
