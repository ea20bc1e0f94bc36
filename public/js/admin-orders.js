/** The list of orders for staff: states change as they happen, and new orders are counted. */
import { mark } from './product-fields.js';
import { socket } from './socket.js';

const news = document.querySelector('[data-new-orders]');
const since = news instanceof HTMLElement ? news.dataset.since : undefined;
/** @type {Set<string>} */
const added = new Set();

socket.on('connect', () => socket.emit('order:watch', {}, (answer) => 'data' in answer && catchUp()));
socket.on('order:changed', (order) => {
  const row = document.querySelector(`[data-order="${CSS.escape(order.id)}"]`);
  if (row) fill(row, order);
  else if (since && order.createdAt > since) tell(order.id);
});

/** What has happened while nobody told the page: it is compared with what the server renders now. */
async function catchUp() {
  const answer = await fetch(location.href).catch(() => null);
  const page = new DOMParser().parseFromString((await answer?.text()) ?? '', 'text/html');
  for (const anew of page.querySelectorAll('[data-order]')) {
    const id = anew.getAttribute('data-order') ?? '';
    const row = document.querySelector(`[data-order="${CSS.escape(id)}"]`);
    const createdAt = anew.querySelector('time')?.getAttribute('datetime') ?? '';
    if (row && versionOf(anew) > versionOf(row)) row.replaceWith(document.adoptNode(anew));
    else if (!row && since && createdAt > since) tell(id);
  }
}

const versionOf = (/** @type {Element} */ row) => Number(row.getAttribute('data-version'));

/** @param {Element} row @param {import('../../src/realtime/socket-events.ts').WatchedOrder} order */
function fill(row, order) {
  if (versionOf(row) >= order.version) return;
  row.setAttribute('data-version', String(order.version));
  for (const field of /** @type {const} */ (['status', 'paymentStatus', 'fulfilmentStatus'])) {
    const element = row.querySelector(`[data-field="${field}"]`);
    // The filters have the words for all states.
    const text = document.querySelector(`[name="${field}"] [value="${order[field]}"]`)?.textContent ?? order[field];
    if (!element || element.textContent === text) continue;
    element.textContent = text;
    if (field === 'status') element.setAttribute('data-status', order.status);
    mark(element);
  }
}

/** @param {string} id */
function tell(id) {
  added.add(id);
  const link = document.createElement('a');
  link.href = location.href;
  link.textContent = `Show ${added.size} new ${added.size === 1 ? 'order' : 'orders'}`;
  news?.replaceChildren(link);
}
