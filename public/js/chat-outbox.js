/**
 * Own messages on their way: one at a time, in order. A message without an answer is sent again with the same client id,
 * so it is stored once however often it arrives.
 */

/**
 * @typedef {import('../../src/realtime/socket-events.ts').ChatMessage} ChatMessage
 * @typedef {import('../../src/realtime/socket-events.ts').AckResult<ChatMessage>} Answer
 * @typedef {ReturnType<ReturnType<typeof import('./chat-view.js').createChatView>['pending']>} Row
 * @typedef {{ clientId: string, text: string, row: Row, tries: number }} Entry
 */

const MAX_TRIES = 3;

/**
 * @param {object} deps
 * @param {(message: { clientId: string, text: string }) => Promise<Answer>} deps.send rejects without an answer
 * @param {() => boolean} deps.isReady
 * @param {(text: string) => Row} deps.show
 * @param {(message: ChatMessage) => void} deps.onStored
 */
export function createOutbox({ send, isReady, show, onStored }) {
  /** @type {Entry[]} */
  let waiting = [];
  let isPumping = false;

  async function pump() {
    if (isPumping) return;
    isPumping = true;
    for (let entry = waiting[0]; entry && isReady(); entry = waiting[0]) await deliver(entry);
    isPumping = false;
  }

  async function deliver(/** @type {Entry} */ entry) {
    entry.row.setState('sending', 'Sending…');
    const { clientId, text } = entry;
    const answer = await send({ clientId, text }).catch(() => null);
    if (!waiting.includes(entry)) return;
    if (answer === null) {
      // A lost connection is not the message's fault: it goes out when the chat is back.
      if (isReady()) entry.tries += 1;
      if (entry.tries >= MAX_TRIES) fail(entry, 'Not sent: the shop does not answer.');
    } else if ('data' in answer) {
      onStored(answer.data);
      settle(clientId);
    } else if (answer.error.status === 429) {
      entry.row.setState('sending', answer.error.detail);
      await new Promise((resolve) => setTimeout(resolve, Number(answer.error.retryAfter ?? 1) * 1000));
    } else if (answer.error.status !== 401) {
      fail(entry, `Not sent: ${answer.error.detail}`);
    }
  }

  function fail(/** @type {Entry} */ entry, /** @type {string} */ words) {
    waiting = waiting.filter((other) => other !== entry);
    entry.row.setState('failed', words, () => {
      entry.tries = 0;
      entry.row.setState('sending', 'Waiting for the connection…');
      waiting.push(entry);
      pump();
    });
  }

  /** The message has arrived, by its answer or with everyone else's. */
  function settle(/** @type {string} */ clientId) {
    waiting.find((entry) => entry.clientId === clientId)?.row.remove();
    waiting = waiting.filter((entry) => entry.clientId !== clientId);
  }

  return {
    pump,
    settle,
    add(/** @type {string} */ text) {
      // crypto.randomUUID exists on https and localhost only.
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      const clientId = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      const row = show(text);
      row.setState('sending', isReady() ? 'Sending…' : 'Waiting for the connection…');
      waiting.push({ clientId, text, row, tries: 0 });
      pump();
    },
  };
}
