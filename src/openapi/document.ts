/** The OpenAPI document, made from the schemas that validate. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type CreateDocumentOptions, createDocument } from 'zod-openapi';
import { CHAT_COOKIE, CHAT_HEADER } from '../schemas/chat.schema.ts';
import { authPaths } from './auth.paths.ts';
import { cartPaths } from './carts.paths.ts';
import { categoryPaths } from './categories.paths.ts';
import { chatPaths } from './chat.paths.ts';
import { couponPaths } from './coupons.paths.ts';
import { answerHeaders } from './operation.ts';
import { orderPaths } from './orders.paths.ts';
import { passkeyPaths } from './passkeys.paths.ts';
import { paymentPaths } from './payments.paths.ts';
import { productPaths } from './products.paths.ts';
import { staffPaths } from './staff.paths.ts';
import { systemPaths } from './system.paths.ts';
import { userPaths } from './users.paths.ts';
import { webhookPaths } from './webhooks.paths.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export type ApiDocument = ReturnType<typeof createApiDocument>;

/** @param publicUrl the address that people use; without one the document is relative to where it was read. */
export function createApiDocument(publicUrl?: string) {
  return createDocument(
    {
      openapi: '3.1.1',
      info: { title: 'Feira', version, description, license },
      servers: [{ url: publicUrl ?? '/' }],
      tags,
      paths: {
        ...productPaths,
        ...categoryPaths,
        ...cartPaths,
        ...couponPaths,
        ...orderPaths,
        ...paymentPaths,
        ...chatPaths,
        ...authPaths,
        ...passkeyPaths,
        ...userPaths,
        ...staffPaths,
        ...webhookPaths,
        ...systemPaths,
      },
      // Each operation says its own; a key is checked wherever it is sent.
      security: [{}],
      components: { headers: answerHeaders, securitySchemes },
    },
    { override: describeWhatIsSent },
  );
}

const license = { name: 'MIT', identifier: 'MIT' };

const tags = [
  { name: 'Products', description: 'The catalogue. Reads are open, changes need a key.' },
  { name: 'Coupons', description: 'What staff give away; buyers type its code into their cart.' },
  {
    name: 'Carts',
    description: 'Prices and stock come from the catalogue. A cart opens to its secret or its account alone.',
  },
  { name: 'Payments', description: 'How one can pay, and where providers tell what has happened.' },
  {
    name: 'Orders',
    description: 'From cart to order, and what is done with orders. They open to who placed them, and to staff.',
  },
  { name: 'Chat', description: 'The operations of the page /chat for programs.' },
  { name: 'Accounts', description: 'Sign up, log in, and what the shop knows of you.' },
  { name: 'Staff', description: 'Accounts, API keys, and the record of what was changed.' },
  { name: 'Webhooks', description: 'Whom the shop tells of what happens, signed after Standard Webhooks.' },
  { name: 'System', description: 'For those who run the shop.' },
];

const securitySchemes = {
  key: {
    type: 'http' as const,
    scheme: 'bearer',
    description: 'The key that was shown when the shop first started, or the one of FEIRA_API_KEY.',
  },
  accessToken: {
    type: 'http' as const,
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access token that logging in answered.',
  },
  session: {
    type: 'apiKey' as const,
    in: 'cookie' as const,
    name: 'feira_session',
    description: 'The same for browsers; `__Host-feira_session` when the shop is reached by https.',
  },
  cartSecret: {
    type: 'apiKey' as const,
    in: 'header' as const,
    name: 'Cart-Secret',
    description: 'The secret that the creation of the cart answered.',
  },
  cartCookie: {
    type: 'apiKey' as const,
    in: 'cookie' as const,
    name: 'feira_cart',
    description:
      'The same for browsers; it has the id `mine` too. Each change renews it (`Set-Cookie`). `__Host-feira_cart` when ' +
      'the shop is reached by https.',
  },
  orderToken: {
    type: 'apiKey' as const,
    in: 'header' as const,
    name: 'Order-Token',
    description: 'The token that the checkout of a guest answered; it is in the link of their mails too.',
  },
  chatToken: {
    type: 'apiKey' as const,
    in: 'header' as const,
    name: CHAT_HEADER,
    description: 'The token that joining the chat answered.',
  },
  chatCookie: {
    type: 'apiKey' as const,
    in: 'cookie' as const,
    name: CHAT_COOKIE,
    description: 'The same for browsers; `__Host-feira_chat` when the shop is reached by https.',
  },
};

const description = `\
Bodies are JSON. Ids are 24 hexadecimal digits. Prices are whole numbers of minor units: \`1999\` with \`EUR\` is €19.99.

**Versions.** What can be read again by one address carries an \`ETag\`, where its operation says so. Send it as
\`If-None-Match\` to be answered 304 when nothing has changed. Send that of a product, cart, coupon, order, account or webhook
as \`If-Match\` to change it only if nobody else has changed it since (412 otherwise).

**Lists** of products and accounts take \`page\` and \`limit\` and answer \`items, total, page, limit, pages\` with a \`Link\`
header. Those that grow while they are read answer \`items\` and \`next\`: ask for \`after\` that, with orders for \`cursor\`,
until it is null. So nothing comes twice and nothing is missed.

**Bodies** are read wherever one is sent: 400 when it is malformed, 413 when it has more than 100 kB, 415 when it is not
JSON in UTF-8.

**Limits.** Answers to changes carry \`RateLimit-Policy\` and \`RateLimit\`. Who asks for more is answered 429 with
\`Retry-After\`.

**Refusals** are \`application/problem+json\` (RFC 9457). Decide by \`code\`; its meaning is a page under \`/problems\`.
\`requestId\` is the answer's \`X-Request-Id\`; a short one that you send is kept.

**Who may call** an operation is its \`security\`; where that is not enough, \`x-permission\` names what the person or the
key needs too.

**HEAD** is answered wherever GET is. A method that an address does not take is answered 405 with \`Allow\`, an address
that does not exist 404.

**Live.** A Socket.io client on the same address receives \`update_products\` \`{ id, msg }\` and the typed events
\`product:created\`, \`product:updated\`, \`product:deleted\` after each change;
the message \`catalogue:changes\` \`{ since }\` answers what it has missed.`;

/**
 * Some schemas take something else than what they check first: text is cleaned before it is measured, and words of a
 * query string stand for numbers and truth values. The document tells what to send. It also leaves out what says
 * nothing: the bounds of safe integers, and the long pattern of a date.
 */
const describeWhatIsSent: CreateDocumentOptions['override'] = ({ zodSchema, jsonSchema, io }) => {
  const { def } = zodSchema._zod;
  if (io === 'input' && def.type === 'default') jsonSchema.default = def.defaultValue;
  if (io === 'input' && def.type === 'pipe') describePipe(def.out as z.ZodType, jsonSchema);
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
};

function describePipe(out: z.ZodType, jsonSchema: Record<string, unknown>): void {
  if (String(jsonSchema.enum) === 'true,false') {
    delete jsonSchema.enum;
    jsonSchema.type = 'boolean';
  }
  if (out instanceof z.ZodTransform) return;
  const { type, minimum, maximum, minLength, maxLength, format } = z.toJSONSchema(out);
  if (type === 'number') {
    delete jsonSchema.pattern;
    Object.assign(jsonSchema, { type: 'integer', minimum, maximum });
  } else if (type === 'string') {
    Object.assign(jsonSchema, {
      maxLength: maxLength ?? jsonSchema.maxLength,
      ...(minLength && { minLength }),
      ...(format && { format }),
    });
  }
}
