/** Signing up and logging in, in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  AcceptedBody,
  ChangeEmail,
  ChangePassword,
  ForgotPassword,
  LoggedInBody,
  LogIn,
  LogOut,
  MailedToken,
  RefreshToken,
  ResetPassword,
  SessionListBody,
  SessionParams,
  SignUp,
  TokensBody,
} from '../schemas/auth.schema.ts';
import {
  EnableTwoStep,
  ProveTwoStep,
  RecoveryCodesBody,
  SecondFactor,
  TwoStepSetupBody,
  TwoStepStateBody,
} from '../schemas/two-step.schema.ts';
import { UserBody } from '../schemas/user.schema.ts';
import { byHand, change, empty, json, jsonBody, needsLogin, read } from './operation.ts';
import { cartSecretHeader } from './parameters.ts';

const accounts: [string] = ['Accounts'];

const exampleToken = 'u7o0JqO3o9yq0lYt3uQn1m8X2b5c7d9e1f3g5h7i9j0';
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
      requestBody: jsonBody(MailedToken, { token: exampleToken }),
      answers: { 201: json(UserBody, 'The account', 'Location') },
      refusals: ['INVALID_TOKEN'],
    }),
  },
  '/api/auth/forgot-password': {
    post: change({
      tags: accounts,
      operationId: 'forgotPassword',
      summary: 'Ask for a new password',
      description: 'A mail with a link goes to the address if it has an account. The answer is the same if not.',
      requestBody: jsonBody(ForgotPassword, { email: ana.email }),
      answers: { 202: json(AcceptedBody, 'A mail is on its way, if the address has an account') },
    }),
  },
  '/api/auth/reset-password': {
    post: change({
      ...byHand('Paste the token from the link in the mail first.'),
      tags: accounts,
      operationId: 'resetPassword',
      summary: 'Choose a new password with a mailed link',
      description: 'Every login ends, and the owner gets a mail.',
      requestBody: jsonBody(ResetPassword, { token: exampleToken, password: ana.password }),
      answers: { 204: empty('The password is the new one') },
      refusals: ['INVALID_TOKEN'],
    }),
  },
  '/api/auth/change-password': {
    post: change({
      ...needsLogin,
      ...byHand('Put in your password first. Your other logins end.'),
      tags: accounts,
      operationId: 'changePassword',
      summary: 'Change your password',
      description: 'Every other login ends, and you get a mail.',
      requestBody: jsonBody(ChangePassword, { current: ana.password, password: 'another long sentence' }),
      answers: { 204: empty('The password is the new one') },
      refusals: ['FORBIDDEN', 'CONCURRENT_CHANGE'],
    }),
  },
  '/api/auth/change-email': {
    post: change({
      ...needsLogin,
      ...byHand('Put in your password first.'),
      tags: accounts,
      operationId: 'changeEmail',
      summary: 'Change your e-mail address',
      description: 'A mail with a link goes to the new address, which becomes yours when the link is followed.',
      requestBody: jsonBody(ChangeEmail, { email: 'ana.sousa@example.com', password: ana.password }),
      answers: { 202: json(AcceptedBody, 'A mail is on its way') },
      refusals: ['FORBIDDEN'],
    }),
  },
  '/api/auth/confirm-email': {
    post: change({
      ...byHand('Paste the token from the link in the mail first.'),
      tags: accounts,
      operationId: 'confirmEmail',
      summary: 'Confirm your new e-mail address',
      requestBody: jsonBody(MailedToken, { token: exampleToken }),
      answers: { 200: json(UserBody, 'The account with its new address') },
      refusals: ['INVALID_TOKEN'],
    }),
  },
  '/api/auth/login': {
    post: change({
      tags: accounts,
      operationId: 'logIn',
      summary: 'Log in',
      description:
        'Send the access token as `Authorization: Bearer <token>`; after ten minutes get a new one with the refresh ' +
        "token. A guest's cart, shown by `Cart-Secret` or its cookie, goes into the account's in the same moment.",
      requestParams: { header: z.object({ ...cartSecretHeader }) },
      requestBody: jsonBody(LogIn, ana),
      answers: { 200: json(LoggedInBody, 'Tokens, who you are, and what became of the cart') },
      refusals: ['INVALID_CREDENTIALS', 'SECOND_FACTOR_NEEDED', 'FORBIDDEN', 'CONCURRENT_CHANGE'],
    }),
  },
  '/api/auth/login/second-factor': {
    post: change({
      ...byHand('Log in first, with an account that has two-step login; paste the challenge and a code.'),
      tags: accounts,
      operationId: 'logInSecondFactor',
      summary: 'Log in, the second step',
      description:
        'The first step answers 401 `SECOND_FACTOR_NEEDED` with a `challenge`, which is valid for five minutes and is ' +
        'used up by a right code. The code is one of the authenticator app or a recovery code; each works once.',
      requestParams: { header: z.object({ ...cartSecretHeader }) },
      requestBody: jsonBody(SecondFactor, { challenge: exampleToken, code: '492039' }),
      answers: { 200: json(LoggedInBody, 'Tokens, who you are, and what became of the cart') },
      refusals: ['INVALID_TOKEN', 'WRONG_CODE', 'CONCURRENT_CHANGE'],
    }),
  },
  '/api/auth/two-step': {
    get: read({
      ...needsLogin,
      tags: accounts,
      operationId: 'getTwoStep',
      summary: 'Whether your login has a second step',
      answers: { 200: json(TwoStepStateBody, 'Since when, and how many recovery codes are left') },
      refusals: ['FORBIDDEN'],
    }),
  },
  '/api/auth/two-step/setup': {
    post: change({
      ...needsLogin,
      tags: accounts,
      operationId: 'setUpTwoStep',
      summary: 'Get a secret for an authenticator app',
      description: 'Nothing changes before `setup` is sent back with a code of the app.',
      answers: { 200: json(TwoStepSetupBody, 'The secret, as text and for a QR code') },
      refusals: ['FORBIDDEN'],
    }),
  },
  '/api/auth/two-step/enable': {
    post: change({
      ...needsLogin,
      ...byHand('Get a secret first, and a code of the app.'),
      tags: accounts,
      operationId: 'enableTwoStep',
      summary: 'Switch two-step login on',
      description: 'Every other login ends, and you get a mail.',
      requestBody: jsonBody(EnableTwoStep, { setup: exampleToken, code: '492039', password: ana.password }),
      answers: { 200: json(RecoveryCodesBody, 'Ten recovery codes, shown this once') },
      refusals: ['FORBIDDEN', 'TWO_STEP_STATE', 'INVALID_TOKEN', 'WRONG_CODE'],
    }),
  },
  '/api/auth/two-step/disable': {
    post: change({
      ...needsLogin,
      ...byHand('Switch it on first.'),
      tags: accounts,
      operationId: 'disableTwoStep',
      summary: 'Switch two-step login off',
      description: 'You get a mail.',
      requestBody: jsonBody(ProveTwoStep, { code: '492039', password: ana.password }),
      answers: { 204: empty('The password is enough from now on') },
      refusals: ['FORBIDDEN', 'TWO_STEP_STATE', 'WRONG_CODE'],
    }),
  },
  '/api/auth/two-step/recovery-codes': {
    post: change({
      ...needsLogin,
      ...byHand('Switch it on first.'),
      tags: accounts,
      operationId: 'renewRecoveryCodes',
      summary: 'Get new recovery codes',
      description: 'The old ones are worth nothing from now on, and you get a mail.',
      requestBody: jsonBody(ProveTwoStep, { code: '492039', password: ana.password }),
      answers: { 200: json(RecoveryCodesBody, 'Ten recovery codes, shown this once') },
      refusals: ['FORBIDDEN', 'TWO_STEP_STATE', 'WRONG_CODE'],
    }),
  },
  '/api/auth/refresh': {
    post: change({
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
      tags: accounts,
      operationId: 'listSessions',
      summary: 'Where you are logged in',
      description: 'The last used first, at most 50.',
      answers: { 200: json(SessionListBody, 'Your logins') },
      refusals: ['FORBIDDEN'],
    }),
    delete: change({
      ...needsLogin,
      ...byHand('It ends your other logins, that of your browser too.'),
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
      ...byHand('Fill in sid: the id of one of your logins.'),
      tags: accounts,
      operationId: 'endSession',
      summary: 'Log out somewhere else',
      requestParams: { path: SessionParams },
      answers: { 204: empty('That login has ended') },
      refusals: ['FORBIDDEN', 'INVALID_ID', 'NOT_FOUND'],
    }),
  },
};
