/**
 * Writes the Postman collection from the OpenAPI document: `npm run postman`. Run from top to bottom it is a walk: staff
 * log in, a product, a cart with it, its order, a few words in the chat, and what can be is removed again. The output
 * depends on the document alone.
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
const FIRST_FOLDER = 'Log in first';
const LAST_FOLDER = 'Clean up';
/** The requests behind it need its tokens. */
const DONE_FIRST = new Set(['logIn']);
/** Kept for the end: the requests between need what they remove. */
const REMOVED_LAST = new Set(['leaveChat', 'endCoupon', 'deleteProduct']);
/** Last in their folder: one takes away what others change, and the order is made of what the other one puts there. */
const LAST_IN_FOLDER = ['emptyCart', 'replaceCart'];

/** Parameters of paths, and values in examples, that earlier answers fill in. */
const PATH_VARIABLES: Record<string, string> = {
  pid: '{{productId}}',
  cid: '{{cartId}}',
  gid: '{{categoryId}}',
  oid: '{{orderId}}',
  wid: '{{webhookId}}',
  sequence: '{{messageSequence}}',
};
/** Where the same letters stand for several things. */
const PATH_VARIABLES_OF: Record<string, Record<string, string>> = {
  getCoupon: { kid: '{{couponId}}' },
  updateCoupon: { kid: '{{couponId}}' },
  endCoupon: { kid: '{{couponId}}' },
  deleteKey: { kid: '{{keyId}}' },
  getUser: { uid: '{{userId}}' },
};
const BODY_VARIABLES: Record<string, string> = { productId: '{{productId}}', clientId: '{{$guid}}' };
/** What must not be the same twice, or is somebody's own. */
const BODY_VARIABLES_OF: Record<string, Record<string, string>> = {
  createProduct: { code: 'MUG-{{$timestamp}}' },
  replaceProduct: { code: 'MUG-{{$timestamp}}' },
  createCategory: { name: 'Mugs {{$timestamp}}' },
  updateCategory: { name: 'Cups {{$timestamp}}' },
  createCoupon: { code: 'SUMMER-{{$timestamp}}' },
  setCoupon: { code: '{{couponCode}}' },
  createKey: { name: 'import {{$timestamp}}' },
  logIn: { email: '{{email}}', password: '{{password}}' },
};
const VARIABLES = [
  ...['productId', 'categoryId', 'couponId', 'couponCode', 'cartId', 'cartSecret', 'orderId', 'orderToken'],
  ...['chatToken', 'messageSequence', 'userId', 'keyId', 'webhookId', 'accessToken', 'refreshToken'],
];
const SECRETS: Record<string, string> = {
  cartSecret: '{{cartSecret}}',
  orderToken: '{{orderToken}}',
  chatToken: '{{chatToken}}',
};

const KEEP_TOKENS = [
  "pm.collectionVariables.set('accessToken', pm.response.json().accessToken);",
  "pm.collectionVariables.set('refreshToken', pm.response.json().refreshToken);",
];

/** What a request leaves for those after it. */
const KEPT: Record<string, string[]> = {
  createProduct: ["pm.collectionVariables.set('productId', pm.response.json().id);"],
  createCategory: ["pm.collectionVariables.set('categoryId', pm.response.json().id);"],
  createCoupon: [
    "pm.collectionVariables.set('couponId', pm.response.json().id);",
    "pm.collectionVariables.set('couponCode', pm.response.json().code);",
  ],
  createCart: [
    "pm.collectionVariables.set('cartId', pm.response.json().id);",
    "pm.collectionVariables.set('cartSecret', pm.response.headers.get('Cart-Secret'));",
  ],
  checkOut: [
    "pm.collectionVariables.set('orderId', pm.response.json().id);",
    "pm.collectionVariables.set('orderToken', pm.response.headers.get('Order-Token'));",
  ],
  createKey: ["pm.collectionVariables.set('keyId', pm.response.json().id);"],
  createWebhook: ["pm.collectionVariables.set('webhookId', pm.response.json().id);"],
  logIn: [...KEEP_TOKENS, "pm.collectionVariables.set('userId', pm.response.json().user.id);"],
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
  const folders = [FIRST_FOLDER, ...(document.tags ?? []).map(({ name }) => name), LAST_FOLDER];
  return {
    info: {
      _postman_id: stableId('collection'),
      name: document.info.title,
      description: `${FILL_IN}\n\n${document.info.description}`,
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
      { key: 'email', value: 'admin@feira.example' },
      { key: 'password', value: '' },
      { key: 'byHand', value: 'no' },
      ...VARIABLES.map((key) => ({ key, value: '' })),
    ],
  };
}

