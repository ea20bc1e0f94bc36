/**
 * The catalogue's changes in their order, none missed and none twice. A page says with which sequence number it was
 * rendered; what has happened since is asked for whenever the connection begins and whenever a number is missing.
 */
import { socket } from './socket.js';

/** @typedef {import('../../src/models/product.model.ts').ProductDto} ProductDto */
/** @typedef {{ type: 'created' | 'updated' | 'deleted', product: ProductDto }} Change */

const ANSWER_LIMIT_MS = 10_000;

/**
 * @param {object} options
 * @param {number} options.since the sequence number that the page was rendered with
 * @param {(change: Change) => void} options.onChange
 * @param {() => Promise<number>} options.onGap too much was missed: render anew, and say with which number
 * @param {(state: 'live' | 'reconnecting') => void} [options.onState]
 */
export function followCatalogue({ since, onChange, onGap, onState = () => {} }) {
  let sequence = since;
  let asking = false;
  let askAgain = false;

  /** @param {Change & { sequence: number }} change */
  const take = (change) => {
    if (change.sequence > sequence + 1) return void catchUp();
    if (change.sequence <= sequence) return;
    sequence = change.sequence;
    onChange(change);
  };

  async function catchUp() {
    askAgain = asking;
    if (asking) return;
    asking = true;
    try {
      const answer = await socket.timeout(ANSWER_LIMIT_MS).emitWithAck('catalogue:changes', { since: sequence });
      if ('error' in answer) return;
      if (answer.data.complete) answer.data.changes.forEach(take);
      else sequence = await onGap();
    } catch {
      // The connection was lost again: the next one asks again.
    } finally {
      asking = false;
    }
    if (askAgain) await catchUp();
  }

  for (const type of /** @type {const} */ (['created', 'updated', 'deleted']))
    socket.on(`product:${type}`, (event) => take({ type, ...event }));
  socket.on('connect', () => {
    onState('live');
    void catchUp();
  });
  socket.on('disconnect', () => onState('reconnecting'));
  socket.on('connect_error', () => onState('reconnecting'));
  if (socket.connected) {
    onState('live');
    void catchUp();
  }
}
