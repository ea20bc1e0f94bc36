/** What staff do, in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ApiKeyListBody, ApiKeyParams, CreateApiKey, NewApiKeyBody } from '../schemas/api-key.schema.ts';
import { AuditListBody, ListAudit } from '../schemas/audit.schema.ts';
import { ListUsers, ManageUser, UserBody, UserListBody, UserParams } from '../schemas/user.schema.ts';
import {
  byHand,
  change,
  empty,
  json,
  jsonBody,
  needsPermission,
  needsPersonWith,
  notModified,
  read,
} from './operation.ts';
import { ifMatchHeader, ifNoneMatchHeader } from './parameters.ts';

const staff: [string] = ['Staff'];
const withKeys = needsPersonWith('keys:write');

export const staffPaths: ZodOpenApiPathsObject = {
  '/api/users': {
    get: read({
      ...needsPermission('users:read'),
      tags: staff,
      operationId: 'listUsers',
      summary: 'Who has an account',
      description: 'The newest first.',
      requestParams: { query: ListUsers },
      answers: { 200: json(UserListBody, 'A page of accounts', 'Link') },
      refusals: ['INVALID_INPUT'],
    }),
  },
  '/api/users/{uid}': {
    get: read({
      ...needsPermission('users:read'),
      tags: staff,
      operationId: 'getUser',
      summary: 'One account',
      requestParams: { path: UserParams, header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: json(UserBody, 'The account', 'ETag'), 304: notModified },
      refusals: ['INVALID_ID', 'NOT_FOUND'],
    }),
    patch: change({
      ...needsPermission('users:write'),
      ...byHand('Fill in uid: the id of somebody else.'),
      tags: staff,
      operationId: 'manageUser',
      summary: 'Change a role, or disable an account',
      description: 'The last admin who can log in stays one. Nobody gives a role that may do more than they may.',
      requestParams: { path: UserParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: jsonBody(ManageUser, { role: 'seller' }),
      answers: { 200: json(UserBody, 'The account', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH', 'LAST_ADMIN'],
    }),
  },
  '/api/users/{uid}/two-step': {
    delete: change({
      ...needsPersonWith('users:write'),
      ...byHand('Fill in uid: the id of somebody who has lost theirs.'),
      tags: staff,
      operationId: 'removeTwoStep',
      summary: 'Remove a second factor that somebody has lost',
      description:
        'The password alone opens the account then. Its logins end, and the owner gets a mail. Never your own.',
      requestParams: { path: UserParams, header: z.object({ ...ifMatchHeader }) },
      answers: { 204: empty('The login has one step') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH', 'TWO_STEP_STATE'],
    }),
  },
  '/api/keys': {
    get: read({
      ...withKeys,
      tags: staff,
      operationId: 'listKeys',
      summary: 'Your API keys',
      description: 'With `users:write` those of everybody.',
      answers: { 200: json(ApiKeyListBody, 'The keys, the newest first') },
    }),
    post: change({
      ...withKeys,
      tags: staff,
      operationId: 'createKey',
      summary: 'Make an API key',
      description: 'A key may do what it was made for, and never more than its owner.',
      requestBody: jsonBody(CreateApiKey, { name: 'nightly import', permissions: ['products:write'], days: 90 }),
      answers: { 201: json(NewApiKeyBody, 'The key, shown this once', 'Location') },
      refusals: ['NAME_TAKEN', 'LIMIT_REACHED'],
    }),
  },
  '/api/keys/{kid}': {
    delete: change({
      ...withKeys,
      tags: staff,
      operationId: 'deleteKey',
      summary: 'End an API key',
      requestParams: { path: ApiKeyParams },
      answers: { 204: empty('It is worth nothing any more') },
      refusals: ['INVALID_ID', 'NOT_FOUND'],
    }),
  },
  '/api/audit': {
    get: read({
      ...needsPermission('audit:read'),
      tags: staff,
      operationId: 'listAudit',
      summary: 'What staff have changed',
      description: 'The newest first; entries are only ever added.',
      requestParams: { query: ListAudit },
      answers: { 200: json(AuditListBody, 'A page of the record') },
      refusals: ['INVALID_INPUT'],
    }),
  },
};
