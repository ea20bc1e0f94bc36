/** Coupons in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  CouponBody,
  CouponListBody,
  CouponParams,
  CreateCoupon,
  ListCoupons,
  UpdateCoupon,
} from '../schemas/coupon.schema.ts';
import { change, empty, json, jsonBody, needsPermission, notModified, read } from './operation.ts';
import { ifMatchHeader, ifNoneMatchHeader } from './parameters.ts';

const coupons: [string] = ['Coupons'];
const theCoupon = json(CouponBody, 'The coupon', 'ETag');
const forStaff = { ...needsPermission('coupons:write'), tags: coupons };

export const couponPaths: ZodOpenApiPathsObject = {
  '/api/coupons': {
    get: read({
      ...forStaff,
      operationId: 'listCoupons',
      summary: 'The coupons of the shop',
      description: 'The newest first.',
      requestParams: { query: ListCoupons },
      answers: { 200: json(CouponListBody, 'A page of coupons') },
      refusals: ['INVALID_INPUT'],
    }),
    post: change({
      ...forStaff,
      operationId: 'createCoupon',
      summary: 'Make a coupon',
      requestBody: jsonBody(CreateCoupon, { code: 'SUMMER-10', kind: 'percentage', value: 1000, maxPerCustomer: 1 }),
      answers: { 201: json(CouponBody, 'The coupon', 'ETag', 'Location') },
      refusals: ['NAME_TAKEN'],
    }),
  },
  '/api/coupons/{kid}': {
    get: read({
      ...forStaff,
      operationId: 'getCoupon',
      summary: 'One coupon, and how often it was used',
      requestParams: { path: CouponParams, header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: theCoupon, 304: notModified },
      refusals: ['INVALID_ID', 'NOT_FOUND'],
    }),
    patch: change({
      ...forStaff,
      operationId: 'updateCoupon',
      summary: 'Change a coupon',
      description: 'Code and kind stay: orders name them.',
      requestParams: { path: CouponParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(UpdateCoupon, { maxUses: 100 }),
      answers: { 200: theCoupon },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH', 'CONCURRENT_CHANGE'],
    }),
    delete: change({
      ...forStaff,
      operationId: 'endCoupon',
      summary: 'End a coupon',
      description: 'It stays in the list, as one that has expired.',
      requestParams: { path: CouponParams, header: z.object({ ...ifMatchHeader }) },
      answers: { 204: empty('It is valid no longer') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH', 'CONCURRENT_CHANGE'],
    }),
  },
};
