/** Who comes to the chat, and how they prove it next time: participants, their visits, and the tokens of those. */
import { createHash, randomBytes } from 'node:crypto';
import { upserting } from '../database/transaction.ts';
import { ChatVisit, VISIT_KEPT_SECONDS } from '../models/chat-visit.model.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { Participant, randomParticipantId } from '../models/participant.model.ts';
import type { Person } from './presence.ts';

const MAX_VISITS = 10;
const TOKEN = /^[\w-]{32}$/;
const USE_NOTED_MS = 60 * 60 * 1000;

/** Someone who may take part: the actor of the chat. */
export interface ChatVisitor {
  /** With the e-mail as typed: for nobody else's eyes. */
  readonly me: Readonly<Person>;
  /** The browser or program through which they came. */
  readonly visit: string;
}

/** Makes or finds the participant with this e-mail. */
export async function participantWith(email: string): Promise<Person> {
  const participant = await upserting(async () =>
    Participant.findOneAndUpdate(
      { emailKey: emailKeyOf(email) },
      { $set: { email }, $setOnInsert: { _id: randomParticipantId() } },
      { upsert: true, returnDocument: 'after' },
    ).lean(),
  );
  return { id: participant._id.toHexString(), email };
}

/** Begins a visit; a person's oldest ones beyond ten end. @returns the visitor with the only copy of the token. */
export async function beginVisit(me: Person): Promise<{ visitor: ChatVisitor; token: string }> {
  const token = randomBytes(24).toString('base64url');
  const visit = hashOf(token);
  await ChatVisit.create({ _id: visit, participant: me.id, usedAt: new Date() });
  const old = await ChatVisit.find({ participant: me.id }, { _id: 1 }).sort({ usedAt: -1 }).skip(MAX_VISITS).lean();
  if (old.length > 0) await ChatVisit.deleteMany({ _id: { $in: old.map(({ _id }) => _id) } });
  return { visitor: { me, visit }, token };
}

/** Who comes with this token; null when it is not, or no longer, one of ours. */
export async function findVisitor(token: string | undefined): Promise<ChatVisitor | null> {
  if (token === undefined || !TOKEN.test(token)) return null;
  const now = Date.now();
  const usedSince = new Date(now - VISIT_KEPT_SECONDS * 1000);
  const visit = await ChatVisit.findOne({ _id: hashOf(token), usedAt: { $gt: usedSince } }).lean();
  const participant = visit && (await Participant.findById(visit.participant).lean());
  if (!participant) return null;
  if (now - visit.usedAt.getTime() > USE_NOTED_MS)
    await ChatVisit.updateOne({ _id: visit._id }, { usedAt: new Date(now) });
  return { me: { id: participant._id.toHexString(), email: participant.email }, visit: visit._id };
}

/** From now on the token of this visit is worth nothing. */
export async function endVisit({ visit }: ChatVisitor): Promise<void> {
  await ChatVisit.deleteOne({ _id: visit });
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');
