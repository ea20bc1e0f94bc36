/** The tree of categories in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  CategoryBody,
  CategoryList,
  CategoryParams,
  CreateCategory,
  ListCategories,
  UpdateCategory,
} from '../schemas/category.schema.ts';
import { change, empty, json, jsonBody, needsPermission, notModified, read } from './operation.ts';
import { ifNoneMatchHeader } from './parameters.ts';

const products: [string] = ['Products'];
const toWrite = needsPermission('products:write');

export const categoryPaths: ZodOpenApiPathsObject = {
  '/api/categories': {
    get: read({
      operationId: 'listCategories',
      tags: products,
      summary: 'List categories',
      description: 'The categories of the products for sale, as a tree: each with all below it right behind it.',
      requestParams: { query: ListCategories, header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: json(CategoryList, 'All categories', 'ETag'), 304: notModified },
      refusals: ['INVALID_INPUT', 'UNAUTHENTICATED', 'FORBIDDEN'],
    }),
    post: change({
      ...toWrite,
      operationId: 'createCategory',
      tags: products,
      summary: 'Create a category',
      description: 'The slug is made from the name when it is left out. A product with a new `category` makes one too.',
      requestBody: jsonBody(CreateCategory, { name: 'Mugs' }),
      answers: { 201: json(CategoryBody, 'The category', 'Location') },
      refusals: ['NAME_TAKEN'],
    }),
  },
  '/api/categories/{gid}': {
    patch: change({
      ...toWrite,
      operationId: 'updateCategory',
      tags: products,
      summary: 'Rename or move a category',
      description: 'Its products, and those of the categories below it, have followed when this is answered.',
      requestParams: { path: CategoryParams },
      requestBody: jsonBody(UpdateCategory, { name: 'Cups and mugs' }),
      answers: { 200: json(CategoryBody, 'The category as it is now') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'NAME_TAKEN'],
    }),
    delete: change({
      ...toWrite,
      operationId: 'deleteCategory',
      tags: products,
      summary: 'Delete an empty category',
      requestParams: { path: CategoryParams },
      answers: { 204: empty('It is deleted') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'CATEGORY_NOT_EMPTY'],
    }),
  },
};
