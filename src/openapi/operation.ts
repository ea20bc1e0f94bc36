/** One operation of the document: what it takes and answers, and every refusal that can occur. */
import type { ZodType } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiResponseObject } from 'zod-openapi';
import type { Permission } from '../permissions.ts';
import { type ProblemCode, problemKinds, problemType } from '../problem-codes.ts';
import { ProblemBody } from '../schemas/problem.schema.ts';

type Security = Required<Pick<ZodOpenApiOperationObject, 'security'>>;
type HeaderName = keyof typeof answerHeaders;

interface OperationSpec extends Omit<ZodOpenApiOperationObject, 'responses'> {
  operationId: string;
  summary: string;
  tags: [string];
  /** Answers other than refusals, by status. */
  answers: Partial<Record<number, ZodOpenApiResponseObject>>;
  /** Codes beyond those that every read or every change can answer. */
  refusals?: readonly ProblemCode[];
  /** What the caller has to be allowed. Programs read it; the words are made from it. */
  'x-permission'?: Permission;
}

export const answerHeaders = {
  ETag: header('The version of what is sent; use it in If-None-Match and If-Match', '"3"'),
  Location: header('The address of what was made', '/api/products/665f1c2ab8a1f0c3d4e5f601'),
  Link: header(
    'The first, previous, next and last page (RFC 8288)',
    '</api/products?page=2>; rel="next", </api/products?page=3>; rel="last"',
  ),
  Allow: header('The methods that this address takes', 'GET, HEAD, POST'),
  'Cart-Secret': header(
    'What opens the cart from now on; shown this once',
    'u7o0JqO3o9yq0lYt3uQn1m8X2b5c7d9e1f3g5h7i9j0',
  ),
  'Chat-Token': header('What shows that you are in the chat; shown this once', 'b1c3d5e7f9'),
  'Order-Token': header('What opens the order for a guest, now and later', 'k3mQ8x0v7y'),
  'Idempotent-Replayed': header('The answer of the earlier request with this key', 'true'),
  'Set-Cookie': header('The same for browsers, httpOnly', 'name=value; Path=/; HttpOnly; SameSite=Lax'),
  'X-Request-Id': header("The request's id, also in the logs; a short one that you send is kept", 'a-1'),
  'WWW-Authenticate': header('How to authenticate', 'Bearer'),
  'Retry-After': header('Seconds to wait before the next try', '12'),
  RateLimit: header('What is left of the limit, and the seconds until it is full again', '"writes";r=599;t=60'),
  'RateLimit-Policy': header('The limit: requests (q) in a window of seconds (w)', '"writes";q=600;w=60'),
};

