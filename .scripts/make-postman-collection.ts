/**
 * Writes the Postman collection from the OpenAPI document: `npm run postman`. Run from top to bottom it is a walk: a
 * product, a cart with it, a few words in the chat, and all of it removed again. The output depends on the document alone.
 */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ApiDocument, createApiDocument } from '../src/openapi/document.ts';

type Operation = NonNullable<NonNullable<ApiDocument['paths']>[string]['get']>;

interface Entry {
  method: string;
  path: string;
  operation: Operation;
}

export const COLLECTION_FILE = fileURLToPath(new URL('../.postman/feira.postman_collection.json', import.meta.url));

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const LAST_FOLDER = 'Clean up';
/** Kept for the end: the requests between need what they remove. */
const REMOVED_LAST = new Set(['emptyCart', 'leaveChat', 'deleteProduct']);

/** Parameters of paths, and values in examples, that earlier answers fill in. */
const PATH_VARIABLES: Record<string, string> = {
  pid: '{{productId}}',
  cid: '{{cartId}}',
  gid: '{{categoryId}}',
  sequence: '{{messageSequence}}',
};
const BODY_VARIABLES: Record<string, string> = {
  code: 'MUG-{{$timestamp}}',
  productId: '{{productId}}',
  clientId: '{{$guid}}',
};
const VARIABLES = [
  ...['productId', 'categoryId', 'cartId', 'cartSecret', 'chatToken', 'messageSequence'],
  ...['accessToken', 'refreshToken'],
];
const SECRETS: Record<string, string> = { cartSecret: '{{cartSecret}}', chatToken: '{{chatToken}}' };

const KEEP_TOKENS = [
  "pm.collectionVariables.set('accessToken', pm.response.json().accessToken);",
  "pm.collectionVariables.set('refreshToken', pm.response.json().refreshToken);",
];

/** What a request leaves for those after it. */
const KEPT: Record<string, string[]> = {
  createProduct: ["pm.collectionVariables.set('productId', pm.response.json().id);"],
  createCategory: ["pm.collectionVariables.set('categoryId', pm.response.json().id);"],
  createCart: [
    "pm.collectionVariables.set('cartId', pm.response.json().id);",
    "pm.collectionVariables.set('cartSecret', pm.response.headers.get('Cart-Secret'));",
  ],
  logIn: KEEP_TOKENS,
  refresh: KEEP_TOKENS,
  joinChat: ["pm.collectionVariables.set('chatToken', pm.response.headers.get('Chat-Token'));"],
  sendMessage: ["pm.collectionVariables.set('messageSequence', pm.response.json().sequence);"],
};

export function toPostmanCollection(document: ApiDocument) {
  const entries = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method): Entry[] => {
      const operation = item[method];
      return operation && !operation['x-alias-of'] ? [{ method, path, operation }] : [];
    }),
  );
  const folders = [...(document.tags ?? []).map(({ name }) => name), LAST_FOLDER];
  return {
    info: {
      _postman_id: stableId('collection'),
      name: document.info.title,
      description: document.info.description,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    item: folders.map((name) => ({
      name,
      id: stableId(`folder ${name}`),
      item: inOrder(entries.filter((entry) => folderOf(entry) === name)).map((entry) => toItem(document, entry)),
    })),
    variable: [
      { key: 'baseUrl', value: 'http://localhost:8080' },
      { key: 'apiKey', value: '' },
      ...VARIABLES.map((key) => ({ key, value: '' })),
    ],
  };
}

const folderOf = ({ operation }: Entry) =>
  REMOVED_LAST.has(operation.operationId ?? '') ? LAST_FOLDER : operation.tags?.[0];

/** What is read needs what is made: makers of lists of things come first, removers last. */
function inOrder(entries: Entry[]): Entry[] {
  const rank = ({ method, path }: Entry) =>
    method === 'delete' ? 2 : method === 'post' && !path.includes('{') ? 0 : 1;
  const cleaned = [...REMOVED_LAST];
  const place = ({ operation }: Entry) => cleaned.indexOf(operation.operationId ?? '');
  return [...entries].sort((a, b) => rank(a) - rank(b) || place(a) - place(b));
}

