/**
 * Orders as they change: each `[data-watch]` on the page is watched, and when there is news the part of the page that
 * shows orders is fetched as the server renders it now.
 */
import { announce } from './announce.js';
import { socket } from './socket.js';

/** @typedef {import('../../src/realtime/socket-events.ts').WatchedOrder} WatchedOrder */

const ANSWER_LIMIT_MS = 10_000;
const SELECTOR = '[data-live-orders]';

const ids = () => [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-watch]'))];

async function watchAll() {
  for (const { dataset } of ids()) {
    const asked = { id: dataset.watch, ...(dataset.token && { token: dataset.token }) };
    const answer = await socket.timeout(ANSWER_LIMIT_MS).emitWithAck('order:watch', asked);
    if ('data' in answer && answer.data) take(answer.data);
  }
}

/** @param {{ id: string, version: number }} order */
function take({ id, version }) {
  const shown = ids().find(({ dataset }) => dataset.watch === id);
  if (shown && version > Number(shown.dataset.version)) void renderAnew();
}

let rendering = false;
let again = false;

async function renderAnew() {
  again = rendering;
  if (rendering) return;
  rendering = true;
  try {
    const address = document.querySelector('[data-live-text]')?.getAttribute('href') ?? location.href;
    const answer = await fetch(address, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    show(page.querySelector(SELECTOR));
  } catch {
    // The next news, or the next connection, tries it again.
  } finally {
    rendering = false;
  }
  if (again) await renderAnew();
}

/** @param {Element | null} anew */
function show(anew) {
  const old = document.querySelector(SELECTOR);
  if (!anew || !old) return;
  const before = new Map(headlinesIn(old));
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const open = [...old.querySelectorAll('details[open] > summary')].map(nameOf);
  old.replaceWith(document.adoptNode(anew));
  for (const summary of anew.querySelectorAll('details > summary'))
    if (open.includes(nameOf(summary))) summary.parentElement?.setAttribute('open', '');
  if (active) focusSame(anew, active);
  showState();
  inLocalTime();
  for (const [name, text] of headlinesIn(anew)) if (before.has(name) && before.get(name) !== text) announce(text);
}

/** @param {Element} element */
const nameOf = (element) => `${element.localName} ${element.getAttribute('href') ?? element.textContent}`;

/** The keyboard stays where it was, or at the begin of the content when that is gone. @param {Element} anew @param {Element} active */
function focusSame(anew, active) {
  const places = /** @type {NodeListOf<HTMLElement>} */ (anew.querySelectorAll('a, button, summary'));
  const place = [...places].find((element) => nameOf(element) === nameOf(active));
  (place ?? document.getElementById('content'))?.focus();
}

/** What each order is, to be told when it becomes another thing. @param {Element} root @returns {[string, string][]} */
function headlinesIn(root) {
  return [.../** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-watch]'))].map((order) => [
    order.dataset.watch ?? '',
    `${order.querySelector('.order-about a, .order-number strong')?.textContent}: ${order.querySelector('[data-headline]')?.textContent}.`,
  ]);
}

function showState() {
  const state = document.querySelector('[data-live-state]');
  const text = document.querySelector('[data-live-text]');
  state?.setAttribute('data-live-state', socket.connected ? 'live' : 'reconnecting');
  if (text) text.textContent = socket.connected ? 'Live' : 'Connection lost: refresh';
}

/** Times as the reader's clock has them. */
function inLocalTime() {
  for (const time of document.querySelectorAll('time[datetime]'))
    time.textContent = new Date(time.getAttribute('datetime') ?? '').toLocaleString('en-GB', {
      dateStyle: 'medium',
      timeStyle: 'short',
    });
}

inLocalTime();
socket.on('order:changed', take);
socket.on('connect', () => {
  showState();
  // A connection that is lost again is followed by the next one.
  watchAll().catch(() => {});
});
socket.on('disconnect', showState);
