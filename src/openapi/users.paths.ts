/** People and their accounts, in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { EraseAccount } from '../schemas/auth.schema.ts';
import { PersonalDataBody } from '../schemas/personal-data.schema.ts';
import { EditUser, UserBody } from '../schemas/user.schema.ts';
import { byHand, change, empty, json, jsonBody, needsLogin, notModified, read } from './operation.ts';
import { ifMatchHeader, ifNoneMatchHeader } from './parameters.ts';

const accounts: [string] = ['Accounts'];

export const userPaths: ZodOpenApiPathsObject = {
  '/api/users/profile': {
    get: read({
      ...needsLogin,
      tags: accounts,
      operationId: 'getProfile',
      summary: 'Your account',
      requestParams: { header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: json(UserBody, 'Your account', 'ETag'), 304: notModified },
      refusals: ['FORBIDDEN', 'NOT_FOUND'],
    }),
    delete: change({
      ...needsLogin,
      ...byHand('It cannot be undone. Put in your password first.'),
      tags: accounts,
      operationId: 'eraseAccount',
      summary: 'Erase your account',
      description:
        'Account, picture, logins, keys, cart and mailed links are deleted at once. What you wrote in the chat and ' +
        'changed as staff stays, with nothing that tells who it was. Orders stay for the books, without what people wrote ' +
        'into them. The address can sign up anew.',
      requestParams: { header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(EraseAccount, { password: 'a long sentence is good' }),
      answers: { 204: empty('It is erased, and this login has ended') },
      refusals: ['FORBIDDEN', 'NOT_FOUND', 'LAST_ADMIN', 'CONCURRENT_CHANGE', 'VERSION_MISMATCH'],
    }),
  },
  '/api/users/edit': {
    patch: change({
      ...needsLogin,
      ...byHand('It changes your own name.'),
      tags: accounts,
      operationId: 'editProfile',
      summary: 'Change your name or language',
      requestParams: { header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(EditUser, { name: 'Ana Sousa', locale: 'pt' }),
      answers: { 200: json(UserBody, 'Your account', 'ETag') },
      refusals: ['FORBIDDEN', 'VERSION_MISMATCH'],
    }),
  },
  '/api/users/export': {
    get: read({
      ...needsLogin,
      tags: accounts,
      operationId: 'exportPersonalData',
      summary: 'Everything that the shop holds about you',
      description: 'As a file. It holds no secrets, and no hashes of them.',
      answers: { 200: json(PersonalDataBody, 'Your data') },
      refusals: ['FORBIDDEN', 'NOT_FOUND'],
    }),
  },
  '/api/users/avatar': {
    post: change({
      ...needsLogin,
      ...byHand('Choose a picture in the body first.'),
      tags: accounts,
      operationId: 'setAvatar',
      summary: 'Set your picture',
      description:
        'JPEG, PNG, WebP, AVIF or GIF, told apart by its content. It is written anew as a small WebP without metadata; ' +
        'the picture before it is deleted.',
      requestParams: { header: z.object({ ...ifMatchHeader }) },
      requestBody: {
        required: true,
        content: {
          'multipart/form-data': {
            schema: z.object({
              file: z.string().meta({ format: 'binary', description: 'One picture of at most 10 MB' }),
            }),
          },
        },
      },
      answers: { 200: json(UserBody, 'Your account', 'ETag') },
      refusals: ['FORBIDDEN', 'VERSION_MISMATCH', 'UNREADABLE_PICTURE'],
    }),
    delete: change({
      ...needsLogin,
      ...byHand('It removes your own picture.'),
      tags: accounts,
      operationId: 'removeAvatar',
      summary: 'Remove your picture',
      requestParams: { header: z.object({ ...ifMatchHeader }) },
      answers: { 204: empty('You have no picture') },
      refusals: ['FORBIDDEN', 'VERSION_MISMATCH'],
    }),
  },
};
