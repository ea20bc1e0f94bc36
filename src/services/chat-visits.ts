/**
 * Who comes to the chat, and how they prove it next time. Guests have a visit with a token, as somebody whose e-mail
 * nobody has verified, or, with a mailed code, as the account that has the e-mail. Who is logged in proves it by that.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { ClientSession } from 'mongoose';
import type { UserActor } from '../actor.ts';
import { upserting } from '../database/transaction.ts';
import { ChatVisit, VISIT_KEPT_SECONDS } from '../models/chat-visit.model.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { accountKeyOf, Participant, randomParticipantId } from '../models/participant.model.ts';
import { User } from '../models/user.model.ts';
import { CHAT_TOKEN } from '../schemas/chat.schema.ts';
import type { Person } from './presence.ts';

const MAX_VISITS = 10;
const USE_NOTED_MS = 60 * 60 * 1000;

/** Someone who may take part: the actor of the chat. */
export interface ChatVisitor {
  /** With the e-mail as typed: for nobody else's eyes. */
  readonly me: Readonly<Person>;
  /** The browser or program through which they came. */
  readonly visit: string;
  /** The account that they are, null for somebody whose e-mail is not verified. */
  readonly userId: string | null;
}

/** An account as the chat sees it. */
interface Account {
  id: string;
  email: string;
  name: string;
}

/** Makes or finds the guest with this e-mail. */
export async function guestWith(email: string): Promise<Person> {
  const id = await participantId(emailKeyOf(email), email);
  return { id, email, name: null, verified: false };
}

/** Makes or finds the participant that an account is: another one than the guests with its e-mail were. */
export async function personOf({ id: userId, email, name }: Account): Promise<Person> {
  const id = await participantId(accountKeyOf(userId), email, userId);
  return { id, email, name, verified: true };
}

async function participantId(emailKey: string, email: string, user?: string): Promise<string> {
  const participant = await upserting(async () =>
    Participant.findOneAndUpdate(
      { emailKey },
      { $set: { email }, $setOnInsert: { _id: randomParticipantId(), ...(user && { user }) } },
      { upsert: true, returnDocument: 'after' },
    ).lean(),
  );
  return participant._id.toHexString();
}

/** Begins a visit with a token. @returns the visitor with the only copy of the token. */
export async function beginVisit(
  me: Person,
  userId: string | null,
  session?: ClientSession,
): Promise<{ visitor: ChatVisitor; token: string }> {
  const token = randomBytes(24).toString('base64url');
  const visit = hashOf(token);
  await keepVisit(visit, me, session);
  return { visitor: { me, visit, userId }, token };
}

/** Begins, or goes on with, the visit of a login. */
export async function beginLoginVisit(actor: UserActor): Promise<ChatVisitor> {
  const me = await personOf(actor);
  const visit = visitOfLogin(actor);
  await upserting(() => keepVisit(visit, me));
  return { me, visit, userId: actor.id };
}

/** A person's oldest visits beyond ten end. */
async function keepVisit(visit: string, { id: participant }: Person, session?: ClientSession): Promise<void> {
  const options = session ? { session } : {};
  await ChatVisit.updateOne({ _id: visit }, { participant, usedAt: new Date() }, { ...options, upsert: true });
  const old = await ChatVisit.find({ participant }, { _id: 1 }, options).sort({ usedAt: -1 }).skip(MAX_VISITS).lean();
  if (old.length > 0) await ChatVisit.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } }, options);
}

/** Who comes with this token; null when it is not, or no longer, one of ours. */
export async function findVisitor(token: string | undefined): Promise<ChatVisitor | null> {
  if (token === undefined || !CHAT_TOKEN.test(token)) return null;
  const visit = await findVisit(hashOf(token));
  const participant = visit && (await Participant.findById(visit.participant).lean());
  if (!participant) return null;
  const id = participant._id.toHexString();
  if (participant.user) {
    const user = await User.findOne({ _id: participant.user, disabledAt: null }).lean();
    const me = user && { id, email: user.email, name: user.name, verified: true };
    return me && { me, visit: visit._id, userId: participant.user.toHexString() };
  }
  // Since then the address has become that of an account, whose owner confirms it.
  if (await User.exists({ emailKey: participant.emailKey })) return null;
  return { me: { id, email: participant.email, name: null, verified: false }, visit: visit._id, userId: null };
}

/** Somebody who is logged in and has joined; null when they have not, or have left. */
export async function findLoginVisitor(actor: UserActor): Promise<ChatVisitor | null> {
  const visit = await findVisit(visitOfLogin(actor));
  if (!visit) return null;
  const { id: userId, email, name } = actor;
  return { me: { id: visit.participant.toHexString(), email, name, verified: true }, visit: visit._id, userId };
}

async function findVisit(_id: string) {
  const now = Date.now();
  const usedSince = new Date(now - VISIT_KEPT_SECONDS * 1000);
  const visit = await ChatVisit.findOne({ _id, usedAt: { $gt: usedSince } }).lean();
  if (visit && now - visit.usedAt.getTime() > USE_NOTED_MS)
    await ChatVisit.updateOne({ _id }, { usedAt: new Date(now) });
  return visit;
}

/** From now on this visit, and its token, is worth nothing. */
export async function endVisit({ visit }: ChatVisitor): Promise<void> {
  await ChatVisit.deleteOne({ _id: visit });
}

/** Ends all visits of a participant. @returns which they were */
export async function endVisitsOf(participant: string): Promise<string[]> {
  const visits = await ChatVisit.find({ participant }, { _id: 1 }).lean();
  await ChatVisit.deleteMany({ participant });
  return visits.map(({ _id }) => _id);
}

const visitOfLogin = ({ sessionId }: UserActor) => `login:${sessionId}`;
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');