const FILL_IN =
  '**Fill in the variables** `apiKey`, `email` and `password` first: what the shop printed at its first start, or what ' +
  'FEIRA_API_KEY, ADMIN_EMAIL and ADMIN_PASSWORD say. `baseUrl` is where the shop is. Then run all of it, or one request ' +
  'after another: each keeps what later ones need. A request that needs more than that says so in its description, ' +
  'and is left out unless the variable `byHand` is `yes`.';

function folderOf({ operation: { operationId = '', tags } }: Entry) {
  if (DONE_FIRST.has(operationId)) return FIRST_FOLDER;
  return REMOVED_LAST.has(operationId) ? LAST_FOLDER : tags?.[0];
}

/** What is read needs what is made: makers of lists of things come first, removers last. */
function inOrder(entries: Entry[]): Entry[] {
  const rank = ({ method, path, operation }: Entry) => {
    const atTheEnd = LAST_IN_FOLDER.indexOf(operation.operationId ?? '');
    if (atTheEnd >= 0) return 3 + atTheEnd;
    return method === 'delete' ? 2 : method === 'post' && !path.includes('{') ? 0 : 1;
  };
  const cleaned = [...REMOVED_LAST];
  const place = ({ operation }: Entry) => cleaned.indexOf(operation.operationId ?? '');
  return [...entries].sort((a, b) => rank(a) - rank(b) || place(a) - place(b));
}

function toItem(document: ApiDocument, { method, path, operation }: Entry) {
  const access = proofOf(operation);
  const pathVariables = { ...PATH_VARIABLES, ...PATH_VARIABLES_OF[operation.operationId ?? ''] };
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
    .map(({ name, description }) => ({ key: name, value: pathVariables[name] ?? '', description }));
  return {
    name: operation.summary,
    id: stableId(operation.operationId ?? ''),
    request: {
      method: method.toUpperCase(),
      description: describe(operation),
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
    event: [scriptOf(operation)],
  };
}

/** The variable that holds what a kind of access sends as its bearer token. */
const BEARER: Record<string, string> = { key: '{{apiKey}}', accessToken: '{{accessToken}}' };

/** What is sent of the proofs that will do: the key that everybody has may change the catalogue, and nothing else. */
function proofOf({ security = [], 'x-permission': permission }: Operation): string {
  const proofs = security.flatMap((option) => Object.keys(option));
  const needsPerson = permission !== undefined && permission !== 'products:write';
  return needsPerson ? 'accessToken' : (proofs[0] ?? '');
}

/** With what is missing, where somebody reads it before sending. */
const describe = ({ description, 'x-by-hand': hint }: Operation) =>
  [hint && `**By hand.** ${hint}`, description].filter(Boolean).join('\n\n') || undefined;

function authOf(access: string) {
  const value = BEARER[access];
  return value ? { type: 'bearer', bearer: [{ key: 'token', value, type: 'string' }] } : { type: 'noauth' };
}

function secretHeader(document: ApiDocument, access: string) {
  const scheme = document.components?.securitySchemes?.[access];
  const value = SECRETS[access];
  return scheme && 'name' in scheme && value ? [{ key: scheme.name, value }] : [];
}

function bodyOf({ operationId = '', requestBody }: Operation) {
  if (!requestBody || !('content' in requestBody)) return {};
  if (requestBody.content['multipart/form-data'])
    return { body: { mode: 'formdata', formdata: [{ key: 'file', type: 'file', src: [] }] } };
  const example: unknown = requestBody.content['application/json']?.example;
  const variables = { ...BODY_VARIABLES, ...BODY_VARIABLES_OF[operationId] };
  const raw = JSON.stringify(
    example,
    (key, value: unknown) => (typeof value === 'string' ? (variables[key] ?? value) : value),
    2,
  );
  return { body: { mode: 'raw', raw, options: { raw: { language: 'json' } } } };
}

/** What needs a person is left out of a run, and sent by who has read why. */
function scriptOf(operation: Operation) {
  const { 'x-by-hand': hint } = operation;
  return hint
    ? { listen: 'prerequest', script: { type: 'text/javascript', exec: [`// ${hint}`, UNLESS_BY_HAND] } }
    : { listen: 'test', script: { type: 'text/javascript', exec: testsOf(operation) } };
}

const UNLESS_BY_HAND = "if (pm.variables.get('byHand') !== 'yes') pm.execution.skipRequest();";

function testsOf({ operationId = '', responses = {} }: Operation): string[] {
  const status = Math.max(
    ...Object.keys(responses)
      .map(Number)
      .filter((code) => code < 300),
  );
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