function toItem(document: ApiDocument, { method, path, operation }: Entry) {
  const access = proofOf(operation);
  const parameters = (operation.parameters ?? []).flatMap((each) => ('in' in each ? [each] : []));
  const optional = (place: string) =>
    parameters
      .filter((each) => each.in === place)
      .map(({ name, description }) => ({ key: name, value: '', description, disabled: true }));
  const segments = path
    .slice(1)
    .replace(/\{(\w+)\}/g, ':$1')
    .split('/');
  const variable = parameters
    .filter((each) => each.in === 'path')
    .map(({ name, description }) => ({ key: name, value: PATH_VARIABLES[name], description }));
  return {
    name: operation.summary,
    id: stableId(operation.operationId ?? ''),
    request: {
      method: method.toUpperCase(),
      description: operation.description,
      auth: authOf(access),
      header: [...secretHeader(document, access), ...optional('header')],
      ...bodyOf(operation),
      url: {
        raw: `{{baseUrl}}/${segments.join('/')}`,
        host: ['{{baseUrl}}'],
        path: segments,
        query: optional('query'),
        variable,
      },
    },
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: testsOf(operation) } }],
  };
}

/** The variable that holds what a kind of access sends as its bearer token. */
const BEARER: Record<string, string> = { key: '{{apiKey}}', accessToken: '{{accessToken}}' };

/** What is sent of the proofs that will do: what is done by hand begins with logging in. */
function proofOf({ security = [], 'x-by-hand': hint }: Operation): string {
  const proofs = security.flatMap((option) => Object.keys(option));
  return (hint && proofs.find((proof) => proof === 'accessToken')) ?? proofs[0] ?? '';
}

function authOf(access: string) {
  const value = BEARER[access];
  return value ? { type: 'bearer', bearer: [{ key: 'token', value, type: 'string' }] } : { type: 'noauth' };
}

function secretHeader(document: ApiDocument, access: string) {
  const scheme = document.components?.securitySchemes?.[access];
  const value = SECRETS[access];
  return scheme && 'name' in scheme && value ? [{ key: scheme.name, value }] : [];
}

function bodyOf({ requestBody }: Operation) {
  if (!requestBody || !('content' in requestBody)) return {};
  if (requestBody.content['multipart/form-data'])
    return { body: { mode: 'formdata', formdata: [{ key: 'file', type: 'file', src: [] }] } };
  const example: unknown = requestBody.content['application/json']?.example;
  const raw = JSON.stringify(
    example,
    (key, value: unknown) => (typeof value === 'string' ? (BODY_VARIABLES[key] ?? value) : value),
    2,
  );
  return { body: { mode: 'raw', raw, options: { raw: { language: 'json' } } } };
}

function testsOf({ operationId = '', responses = {}, requestBody, 'x-by-hand': hint }: Operation): string[] {
  const status = Math.max(
    ...Object.keys(responses)
      .map(Number)
      .filter((code) => code < 300),
  );
  const chosenByHand = requestBody && 'content' in requestBody && requestBody.content['multipart/form-data'];
  if (chosenByHand) return ['// Choose a picture in the body first.'];
  if (hint) return [`// ${hint}`, ...(KEPT[operationId] ?? [])];
  return [`pm.test('answers ${status}', () => pm.response.to.have.status(${status}));`, ...(KEPT[operationId] ?? [])];
}

/** A UUID that is the same in every run. */
function stableId(name: string): string {
  const hex = createHash('sha256').update(`feira ${name}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

export const collectionText = (document: ApiDocument) => `${JSON.stringify(toPostmanCollection(document), null, 2)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(dirname(COLLECTION_FILE), { recursive: true });
  await writeFile(COLLECTION_FILE, collectionText(createApiDocument()));
}
