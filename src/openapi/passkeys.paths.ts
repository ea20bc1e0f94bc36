/** Passkeys, in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { LoggedInBody } from '../schemas/auth.schema.ts';
import {
  AddPasskey,
  LogInPasskey,
  PasskeyBody,
  PasskeyListBody,
  PasskeyOptionsBody,
  PasskeyParams,
  ProvePassword,
  RenamePasskey,
} from '../schemas/passkey.schema.ts';
import { byHand, change, empty, json, jsonBody, needsLogin, read } from './operation.ts';
import { cartSecretHeader } from './parameters.ts';

const accounts: [string] = ['Accounts'];
const device = byHand('Needs a device that has a passkey: use the pages.');

export const passkeyPaths: ZodOpenApiPathsObject = {
  '/api/auth/login/passkey/options': {
    post: change({
      tags: accounts,
      operationId: 'passkeyLoginOptions',
      summary: 'What a device has to know to log somebody in',
      description: 'For whoever has a passkey: no address is asked for. The cookie belongs to the answer.',
      answers: { 200: json(PasskeyOptionsBody, 'The options with a challenge', 'Set-Cookie') },
      refusals: ['PASSKEYS_UNAVAILABLE'],
    }),
  },
  '/api/auth/login/passkey': {
    post: change({
      ...device,
      tags: accounts,
      operationId: 'logInPasskey',
      summary: 'Log in with a passkey',
      description:
        'Counts as a login in two steps. Send the cookie that came with the options. Whatever comes of it, the ' +
        'challenge is used up.',
      requestParams: { header: z.object({ ...cartSecretHeader }) },
      requestBody: jsonBody(LogInPasskey),
      answers: { 200: json(LoggedInBody, 'Tokens, who you are, and what became of the cart', 'Set-Cookie') },
      refusals: ['PASSKEY_REFUSED', 'FORBIDDEN', 'INVALID_TOKEN', 'CONCURRENT_CHANGE', 'PASSKEYS_UNAVAILABLE'],
    }),
  },
  '/api/auth/passkeys': {
    get: read({
      ...needsLogin,
      tags: accounts,
      operationId: 'listPasskeys',
      summary: 'Your passkeys',
      answers: { 200: json(PasskeyListBody, 'At most ten, the oldest first') },
      refusals: ['FORBIDDEN'],
    }),
    post: change({
      ...needsLogin,
      ...device,
      tags: accounts,
      operationId: 'addPasskey',
      summary: 'Add a passkey',
      description: 'The answer of the device to the options, in the login that asked for them. You get a mail.',
      requestBody: jsonBody(AddPasskey),
      answers: { 201: json(PasskeyBody, 'The passkey', 'Location') },
      refusals: ['FORBIDDEN', 'INVALID_TOKEN', 'LIMIT_REACHED', 'NOT_FOUND', 'PASSKEYS_UNAVAILABLE'],
    }),
  },
  '/api/auth/passkeys/options': {
    post: change({
      ...needsLogin,
      ...byHand('Put in your password first.'),
      tags: accounts,
      operationId: 'newPasskeyOptions',
      summary: 'What a device has to know to make a passkey',
      requestBody: jsonBody(ProvePassword, { password: 'a long sentence is good' }),
      answers: { 200: json(PasskeyOptionsBody, 'The options with a challenge') },
      refusals: ['FORBIDDEN', 'LIMIT_REACHED', 'NOT_FOUND', 'PASSKEYS_UNAVAILABLE'],
    }),
  },
  '/api/auth/passkeys/{kid}': {
    patch: change({
      ...needsLogin,
      ...byHand('Fill in kid: the id of one of your passkeys.'),
      tags: accounts,
      operationId: 'renamePasskey',
      summary: 'Rename a passkey',
      requestParams: { path: PasskeyParams },
      requestBody: jsonBody(RenamePasskey, { name: 'My new telephone' }),
      answers: { 200: json(PasskeyBody, 'The passkey') },
      refusals: ['FORBIDDEN', 'INVALID_ID', 'NOT_FOUND'],
    }),
    delete: change({
      ...needsLogin,
      ...byHand('Fill in kid, the id of one of your passkeys, and your password.'),
      tags: accounts,
      operationId: 'removePasskey',
      summary: 'Remove a passkey',
      description: 'Other logins that it has opened end, and you get a mail.',
      requestParams: { path: PasskeyParams },
      requestBody: jsonBody(ProvePassword, { password: 'a long sentence is good' }),
      answers: { 204: empty('It opens nothing any more') },
      refusals: ['FORBIDDEN', 'INVALID_ID', 'NOT_FOUND'],
    }),
  },
};
