/**
 * Everything that Feira refuses, in one table: a code, its HTTP status, a title and advice. HTTP answers, pages and
 * socket acknowledgements are made from it, and so are the pages under /problems/ that every answer points to.
 */
interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** What the caller can do about it; printed on the problem's own page. */
  readonly advice: string;
}

export const problemKinds = {
  MALFORMED_REQUEST: {
    status: 400,
    title: 'The request cannot be read',
    advice: 'Check that the body is well-formed and that the address and its ids are complete.',
  },
  INVALID_ID: {
    status: 400,
    title: 'The id is not well-formed',
    advice: 'Ids are 24 hexadecimal digits. Use one that an earlier answer gave you.',
  },
  WEBHOOK_REFUSED: {
    status: 400,
    title: 'The webhook is not accepted',
    advice: 'Its signature does not fit, or it is more than five minutes old. Check the secret and the clock.',
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'Log in first',
    advice:
      'Log in on the page /login, or send "Authorization: Bearer <token>" with an access token from POST /api/auth/login or with an API key.',
  },
  INVALID_CREDENTIALS: {
    status: 401,
    title: 'The e-mail or the password is wrong',
    advice: 'Check both, confirm your address if you have just signed up, or ask for a new password.',
  },
  SECOND_FACTOR_NEEDED: {
    status: 401,
    title: 'The password is right; a code is needed too',
    advice:
      'Send the member "challenge" within five minutes to POST /api/auth/login/second-factor, with a code of the authenticator app or a recovery code.',
  },
  PASSKEY_REFUSED: {
    status: 401,
    title: 'The passkey is not accepted',
    advice: 'Try it again. If it is refused again, log in with your password: your profile lists your passkeys.',
  },
  NOT_IN_CHAT: {
    status: 401,
    title: 'You are not in the chat',
    advice:
      'Join first: on the page /chat, with POST /api/chat/participants, or with chat:join. Guests then send the token that they got, as cookie or in the header Chat-Token.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'Not allowed',
    advice: 'What you sent is understood, but you may not do this. Use a key or a page that may.',
  },
  CONFIRMATION_NEEDED: {
    status: 403,
    title: 'Confirm that it is you',
    advice: 'The e-mail address belongs to an account, and a code was sent to it. Send it along as "code", or log in.',
  },
  FOREIGN_ORIGIN: {
    status: 403,
    title: 'The request comes from another site',
    advice: 'Forms and sockets are accepted from the shop itself only. Set PUBLIC_URL to the address people use.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'Not found',
    advice: 'It does not exist, no longer exists, or is not yours. Check the address.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'The method is not allowed here',
    advice: 'The Allow header of the answer lists the methods that this address takes.',
  },
  CODE_TAKEN: {
    status: 409,
    title: 'Another product has this code',
    advice: 'Product codes are unique. Choose another one, or change the product that has it.',
  },
  CATEGORY_NOT_EMPTY: {
    status: 409,
    title: 'The category is not empty',
    advice: 'Move its products and the categories below it elsewhere first.',
  },
  NAME_TAKEN: {
    status: 409,
    title: 'The name is taken',
    advice: 'Choose another name, or remove what has it.',
  },
  LAST_ADMIN: {
    status: 409,
    title: 'The shop would be left without an admin',
    advice: 'Make somebody else an admin first.',
  },
  TWO_STEP_STATE: {
    status: 409,
    title: 'Two-step login is on already, or is not on',
    advice: 'GET /api/auth/two-step says which. Switch it off before you set it up with another authenticator.',
  },
  PASSKEYS_UNAVAILABLE: {
    status: 409,
    title: 'Passkeys do not work at this address',
    advice: 'They need PUBLIC_URL with https and a name. Without PUBLIC_URL they work under http://localhost.',
  },
  OUT_OF_STOCK: {
    status: 409,
    title: 'Not enough in stock',
    advice: 'The member "available" says how many there are. Ask for that many or fewer.',
  },
  NOT_FOR_SALE: {
    status: 409,
    title: 'The product is not for sale',
    advice: 'It is switched off at the moment. Choose another one.',
  },
  CURRENCY_MISMATCH: {
    status: 409,
    title: 'The cart holds another currency',
    advice: 'One cart has one currency. Use a second cart for products in another one.',
  },
  COUPON_NOT_VALID: {
    status: 409,
    title: 'The coupon cannot be used',
    advice: 'The detail says why. Buy without it, or use another one.',
  },
  CART_EMPTY: {
    status: 409,
    title: 'There is nothing in the cart',
    advice: 'Add a product first.',
  },
  CART_CHANGED: {
    status: 409,
    title: 'The cart costs something else now',
    advice:
      'The members "changes" and "total" say what is different. Show them to the buyer, and send "acceptedTotal" with the new total.',
  },
  REFUND_NOT_STUCK: {
    status: 409,
    title: 'The refund cannot be tried again',
    advice: 'Only refunds that are stuck can: those that the member "stuckRefunds" of the order lists for staff.',
  },
  ILLEGAL_MOVE: {
    status: 409,
    title: 'The order cannot be moved this way',
    advice: 'The member "allowed" lists what can be done with it now.',
  },
  PAYMENT_RUNNING: {
    status: 409,
    title: 'A payment of this order is running',
    advice: 'Wait for its answer, then read the order. Pay again only if it still waits for payment.',
  },
  NO_PAYMENT: {
    status: 409,
    title: 'There is no payment for this',
    advice: 'The buyer has not paid, or the payment was given up. Read the order.',
  },
  LIMIT_REACHED: {
    status: 409,
    title: 'A limit is reached',
    advice: 'The detail names the limit. Remove something first.',
  },
  CONCURRENT_CHANGE: {
    status: 409,
    title: 'Someone else changed it at the same moment',
    advice: 'Nothing was changed by this request. Send it again.',
  },
  VERSION_MISMATCH: {
    status: 412,
    title: 'It has changed since you read it',
    advice: 'Read it again, merge your change, and send If-Match with the new ETag.',
  },
  TOO_LARGE: {
    status: 413,
    title: 'The request is too large',
    advice: 'Send less at once. The detail names the limit.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'This kind of content is not accepted',
    advice: 'Bodies are application/json; pictures are JPEG, PNG, WebP, AVIF or GIF in multipart/form-data.',
  },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    title: 'The file has no such part',
    advice: 'The Content-Range header of the answer tells how many bytes there are. Ask for a part of them.',
  },
  INVALID_INPUT: {
    status: 422,
    title: 'The input is not valid',
    advice: 'The member "errors" lists every fault with a JSON pointer to its place.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'The Idempotency-Key belongs to another request',
    advice: 'A key names one request, with one body. Send a new request with a new key.',
  },
  WRONG_CODE: {
    status: 422,
    title: 'The code is wrong',
    advice: 'Take the next code that the authenticator app shows, or a recovery code. Each works once.',
  },
  INVALID_TOKEN: {
    status: 422,
    title: 'The link or code is not valid any more',
    advice: 'It was used before, was replaced by a newer one, or has expired. Ask for a new one.',
  },
  UNREADABLE_PICTURE: {
    status: 422,
    title: 'The picture cannot be used',
    advice: 'It is damaged, or has too many pixels or frames. Save it again, smaller, and send that.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    title: 'Too many requests',
    advice: 'Wait for the number of seconds in Retry-After, then go on more slowly.',
  },
  INTERNAL: {
    status: 500,
    title: 'Something went wrong on our side',
    advice: 'The fault has been recorded under the request id. Send it again; if it stays, report that id.',
  },
  UNAVAILABLE: {
    status: 503,
    title: 'Not available at the moment',
    advice: 'The shop is starting, stopping, or cannot reach its database. Try again in some seconds.',
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problemKinds;

/** The address, relative to the server, of the page that explains a code. */
export const problemType = (code: ProblemCode) => `/problems/${code.toLowerCase().replaceAll('_', '-')}`;
