/** Makes the chat live: joins over the socket, shows what happens, and fills the gaps after a lost connection. */
import { createOutbox } from './chat-outbox.js';
import { createChatView } from './chat-view.js';
import { socket } from './socket.js';

/**
 * @typedef {import('../../src/realtime/socket-events.ts').ChatMessage} ChatMessage
 * @typedef {import('../../src/realtime/socket-events.ts').ChatParticipant} ChatParticipant
 */

const ANSWER_MS = 8000;
/** How long after a new connection the return of those who were there before is no news. */
const QUIET_MS = 30_000;
const COUNT_FROM = 1800;

const page = /** @type {HTMLElement} */ (document.querySelector('[data-chat]'));
const view = createChatView(page);
const form = /** @type {HTMLFormElement} */ (page.querySelector('[data-compose]'));
const text = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('text'));

let isJoined = false;
/** The number of the last message that is shown, and of the last one that is known to exist. */
let last = Number(page.dataset.sequence);
let known = last;
let isCatchingUp = false;
/** @type {Map<string, ChatParticipant>} */
let present = new Map();
/** @type {ReadonlyMap<string, ChatParticipant>} */
let presentBefore = new Map();
let quietUntil = 0;

const outbox = createOutbox({
  async send(message) {
    const answer = await socket.timeout(ANSWER_MS).emitWithAck('chat:send', message);
    if (answer.error?.status === 401) {
      isJoined = false;
      joinUntilDone();
    }
    return answer;
  },
  isReady: () => isJoined && socket.connected,
  show: view.pending,
  onStored: receive,
});

async function join() {
  const answer = await socket.timeout(ANSWER_MS).emitWithAck('chat:join', {});
  // The visit has ended: the server shows the form.
  if (answer.error?.status === 401) return location.reload();
  if (answer.error) throw new Error(answer.error.detail);
  const { me, participants, sequence } = answer.data;
  // Somebody else by now, such as after a login in another tab.
  if (me.id !== page.dataset.me) return location.reload();
  isJoined = true;
  setPresent(participants.map((/** @type {ChatParticipant} */ person) => [person.id, person]));
  view.setConnection('live', 'Live');
  known = Math.max(known, sequence);
  await catchUp();
  outbox.pump();
}

function joinUntilDone() {
  join().catch(() => {
    if (socket.connected) setTimeout(joinUntilDone, 2000);
  });
}

function receive(/** @type {ChatMessage} */ message) {
  known = Math.max(known, message.sequence);
  if (message.sequence === last + 1) show(message);
  else if (message.sequence > last) catchUp().catch(() => {});
}

function show(/** @type {ChatMessage} */ message) {
  last = message.sequence;
  if (message.participant.id === page.dataset.me) outbox.settle(message.clientId);
  view.append(message);
}

/** Asks for what was missed, until nothing is missing. */
async function catchUp() {
  if (isCatchingUp) return;
  isCatchingUp = true;
  try {
    while (last < known) {
      const { data } = await socket.timeout(ANSWER_MS).emitWithAck('chat:history', { since: last, limit: 100 });
      if (!data?.items.length) return;
      for (const message of data.items) if (message.sequence === last + 1) show(message);
    }
  } finally {
    isCatchingUp = false;
  }
}

function setPresent(/** @type {Iterable<[string, ChatParticipant]>} */ people) {
  present = new Map(people);
  view.setPeople([...present.values()]);
}

socket.on('connect', joinUntilDone);
socket.on('disconnect', () => {
  if (isJoined) presentBefore = present;
  isJoined = false;
  quietUntil = Date.now() + QUIET_MS;
  view.setConnection('lost', 'Connecting again…');
});
socket.on('connect_error', () => view.setConnection('lost', 'Connecting again…'));

socket.on('chat:message', receive);
socket.on('chat:joined', (/** @type {{ participant: ChatParticipant }} */ { participant }) => {
  const isNews = !present.has(participant.id);
  setPresent([...present, [participant.id, participant]]);
  const isReturn = presentBefore.has(participant.id) && Date.now() < quietUntil;
  if (isNews && !isReturn && participant.id !== page.dataset.me)
    view.notice(`${participant.name ?? participant.email} has joined`);
});
socket.on('chat:left', (/** @type {{ participant: ChatParticipant }} */ { participant }) => {
  setPresent([...present].filter(([id]) => id !== participant.id));
  if (participant.id !== page.dataset.me) view.notice(`${participant.name ?? participant.email} has left`);
});
socket.on('chat:ended', () => location.reload());

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (text.value.trim() !== '') outbox.add(text.value);
  text.value = '';
  showLeft();
  text.focus();
});
text.addEventListener('keydown', (event) => {
  // 229: an input method is composing; Enter only accepts what it offers.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  if (text.value.trim() !== '') form.requestSubmit();
});
text.addEventListener('input', showLeft);

function showLeft() {
  const left = text.value.length > COUNT_FROM ? `${text.maxLength - text.value.length} characters left` : '';
  const line = form.querySelector('[data-left]');
  if (line) line.textContent = left;
}

const older = /** @type {HTMLAnchorElement | null} */ (page.querySelector('[data-older]'));
older?.addEventListener('click', (event) => {
  // Without a connection the link leads to the older page.
  if (!isJoined) return;
  event.preventDefault();
  showOlder(older).catch(() => location.assign(older.href));
});

async function showOlder(/** @type {HTMLAnchorElement} */ link) {
  if (link.ariaBusy === 'true') return;
  link.ariaBusy = 'true';
  const before = Number(link.dataset.older);
  const { data } = await socket.timeout(ANSWER_MS).emitWithAck('chat:history', { before, limit: 50 });
  link.ariaBusy = null;
  view.prepend(data.items);
  link.dataset.older = data.older;
  link.href = `/chat?before=${data.older}`;
  if (data.older === null) link.parentElement?.remove();
}

page.querySelector('[data-keys]')?.removeAttribute('hidden');
if (socket.connected) joinUntilDone();
