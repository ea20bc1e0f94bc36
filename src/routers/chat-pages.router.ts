/** /chat: an e-mail form, or a button for who is logged in, then the room. Everything works without JavaScript; with it the page becomes live. */
import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { isUser } from '../actor.ts';
import { AppError, type Problem, problemText, toProblem } from '../errors.ts';
import { clearChatCookie, heldChatToken, readChatToken, setChatCookie } from '../middleware/chat-token.ts';
import { ChatPageQuery, JoinChat, MAX_MESSAGE_LENGTH, SendMessage } from '../schemas/chat.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { ChatService, ChatVisitor, ParticipantDto } from '../services/chat.service.ts';

interface ChatPagesRouterDeps {
  chat: ChatService;
  /** Whether the shop is reached by https only. */
  secureCookies: boolean;
}

/** A form that was refused: what was typed, and why it does not do. */
interface Refusal {
  typed: string;
  problem: Problem;
}

const PAGE_SIZE = 50;
const HUES = 8;

export function chatPagesRouter({ chat, secureCookies }: ChatPagesRouterDeps): Router {
  const router = Router();

  router.get('/chat', async (req, res) => {
    const token = readChatToken(req);
    const visitor = await visitorOrNull(chat, req);
    if (!visitor) return showForm(req, res);
    if (token !== undefined) setChatCookie(res, token, secureCookies);
    await showRoom(req, res, visitor);
  });

  router.post('/chat', async (req, res) => {
    try {
      const { body } = parseRequest(req, { body: JoinChat });
      const { visitor, token } = await chat.join(req.actor, body, req.ip ?? '', heldChatToken(req));
      chat.renew(visitor);
      setChatCookie(res, token, secureCookies);
      res.redirect(303, '/chat');
    } catch (error) {
      const problem = refusalOf(error);
      const typed = typedText(req.body?.email, 254);
      if (problem.code === 'CONFIRMATION_NEEDED') showCodeForm(res, typed);
      else if (req.body?.code !== undefined) showCodeForm(res, typed, { typed, problem });
      else showForm(req, res, { typed, problem });
    }
  });

  router.post('/chat/messages', async (req, res) => {
    const visitor = await visitorOrNull(chat, req);
    if (!visitor) return res.redirect(303, '/chat');
    try {
      const { body } = parseRequest(req, { body: SendMessage });
      await chat.send(visitor, body, req.ip ?? '');
      res.redirect(303, '/chat');
    } catch (error) {
      const typed = typedText(req.body?.text, MAX_MESSAGE_LENGTH * 2);
      await showRoom(req, res, visitor, { typed, problem: refusalOf(error) });
    }
  });

  router.post('/chat/leave', async (req, res) => {
    const visitor = await visitorOrNull(chat, req);
    if (visitor) await chat.leave(visitor);
    clearChatCookie(res, secureCookies);
    res.redirect(303, '/chat');
  });
  // A page that shows a refusal has the address of its form; asked for again, that is the chat.
  router.get(['/chat/messages', '/chat/leave'], (_req, res) => res.redirect(303, '/chat'));

  async function showRoom(req: Request, res: Response, visitor: ChatVisitor, refusal?: Refusal): Promise<void> {
    const { before } = parseRequest(req, { query: ChatPageQuery }).query;
    chat.renew(visitor);
    const history = await chat.messages(visitor, { before, limit: PAGE_SIZE });
    const person = ({ id, email, name, verified }: ParticipantDto) => {
      const mine = id === visitor.me.id;
      const shown = name ?? (mine ? visitor.me.email : email);
      return { id, shown, verified, mine, hue: hueOf(id), initial: [...shown][0] };
    };
    send(res, refusal, 'pages/chat/room', {
      styles: ['chat'],
      // An older page stays as it is; only the latest one becomes live.
      scripts: before === undefined ? ['chat'] : [],
      self: person(visitor.me),
      participants: chat.participants(visitor).map(person),
      messages: history.items.map((message) => ({ ...message, ...person(message.participant) })),
      sequence: history.items.at(-1)?.sequence ?? 0,
      older: history.older,
      isOlderPage: before !== undefined,
      clientId: randomUUID(),
      maxLength: MAX_MESSAGE_LENGTH,
    });
  }

  return router;
}

async function visitorOrNull(chat: ChatService, req: Request): Promise<ChatVisitor | null> {
  try {
    return await chat.visitorOf(req.actor, readChatToken(req));
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_IN_CHAT') return null;
    throw error;
  }
}

function showForm({ actor }: Request, res: Response, refusal?: Refusal): void {
  send(res, refusal, 'pages/chat/join', { styles: ['chat'], name: isUser(actor) ? actor.name : null });
}

function showCodeForm(res: Response, email: string, refusal?: Refusal): void {
  send(res, refusal, 'pages/chat/confirm', { styles: ['chat'], email });
}

function send(res: Response, refusal: Refusal | undefined, view: string, model: object): void {
  res.status(refusal?.problem.status ?? 200).setHeader('Cache-Control', 'private, no-store');
  const retryAfter = refusal?.problem.retryAfter;
  if (typeof retryAfter === 'number') res.setHeader('Retry-After', String(retryAfter));
  res.render(view, {
    title: 'Chat',
    active: 'chat',
    ...model,
    typed: refusal?.typed,
    problem: refusal && problemText(refusal.problem),
  });
}

/** What the visitor can do something about. @throws everything else */
function refusalOf(error: unknown): Problem {
  const problem = toProblem(error);
  if (problem.status >= 500) throw error;
  return problem;
}

const typedText = (value: unknown, max: number) => (typeof value === 'string' ? value.slice(0, max) : '');

/** A colour for each person, from 0: masked addresses are often the same. */
const hueOf = (id: string) => Number.parseInt(id.slice(-2), 16) % HUES;
