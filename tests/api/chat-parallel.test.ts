/** Two processes of the shop on one database: what the indexes of the database have to hold together. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { visitor } from '../../src/actor.ts';
import { EventBus } from '../../src/events.ts';
import { ChatService } from '../../src/services/chat.service.ts';
import { anEmail } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const aProcess = () =>
  new ChatService({
    ...{ bus: new EventBus(() => {}), graceMs: 0, joinsPerMinute: 1000, messagesPerTenSeconds: 1000 },
    // Guests whose addresses belong to nobody get no mail.
    limits: { mail: async () => false },
    mail: { send: () => {} },
    log: { error: () => {} },
  });

describe('two processes', () => {
  it('make one participant, store a resend once, and number messages without gaps', async () => {
    const processes = [aProcess(), aProcess()];
    const email = anEmail();
    const [one, other] = await Promise.all(processes.map((chat) => chat.join(visitor, { email }, '127.0.0.1')));
    expect(one!.visitor.me.id).toBe(other!.visitor.me.id);

    const inputs = Array.from({ length: 8 }, (_, i) => ({ clientId: randomUUID(), text: `Message ${i}` }));
    const answers = await Promise.all(
      inputs.flatMap((input) => processes.map((chat) => chat.send(one!.visitor, input, '127.0.0.1'))),
    );
    expect(answers.filter(({ created }) => created)).toHaveLength(8);
    const { items } = await processes[0]!.messages(one!.visitor, { limit: 100 });
    expect(items.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(new Set(items.map(({ clientId }) => clientId)).size).toBe(8);
  });
});
