/** Signing up and logging in, in the OpenAPI document. */
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  AcceptedBody,
  LoggedInBody,
  LogIn,
  LogOut,
  MailedToken,
  RefreshToken,
  SessionListBody,
  SessionParams,
  SignUp,
  TokensBody,
} from '../schemas/auth.schema.ts';
import { UserBody } from '../schemas/user.schema.ts';
import { byHand, change, empty, json, jsonBody, needsLogin, read } from './operation.ts';

const accounts: [string] = ['Accounts'];

const ana = { email: 'ana@example.com', password: 'a long sentence is good' };

export const authPaths: ZodOpenApiPathsObject = {
  '/api/auth/signup': {
    post: change({
      tags: accounts,
      operationId: 'signUp',
      summary: 'Ask for an account',
      description:
        'A mail with a link goes to the address; the account is made when it is confirmed. The answer is the same ' +
        'whether or not the address has an account.',
      requestBody: jsonBody(SignUp, { ...ana, name: 'Ana Sousa', locale: 'pt' }),
      answers: { 202: json(AcceptedBody, 'A mail is on its way') },
    }),
  },
  '/api/auth/verify-email': {
    post: change({
      ...byHand('Paste the token from the link in the mail first.'),
      tags: accounts,
      operationId: 'verifyEmail',
      summary: 'Confirm an address, which makes the account',
      requestBody: jsonBody(MailedToken, { token: 'u7o0JqO3o9yq0lYt3uQn1m8X2b5c7d9e1f3g5h7i9j0' }),
      answers: { 201: json(UserBody, 'The account', 'Location') },
      refusals: ['INVALID_TOKEN'],
    }),
  },
  '/api/auth/login': {
    post: change({
      ...byHand('Put in the address and the password of your account first.'),
      tags: accounts,
      operationId: 'logIn',
      summary: 'Log in',
      description:
        'Send the access token as `Authorization: Bearer <token>`; after ten minutes get a new one with the refresh ' +
        'token.',
      requestBody: jsonBody(LogIn, ana),
      answers: { 200: json(LoggedInBody, 'Tokens, and who you are') },
      refusals: ['INVALID_CREDENTIALS', 'FORBIDDEN'],
    }),
  },
  '/api/auth/refresh': {
    post: change({
      ...byHand('Log in first.'),
      tags: accounts,
      operationId: 'refresh',
      summary: 'Get new tokens',
      description:
        'A refresh token is valid once. When one is sent a second time, it or its successor is in wrong hands: the ' +
        'login ends.',
      requestBody: jsonBody(RefreshToken, { refreshToken: '{{refreshToken}}' }),
      answers: { 200: json(TokensBody, 'The next tokens') },
    }),
  },
  '/api/auth/logout': {
    post: change({
      tags: accounts,
      operationId: 'logOut',
      summary: 'Log out',
      description: 'Ends the login that asks, or the one of a refresh token. Again is harmless.',
      requestBody: { ...jsonBody(LogOut, {}), required: false },
      answers: { 204: empty('You are logged out') },
    }),
  },
  '/api/auth/sessions': {
    get: read({
      ...needsLogin,
      ...byHand('Log in first.'),
      tags: accounts,
      operationId: 'listSessions',
      summary: 'Where you are logged in',
      description: 'The last used first, at most 50.',
      answers: { 200: json(SessionListBody, 'Your logins') },
      refusals: ['FORBIDDEN'],
    }),
    delete: change({
      ...needsLogin,
      ...byHand('Log in first.'),
      tags: accounts,
      operationId: 'endOtherSessions',
      summary: 'Log out everywhere else',
      answers: { 204: empty('All logins but this one have ended') },
      refusals: ['FORBIDDEN'],
    }),
  },
  '/api/auth/sessions/{sid}': {
    delete: change({
      ...needsLogin,
      ...byHand('Log in first.'),
      tags: accounts,
      operationId: 'endSession',
      summary: 'Log out somewhere else',
      requestParams: { path: SessionParams },
      answers: { 204: empty('That login has ended') },
      refusals: ['FORBIDDEN', 'INVALID_ID', 'NOT_FOUND'],
    }),
  },
};