const READ: readonly ProblemCode[] = ['UNAUTHENTICATED', 'INTERNAL', 'UNAVAILABLE'];
const CHANGE: readonly ProblemCode[] = [...READ, 'MALFORMED_REQUEST', 'FOREIGN_ORIGIN', 'TOO_MANY_REQUESTS'];
const FORBIDDEN: readonly ProblemCode[] = ['FORBIDDEN'];
const BODY: readonly ProblemCode[] = ['TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'INVALID_INPUT'];

/** A question of a monitor: answered before anything else runs, so nothing of the others can occur. */
export const probe = (spec: OperationSpec) => operation(spec, [], []);

/** An operation that changes nothing. */
export const read = (spec: OperationSpec) => operation(spec, ['X-Request-Id'], READ);

/** An operation that changes something: it is rate limited and closed to pages of other sites. */
export const change = (spec: OperationSpec) =>
  operation(spec, ['RateLimit', 'RateLimit-Policy', 'X-Request-Id'], [...CHANGE, ...(spec.requestBody ? BODY : [])]);

/** What others tell the shop: their signature decides, nothing else of the request is looked at. */
export const notice = (spec: OperationSpec) =>
  operation(
    spec,
    ['X-Request-Id'],
    ['INTERNAL', 'UNAVAILABLE', 'MALFORMED_REQUEST', 'TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'TOO_MANY_REQUESTS'],
  );

/** Needs something that only a person has or decides, such as a mail: left out when the whole collection is run. */
export const byHand = (hint: string) => ({ 'x-by-hand': hint });

/** Who may: people who are logged in, programs with a key, whoever has the cart's secret, whoever is in the chat. */
export const needsLogin: Security = { security: [{ accessToken: [] }, { session: [] }] };
export const needsCartSecret: Security = {
  security: [{ cartSecret: [] }, { cartCookie: [] }, { accessToken: [] }, { session: [] }],
};
export const needsChatToken: Security = {
  security: [{ chatToken: [] }, { chatCookie: [] }, { accessToken: [] }, { session: [] }],
};

/** Somebody with this permission, or a key that was made for it. */
export const needsPermission = (permission: Permission) => ({
  security: [{ key: [] }, ...needsLogin.security],
  'x-permission': permission,
});

/** The same where no key will do. */
export const needsPersonWith = (permission: Permission) => ({ ...needsLogin, 'x-permission': permission });

/** An answer with a JSON body. */
export function json(schema: ZodType, description: string, ...headers: HeaderName[]): ZodOpenApiResponseObject {
  return { description, headers: refer(headers), content: { 'application/json': { schema } } };
}

/** An answer without a body. */
export const empty = (description: string, ...headers: HeaderName[]): ZodOpenApiResponseObject => ({
  description,
  headers: refer(headers),
});

export const notModified = empty('You have the current version already', 'ETag');

export const jsonBody = (schema: ZodType, example?: unknown) => ({
  required: true,
  content: { 'application/json': { schema, ...(example !== undefined && { example }) } },
});

function operation(
  { answers, refusals = [], security = [{}], 'x-permission': permission, ...rest }: OperationSpec,
  headers: HeaderName[],
  common: readonly ProblemCode[],
): ZodOpenApiOperationObject {
  const always = refer(headers);
  const responses: Record<string, ZodOpenApiResponseObject> = {};
  for (const [status, answer] of Object.entries(answers))
    if (answer) responses[status] = { ...answer, headers: { ...answer.headers, ...always } };
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set([...common, ...refusals, ...(permission ? FORBIDDEN : [])])) {
    const { status } = problemKinds[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  for (const [status, codes] of byStatus) responses[status] = refusal(codes.sort());
  return {
    ...rest,
    security,
    ...(permission && { 'x-permission': permission, description: withPermission(permission, rest.description) }),
    responses: responses as ZodOpenApiOperationObject['responses'],
  };
}

const withPermission = (permission: Permission, description = '') =>
  `Needs the permission \`${permission}\`. ${description}`.trim();

const known = new Map<string, ZodOpenApiResponseObject>();

/** The refusals that share a status, as one component of the document. */
function refusal(codes: readonly ProblemCode[]): ZodOpenApiResponseObject {
  const id = codes.join('.');
  const response = known.get(id) ?? {
    id,
    description: codes.map((code) => `\`${code}\`: ${problemKinds[code].title}`).join('. '),
    headers: refer(['X-Request-Id', ...codes.flatMap((code) => REFUSAL_HEADERS[problemKinds[code].status] ?? [])]),
    content: {
      'application/problem+json': {
        schema: ProblemBody,
        examples: Object.fromEntries(codes.map((code) => [code, { value: problemExample(code) }])),
      },
    },
  };
  known.set(id, response);
  return response;
}

const REFUSAL_HEADERS: Partial<Record<number, HeaderName[]>> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
  503: ['Retry-After'],
};

const EXAMPLE_MEMBERS: Partial<Record<ProblemCode, object>> = {
  OUT_OF_STOCK: { available: 3 },
  SECOND_FACTOR_NEEDED: { challenge: 'u7o0JqO3o9yq0lYt3uQn1m8X2b5c7d9e1f3g5h7i9j0' },
  INVALID_INPUT: { errors: [{ pointer: '#/price', detail: 'must be a whole number of minor units' }] },
};

function problemExample(code: ProblemCode) {
  const { title, status, advice } = problemKinds[code];
  return { type: problemType(code), title, status, detail: advice, code, requestId: 'a-1', ...EXAMPLE_MEMBERS[code] };
}

function header(description: string, example: string) {
  return { description, schema: { type: 'string' as const }, example };
}

function refer(names: readonly HeaderName[]) {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
