/** /api/chat: the chat for programs. Every request of somebody who has joined keeps them there for another minute. */
import { randomUUID } from 'node:crypto';
import { type Request, Router } from 'express';
import { AppError } from '../errors.ts';
import { clearChatCookie, heldChatToken, readChatToken, setChatCookie } from '../middleware/chat-token.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { onceKey, sayReplayed } from '../middleware/idempotency.ts';
import { CHAT_HEADER, JoinChat, ListMessages, MessageParams, PostMessage } from '../schemas/chat.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { ChatService, ChatVisitor } from '../services/chat.service.ts';

interface ChatRouterDeps {
  chat: ChatService;
  /** Whether the shop is reached by https only. */
  secureCookies: boolean;
}

export function chatRouter({ chat, secureCookies }: ChatRouterDeps): Router {
  const router = Router();

  /** @throws AppError NOT_IN_CHAT */
  const visitorOf = async (req: Request): Promise<ChatVisitor> => {
    const visitor = await chat.visitorOf(req.actor, readChatToken(req));
    chat.renew(visitor);
    return visitor;
  };

  router.use((_req, res, next) => {
    res.setHeader('Cache-Control', 'private, no-store');
    next();
  });

  router
    .route('/participants')
    .get(async (req, res) => {
      const items = chat.participants(await visitorOf(req));
      res.json({ items, total: items.length });
    })
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: JoinChat });
      const { visitor, token } = await chat.join(req.actor, body, req.ip ?? '', heldChatToken(req));
      chat.renew(visitor);
      setChatCookie(res, token, secureCookies);
      if (token !== undefined) res.setHeader(CHAT_HEADER, token);
      res.status(201).location('/api/chat/participants/me').json(visitor.me);
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/participants/me')
    .get(async (req, res) => {
      res.json((await visitorOf(req)).me);
    })
    .delete(async (req, res) => {
      await chat.leave(await chat.visitorOf(req.actor, readChatToken(req)));
      clearChatCookie(res, secureCookies);
      res.status(204).end();
    })
    .all(allowOnly('GET', 'HEAD', 'DELETE'));

  router
    .route('/messages')
    .get(async (req, res) => {
      const visitor = await visitorOf(req);
      const { query } = parseRequest(req, { query: ListMessages });
      res.json(await chat.messages(visitor, query));
    })
    .post(async (req, res) => {
      const visitor = await visitorOf(req);
      const { body } = parseRequest(req, { body: PostMessage });
      const once = body.clientId === undefined ? onceKey(req) : null;
      const input = { text: body.text, clientId: body.clientId ?? once?.id ?? randomUUID() };
      const sent = chat.send(visitor, input, req.ip ?? '');
      const { message, created } = await (once ? sent.catch(inWordsOfTheKey) : sent);
      sayReplayed(res, once !== null && !created);
      res.location(`/api/chat/messages/${message.sequence}`);
      res.status(created ? 201 : 200).json(message);
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/messages/:sequence')
    .get(async (req, res) => {
      const visitor = await visitorOf(req);
      const { params } = parseRequest(req, { params: MessageParams });
      res.json(await chat.message(visitor, params.sequence));
    })
    .all(allowOnly('GET', 'HEAD'));

  return router;
}

/** Who has sent no client id is not told of one. */
function inWordsOfTheKey(error: unknown): never {
  if (error instanceof AppError && error.code === 'INVALID_INPUT')
    throw new AppError('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for a message with another text.');
  throw error;
}
